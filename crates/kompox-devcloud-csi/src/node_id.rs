//! How the driver calls a node. Pure.

use std::fmt;

/// A node and its zone, written `ZONE/NAME`: the controller can then tell, without asking anyone, whether a volume
/// can reach the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeId {
    /// Zone of devcloud that the node is in.
    pub zone: String,
    /// The node's name, under which devcloud knows it.
    pub name: String,
}

impl NodeId {
    /// A node that can be written and read again.
    #[must_use]
    pub fn new(zone: &str, name: &str) -> Option<Self> {
        let good = !zone.is_empty() && !zone.contains('/') && !name.is_empty() && !name.contains('/');
        good.then(|| Self { zone: zone.to_owned(), name: name.to_owned() })
    }

    /// The node that is written so; nothing else is one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.split_once('/').and_then(|(zone, name)| Self::new(zone, name))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.zone, self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::NodeId;

    #[test]
    fn only_a_zone_and_a_name_are_a_node() {
        for text in ["a/node-1", "us-west-2a/n"] {
            assert_eq!(NodeId::parse(text).unwrap().to_string(), text);
        }
        for text in ["", "node-1", "/node-1", "a/", "a/b/c"] {
            assert_eq!(NodeId::parse(text), None, "{text}");
        }
    }
}
