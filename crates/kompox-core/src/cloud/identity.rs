//! Names, tokens and tags: how an object in the cloud is recognised as ours, and as whose.
//!
//! All of them are functions of (cluster uid, kind, object uid, attempt): a restarted operator, or
//! another one, derives the same, and two clusters or two objects never share one.

use crate::driver::{Attributes, Intent};
use sha2::{Digest as _, Sha256};

/// Tag: made by this operator.
pub const TAG_MANAGED: &str = "kompox-managed";
/// Tag: uid of the cluster, without dashes.
pub const TAG_CLUSTER: &str = "kompox-cluster";
/// Tag that a person sets: `<namespace>/<name>` of the object that may adopt this one.
pub const TAG_ADOPT: &str = "kompox-adopt";
/// Tag: namespace of the object, shortened where needed.
pub const TAG_NAMESPACE: &str = "kompox-ns";
/// Tag: name of the object, shortened where needed.
pub const TAG_NAME: &str = "kompox-name";
/// Tag: when the object was left behind by policy, seconds since 1970.
pub const TAG_ORPHANED: &str = "kompox-orphaned-at";
/// Tag: when the trashed object may be destroyed, seconds since 1970.
pub const TAG_TRASH: &str = "kompox-trash-until";

/// Longest tag value that every provider takes (GCP labels, 63 characters of `[a-z0-9_-]`).
const VALUE_MAX: usize = 63;

/// What kind of cloud object an identity is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A disk.
    Disk,
    /// A snapshot.
    Snapshot,
}

impl Kind {
    /// The tag that carries the owner's uid.
    #[must_use]
    pub fn uid_tag(self) -> &'static str {
        match self {
            Self::Disk => "kompox-disk-uid",
            Self::Snapshot => "kompox-snapshot-uid",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Disk => "disk",
            Self::Snapshot => "snapshot",
        }
    }
}

/// The custom resource that owns a cloud object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Disk or snapshot.
    pub kind: Kind,
    /// uid of the cluster (of its namespace `kube-system`).
    pub cluster: String,
    /// uid of the custom resource.
    pub uid: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

impl Owner {
    /// The tags by which the object is found and without which it is never touched.
    #[must_use]
    pub fn tags(&self) -> Attributes {
        Attributes::from([
            (TAG_CLUSTER.to_owned(), undashed(&self.cluster)),
            (self.kind.uid_tag().to_owned(), undashed(&self.uid)),
        ])
    }

    /// The write-ahead intent of attempt number `attempt`; `user_tags` give way to ours.
    #[must_use]
    pub fn intent(&self, attempt: i32, user_tags: &Attributes) -> Intent {
        let mut tags = user_tags.clone();
        tags.extend(self.tags());
        tags.insert(TAG_MANAGED.to_owned(), "true".to_owned());
        tags.insert(TAG_NAMESPACE.to_owned(), tag_value(&self.namespace));
        tags.insert(TAG_NAME.to_owned(), tag_value(&self.name));
        Intent { name: self.cloud_name(attempt), token: self.token(attempt), tags }
    }

    /// `k4x-<20 hex>-<attempt>`: 32 characters at most.
    fn cloud_name(&self, attempt: i32) -> String {
        format!("k4x-{}-{attempt}", hex(&["name", self.kind.word(), &self.cluster, &self.uid], 10))
    }

    fn token(&self, attempt: i32) -> String {
        hex(&["token", self.kind.word(), &self.cluster, &self.uid, &attempt.to_string()], 16)
    }
}

/// A UUID without its dashes.
fn undashed(uid: &str) -> String {
    uid.replace('-', "")
}

/// `text` as a tag value that every provider takes: itself where it fits, else shortened with a hash.
#[must_use]
pub fn tag_value(text: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if text.len() <= VALUE_MAX && text.chars().all(plain) {
        return text.to_owned();
    }
    let start: String = text.chars().map(|c| if plain(c) { c } else { '-' }).take(46).collect();
    format!("{start}-{}", hex(&[text], 8))
}

/// The first `bytes` bytes of a SHA-256 over length-prefixed parts, in hex.
fn hex(parts: &[&str], bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(bytes).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> Owner {
        Owner {
            kind: Kind::Disk,
            cluster: "0f6e2c9a-1111-4222-8333-944455556666".into(),
            uid: "7d3b8f10-aaaa-4bbb-8ccc-9dddeeeeffff".into(),
            namespace: "app1".into(),
            name: "default".into(),
        }
    }

    #[test]
    fn names_and_tokens_keep_the_form_of_the_contract() {
        let intent = owner().intent(9_999_999, &Attributes::new());
        assert!(intent.name.len() <= 32, "{}", intent.name);
        assert!(intent.name.starts_with("k4x-") && intent.name.ends_with("-9999999"));
        assert_eq!(intent.token.len(), 32);
        assert!(intent.token.chars().all(|c| c.is_ascii_hexdigit() && !c.is_ascii_uppercase()));
        assert!(intent.tags.len() <= 8);
        for (key, value) in &intent.tags {
            assert!(key.len() <= 31 && value.len() <= VALUE_MAX, "{key}={value}");
        }
    }

    #[test]
    fn each_part_of_the_identity_counts() {
        let base = owner().intent(1, &Attributes::new());
        let others = [
            Owner { kind: Kind::Snapshot, ..owner() }.intent(1, &Attributes::new()),
            Owner { cluster: "x".into(), ..owner() }.intent(1, &Attributes::new()),
            Owner { uid: "x".into(), ..owner() }.intent(1, &Attributes::new()),
            owner().intent(2, &Attributes::new()),
        ];
        for other in others {
            assert_ne!(base.name, other.name);
            assert_ne!(base.token, other.token);
        }
        assert_eq!(base, owner().intent(1, &Attributes::new()));
    }

    #[test]
    fn a_user_cannot_forge_the_owner_tags() {
        let forged = Attributes::from([("kompox-disk-uid".to_owned(), "somebody".to_owned())]);
        let tags = owner().intent(1, &forged).tags;
        assert_eq!(tags.get("kompox-disk-uid").map(String::as_str), Some("7d3b8f10aaaa4bbb8ccc9dddeeeeffff"));
    }

    #[test]
    fn long_or_dotted_values_stay_distinct() {
        assert_eq!(tag_value("plain-name_1"), "plain-name_1");
        let (one, two) = (tag_value("a.b"), tag_value("a-b"));
        assert_ne!(one, two);
        let (long, longer) = (tag_value(&"x".repeat(70)), tag_value(&"x".repeat(71)));
        assert_ne!(long, longer);
        assert!(long.len() <= VALUE_MAX);
    }
}
