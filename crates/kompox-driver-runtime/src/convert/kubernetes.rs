//! Parts of a PersistentVolume that come from a driver: names and values that Kubernetes takes, so that a
//! driver's mistake is told as such, and not as a refusal of the API server.

use super::{ENTRIES, Malformed, Read, Reader, list_of};
use crate::bindings::kompox::driver::types as wit;
use kompox_core::driver::TopologyTerm;

/// What a volume's access mode can be.
const ACCESS_MODES: [&str; 4] = ["ReadWriteOnce", "ReadWriteOncePod", "ReadOnlyMany", "ReadWriteMany"];
/// Longest value and longest name of a label, and longest name of a CSI driver.
const NAME: usize = 63;
/// Longest prefix of a label's key.
const PREFIX: usize = 253;

impl Reader {
    pub(super) fn topology(&self, terms: Vec<wit::TopologyTerm>) -> Read<Vec<TopologyTerm>> {
        list_of("the topology", terms, ENTRIES, |term| {
            let key = self.word("a topology key", term.key)?;
            if !is_label_key(&key) {
                return Err(Malformed(format!("the topology key {key:?} is not the key of a label")));
            }
            let values = self.words("the values of a topology term", term.values)?;
            // A label's value may be empty: such are the zones of Azure's nodes that have none.
            if let Some(value) = values.iter().find(|value| !value.is_empty() && !is_name(value, NAME)) {
                return Err(Malformed(format!("the topology value {value:?} is not the value of a label")));
            }
            Ok(TopologyTerm { key, values })
        })
    }

    pub(super) fn csi_driver(&self, name: String) -> Read<String> {
        let name = self.word("a CSI driver's name", name)?;
        if !is_name(&name, NAME) {
            return Err(Malformed(format!("{name:?} is not the name of a CSI driver")));
        }
        Ok(name)
    }

    pub(super) fn access_modes(&self, modes: Vec<String>) -> Read<Vec<String>> {
        let modes = self.words("the access modes", modes)?;
        if let Some(mode) = modes.iter().find(|mode| !ACCESS_MODES.contains(&mode.as_str())) {
            return Err(Malformed(format!("{mode:?} is not an access mode ({})", ACCESS_MODES.join(", "))));
        }
        Ok(modes)
    }
}

/// A name, with a prefix and a slash in front or not.
fn is_label_key(key: &str) -> bool {
    match key.split_once('/') {
        Some((prefix, name)) => is_name(prefix, PREFIX) && is_name(name, NAME),
        None => is_name(key, NAME),
    }
}

/// Letters, digits and inner `-`, `_` and `.`; not empty.
fn is_name(text: &str, longest: usize) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= longest
        && ends(text.chars().next())
        && ends(text.chars().next_back())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}
