//! Reading and writing the contract's key/value lists. Keys are unique; order has no meaning.

/// The contract's key/value list.
pub type Attributes = Vec<(String, String)>;

/// The value of `key`.
#[must_use]
pub fn get<'a>(attributes: &'a [(String, String)], key: &str) -> Option<&'a str> {
    attributes.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
}

/// Sets `key`, replacing an earlier value.
pub fn set(attributes: &mut Attributes, key: &str, value: impl Into<String>) {
    let value = value.into();
    match attributes.iter_mut().find(|(name, _)| name == key) {
        Some(entry) => entry.1 = value,
        None => attributes.push((key.to_owned(), value)),
    }
}

/// Whether every pair of `wanted` is in `present` with the same value.
#[must_use]
pub fn contains(present: &[(String, String)], wanted: &[(String, String)]) -> bool {
    wanted.iter().all(|(key, value)| get(present, key) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::{Attributes, contains, get, set};

    #[test]
    fn set_replaces_and_get_finds() {
        let mut attributes = Attributes::new();
        set(&mut attributes, "sku", "gp2");
        set(&mut attributes, "sku", "gp3");
        assert_eq!(attributes.len(), 1);
        assert_eq!(get(&attributes, "sku"), Some("gp3"));
        assert_eq!(get(&attributes, "iops"), None);
    }

    #[test]
    fn contains_compares_values() {
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let present = [pair("a", "1"), pair("b", "2")];
        assert!(contains(&present, &[pair("b", "2")]));
        assert!(contains(&present, &[]));
        assert!(!contains(&present, &[pair("b", "3")]));
        assert!(!contains(&present, &[pair("c", "2")]));
    }
}
