//! Addresses that lead nowhere: one for each node and pod, never two the same at a time. Pure.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::Ipv4Addr,
};

/// 198.18.0.0/15, reserved for benchmarks (RFC 2544) and routed nowhere. The documentation ranges of
/// RFC 5737 hold only 762 pods; this one holds 131,070.
const POD_RANGE: u32 = u32::from_be_bytes([198, 18, 0, 0]);
const POD_RANGE_SIZE: u32 = 1 << 17;
/// 192.0.2.0/24 (TEST-NET-1, RFC 5737).
const NODE_RANGE: u32 = u32::from_be_bytes([192, 0, 2, 0]);

/// Nodes that fit into their range.
pub(super) const MAX_NODES: usize = 254;

/// The address of the node at `index`, which must be below [`MAX_NODES`].
pub(super) fn of_node(index: usize) -> Ipv4Addr {
    Ipv4Addr::from(NODE_RANGE + 1 + u32::try_from(index % MAX_NODES).unwrap_or_default())
}

/// Which pod (by uid) has which address.
#[derive(Debug, Default)]
pub(super) struct PodAddresses {
    of: BTreeMap<String, Ipv4Addr>,
    used: BTreeSet<Ipv4Addr>,
    next: u32,
}

impl PodAddresses {
    /// The pod's address: the one it has, else `wanted` if that is free, else the next free one.
    /// `None` when the range is used up.
    pub(super) fn get(&mut self, uid: &str, wanted: Option<Ipv4Addr>) -> Option<Ipv4Addr> {
        if let Some(address) = self.of.get(uid) {
            return Some(*address);
        }
        let address = wanted.filter(|address| !self.used.contains(address)).or_else(|| self.free())?;
        self.used.insert(address);
        self.of.insert(uid.to_owned(), address);
        Some(address)
    }

    pub(super) fn release(&mut self, uid: &str) {
        if let Some(address) = self.of.remove(uid) {
            self.used.remove(&address);
        }
    }

    /// Goes round, so that an address is not given to another pod right after its owner is gone.
    fn free(&mut self) -> Option<Ipv4Addr> {
        (0..POD_RANGE_SIZE).find_map(|_| {
            self.next = (self.next + 1) % POD_RANGE_SIZE;
            let address = Ipv4Addr::from(POD_RANGE + self.next);
            let edge = self.next == 0 || self.next == POD_RANGE_SIZE - 1;
            (!edge && !self.used.contains(&address)).then_some(address)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_NODES, PodAddresses, of_node};
    use std::{collections::BTreeSet, net::Ipv4Addr};

    #[test]
    fn unique_and_stable() {
        let mut addresses = PodAddresses::default();
        let all: BTreeSet<_> = (0..2000).filter_map(|n| addresses.get(&n.to_string(), None)).collect();
        assert_eq!(all.len(), 2000);
        assert_eq!(addresses.get("7", None), addresses.get("7", Some(Ipv4Addr::LOCALHOST)));
    }

    #[test]
    fn a_former_address_is_kept_unless_taken() {
        let mut addresses = PodAddresses::default();
        let former = Ipv4Addr::new(198, 18, 0, 1);
        assert_eq!(addresses.get("a", Some(former)), Some(former));
        assert_ne!(addresses.get("b", Some(former)), Some(former));
        assert_ne!(addresses.get("c", None), Some(former));
        addresses.release("a");
        assert_eq!(addresses.get("d", Some(former)), Some(former));
    }

    #[test]
    fn nodes_stay_in_their_range() {
        let all: BTreeSet<_> = (0..MAX_NODES).map(of_node).collect();
        assert_eq!(all.len(), MAX_NODES);
        assert_eq!(all.last(), Some(&Ipv4Addr::new(192, 0, 2, 254)));
    }
}
