//! Which addresses a driver may reach, after its endpoint's name has been resolved.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The networks an administrator granted to a driver.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Networks(Vec<IpNet>);

/// How an address is treated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Public,
    /// Refused unless granted: private, shared and loopback ranges.
    Internal(&'static str),
    /// Refused always: metadata services and what is no destination.
    Never(&'static str),
}

impl Networks {
    /// The granted `networks`.
    pub(crate) fn new(networks: &[IpNet]) -> Self {
        Self(networks.to_vec())
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether an address that a name was resolved to may be connected to.
    ///
    /// # Errors
    /// Why not, and what would allow it.
    pub(crate) fn allow_resolved(&self, address: IpAddr) -> Result<(), String> {
        let address = canonical(address);
        match class(address) {
            Class::Never(kind) => Err(format!("{address} is {kind}, which no driver may reach")),
            Class::Internal(kind) if !self.contains(address) => {
                Err(format!("{address} is {kind}: if it is right, add {}", remedy(address)))
            }
            Class::Internal(_) | Class::Public => Ok(()),
        }
    }

    /// Whether an address may stand in a URL, or be reached without TLS.
    ///
    /// # Errors
    /// Why not, and what would allow it.
    pub(crate) fn allow_literal(&self, address: IpAddr) -> Result<(), String> {
        self.allow_resolved(address)?;
        if self.contains(canonical(address)) {
            return Ok(());
        }
        Err(format!(
            "an address in a URL needs a grant of its network: if it is right, add {}",
            remedy(address)
        ))
    }
}

/// The grant that opens an address.
fn remedy(address: IpAddr) -> String {
    format!("`{}` to `spec.egress.cidrs` of the KompoxDriver with `spec.egress.mode: Custom`", only(address))
}

/// The block of one address.
pub(super) fn only(address: IpAddr) -> IpNet {
    IpNet::from(canonical(address))
}

/// The address that traffic would really go to: IPv4 in its IPv6 disguises becomes IPv4.
fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if let Some(v4) = v6.to_ipv4_mapped() {
        return IpAddr::V4(v4);
    }
    let embedded = match v6.segments() {
        // NAT64 (RFC 6052)
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some((high, low)),
        // 6to4 (RFC 3056)
        [0x2002, high, low, ..] => Some((high, low)),
        _ => None,
    };
    embedded.map_or(address, |(high, low)| {
        IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
    })
}

fn class(address: IpAddr) -> Class {
    match address {
        IpAddr::V4(address) => class_v4(address),
        IpAddr::V6(address) => class_v6(address),
    }
}

fn class_v4(address: Ipv4Addr) -> Class {
    match address.octets() {
        [168, 63, 129, 16] => Class::Never("the wire server of Azure"),
        [100, 100, 100, 200] => Class::Never("the metadata service of Alibaba Cloud"),
        [169, 254, ..] => Class::Never("link-local (metadata services)"),
        [0, ..] => Class::Never("unspecified"),
        [224..=255, ..] => Class::Never("multicast or reserved"),
        [127, ..] => Class::Internal("loopback"),
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Class::Internal("private (RFC 1918)"),
        [100, 64..=127, ..] => Class::Internal("shared (RFC 6598)"),
        [192, 0, 0 | 2, _] | [198, 51, 100, _] | [203, 0, 113, _] | [198, 18..=19, ..] => {
            Class::Internal("reserved for documentation or tests")
        }
        _ => Class::Public,
    }
}

fn class_v6(address: Ipv6Addr) -> Class {
    match address.segments() {
        [0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254 | 0x23] => Class::Never("the metadata service of AWS"),
        [0xfe80..=0xfebf, ..] => Class::Never("link-local"),
        [0xff00..=0xffff, ..] => Class::Never("multicast"),
        [0, 0, 0, 0, 0, 0, 0, 1] => Class::Internal("loopback"),
        [0, 0, 0, 0, 0, 0, ..] => Class::Never("unspecified"),
        [0x2001, 0, ..] => Class::Never("Teredo"),
        [0xfc00..=0xfdff, ..] => Class::Internal("private (unique local)"),
        [0xfec0..=0xfeff, ..] => Class::Internal("private (site-local)"),
        [0x2001, 0xdb8, ..] | [0x64, 0xff9b, 1, ..] => {
            Class::Internal("reserved for documentation or translation")
        }
        _ => Class::Public,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn networks(list: &[&str]) -> Networks {
        Networks(list.iter().map(|network| network.parse().unwrap()).collect())
    }

    #[test]
    fn addresses_without_a_grant() {
        let none = networks(&[]);
        for allowed in ["52.94.5.1", "2600:1f14::1", "8.8.8.8", "100.63.0.1", "172.32.0.1"] {
            assert!(none.allow_resolved(allowed.parse().unwrap()).is_ok(), "{allowed}");
        }
        for denied in [
            "127.0.0.1",
            "::1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.169.254",
            "169.254.170.23",
            "168.63.129.16",
            "100.100.100.200",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fe80::1",
            "0.0.0.0",
            "::",
            "255.255.255.255",
            "224.0.0.1",
            "ff02::1",
            "fc00::1",
            "::ffff:169.254.169.254",
            "::ffff:10.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2001:0:1::",
            "192.0.2.1",
            "2001:db8::1",
            "::127.0.0.1",
        ] {
            assert!(none.allow_resolved(denied.parse().unwrap()).is_err(), "{denied}");
        }
    }

    #[test]
    fn grants_open_internal_networks_and_never_metadata() {
        let granted = networks(&["127.0.0.0/8", "10.0.0.0/8", "169.254.0.0/16", "0.0.0.0/0", "fd00::/8"]);
        for allowed in ["127.0.0.1", "10.9.9.9", "::ffff:10.0.0.1", "fd00::1"] {
            assert!(granted.allow_resolved(allowed.parse().unwrap()).is_ok(), "{allowed}");
        }
        for denied in ["169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254", "0.0.0.0"] {
            assert!(granted.allow_resolved(denied.parse().unwrap()).is_err(), "{denied}");
        }
    }

    #[test]
    fn literals_need_a_grant_even_when_public() {
        let granted = networks(&["127.0.0.1/32"]);
        assert!(granted.allow_literal("127.0.0.1".parse().unwrap()).is_ok());
        assert!(granted.allow_literal("127.0.0.2".parse().unwrap()).is_err());
        let error = granted.allow_literal("8.8.8.8".parse().unwrap()).unwrap_err();
        assert!(error.contains("`8.8.8.8/32` to `spec.egress.cidrs`"), "{error}");
    }
}
