//! The addresses of one real node, by its number: what is where. Pure.

use std::net::Ipv4Addr;

/// How many real nodes a machine can carry at the same time.
pub(super) const COUNT: u16 = 256;

/// Cable `kompoxN`, 10.243.N.0/30 on it, 10.244.N.0/24 for pods. 10.244.0.0/16 is what flannel and kind
/// give pods; its neighbour is as unusual for anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Addresses {
    number: u8,
}

impl Addresses {
    /// All of them, from `first` on and round.
    pub(super) fn from(first: u8) -> impl Iterator<Item = Self> {
        (0..COUNT).map(move |step| Self { number: first.wrapping_add(step.to_le_bytes()[0]) })
    }

    /// Name of the host's end of the cable.
    pub(super) fn cable(self) -> String {
        format!("kompox{}", self.number)
    }

    /// The host's end; the API server listens here.
    pub(super) fn host(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 243, self.number, 1)
    }

    /// The node's end.
    pub(super) fn node(self) -> Ipv4Addr {
        Ipv4Addr::new(10, 243, self.number, 2)
    }

    /// The network of the two ends.
    pub(super) fn cable_range(self) -> String {
        format!("10.243.{}.0/30", self.number)
    }

    /// The network of the pods.
    pub(super) fn pod_range(self) -> String {
        format!("10.244.{}.0/24", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, COUNT};
    use std::collections::BTreeSet;

    #[test]
    fn every_number_comes_once_and_the_wanted_one_first() {
        let all: Vec<_> = Addresses::from(250).collect();
        assert_eq!(all[0].cable(), "kompox250");
        assert_eq!(all[6].pod_range(), "10.244.0.0/24");
        let cables: BTreeSet<_> = all.iter().map(|addresses| addresses.cable()).collect();
        assert_eq!(cables.len(), usize::from(COUNT));
        // Longer names are refused by the kernel (IFNAMSIZ).
        assert!(cables.iter().all(|name| name.len() < 16));
    }
}
