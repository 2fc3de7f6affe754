//! What a search in the cloud came to. "Not found" and "could not look" are different answers.

use super::identity::{Kind, Owner};
use crate::driver::{Attributes, DiskInfo, DiskState, SnapshotInfo, SnapshotState};

/// How far a cloud object is, as far as the protocols care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Being made.
    Making,
    /// It can be used.
    Usable,
    /// It failed for good and will never be usable.
    Broken,
    /// It is going away.
    Leaving,
    /// It exists but cannot be used or judged now.
    Unclear,
}

/// A disk or a snapshot in the cloud.
pub trait CloudObject {
    /// Its handle.
    fn handle(&self) -> &str;
    /// The name of the intent it was made with, where the provider keeps it.
    fn name(&self) -> Option<&str>;
    /// Its tags.
    fn tags(&self) -> &Attributes;
    /// How far it is.
    fn life(&self) -> Life;
    /// Why its state is not a good one, where the provider says so.
    fn message(&self) -> Option<&str>;
}

impl CloudObject for DiskInfo {
    fn handle(&self) -> &str {
        &self.handle
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn tags(&self) -> &Attributes {
        &self.tags
    }

    fn life(&self) -> Life {
        match self.state {
            DiskState::Creating => Life::Making,
            DiskState::Ready | DiskState::Hydrating | DiskState::Updating => Life::Usable,
            DiskState::Failed => Life::Broken,
            DiskState::Deleting => Life::Leaving,
            DiskState::Unavailable | DiskState::Unknown => Life::Unclear,
        }
    }

    fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

impl CloudObject for SnapshotInfo {
    fn handle(&self) -> &str {
        &self.handle
    }

    fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn tags(&self) -> &Attributes {
        &self.tags
    }

    /// `Uploading` is already usable here: its handle is certain and the point in time is fixed.
    fn life(&self) -> Life {
        match self.state {
            SnapshotState::Creating => Life::Making,
            SnapshotState::Uploading | SnapshotState::Ready => Life::Usable,
            SnapshotState::Failed => Life::Broken,
            SnapshotState::Deleting => Life::Leaving,
            SnapshotState::Unavailable | SnapshotState::Unknown => Life::Unclear,
        }
    }

    fn message(&self) -> Option<&str> {
        self.message.as_deref()
    }
}

/// The result of one complete search, all pages together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting<T> {
    /// Proven absent: nothing was found and nothing was left unread.
    Absent,
    /// Exactly one.
    One(T),
    /// More than one: their handles.
    Many(Vec<String>),
    /// Nothing was found, but not everything could be read: not a proof of anything.
    Unclear(Vec<String>),
}

impl<T: CloudObject> Sighting<T> {
    /// Judges the items of all pages and what could not be read.
    #[must_use]
    pub fn of(items: Vec<T>, unread: Vec<String>) -> Self {
        let handles: Vec<String> = items.iter().map(|item| item.handle().to_owned()).collect();
        let mut items = items.into_iter();
        match (items.next(), items.next()) {
            (Some(_), Some(_)) => Self::Many(handles),
            (Some(one), None) => Self::One(one),
            (None, _) if unread.is_empty() => Self::Absent,
            (None, _) => Self::Unclear(unread),
        }
    }
}

/// What the tags say about who owns an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ownership {
    /// All owner tags are there and right.
    Ours,
    /// None of them is there.
    Untagged,
    /// At least one names somebody else.
    Foreign,
}

/// Compares the owner tags of an object with those `owner` demands.
#[must_use]
pub fn owner_of(tags: &Attributes, owner: &Owner) -> Ownership {
    let wanted = owner.tags();
    let matches = wanted.iter().filter(|(key, value)| tags.get(*key) == Some(*value)).count();
    let present = wanted.keys().filter(|key| tags.contains_key(*key)).count();
    match (matches, present) {
        (m, _) if m == wanted.len() => Ownership::Ours,
        (_, 0) => Ownership::Untagged,
        _ => Ownership::Foreign,
    }
}

/// Whether an untagged or orphaned object may be taken over: nobody living claims it.
#[must_use]
pub fn is_claimable(tags: &Attributes, kind: Kind) -> bool {
    !tags.contains_key(kind.uid_tag()) || tags.contains_key(super::identity::TAG_ORPHANED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_read_is_never_absent() {
        assert_eq!(Sighting::<DiskInfo>::of(vec![], vec![]), Sighting::Absent);
        let unread = vec!["zone b did not answer".to_owned()];
        assert_eq!(Sighting::<DiskInfo>::of(vec![], unread.clone()), Sighting::Unclear(unread));
    }

    #[test]
    fn one_wrong_owner_tag_makes_an_object_foreign() {
        let owner = Owner {
            kind: Kind::Disk,
            cluster: "c".into(),
            uid: "u".into(),
            namespace: "n".into(),
            name: "d".into(),
        };
        let mut tags = owner.tags();
        assert_eq!(owner_of(&tags, &owner), Ownership::Ours);
        tags.insert("kompox-disk-uid".into(), "other".into());
        assert_eq!(owner_of(&tags, &owner), Ownership::Foreign);
        tags.remove("kompox-disk-uid");
        assert_eq!(owner_of(&tags, &owner), Ownership::Foreign);
        assert_eq!(owner_of(&Attributes::new(), &owner), Ownership::Untagged);
    }
}
