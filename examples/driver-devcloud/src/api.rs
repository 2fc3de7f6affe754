//! The service's JSON, as far as the driver needs it. Unknown members are ignored.

use kompox_driver_sdk::attributes::Attributes;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a volume is filled from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// Id of a snapshot.
    Snapshot(String),
    /// Id of a volume.
    Volume(String),
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// `vol-…`
    pub id: String,
    /// Unique in the account.
    pub name: String,
    /// `creating`, `available`, `failed`.
    pub state: String,
    /// A whole number of MiB.
    pub size_bytes: u64,
    /// Where it can be attached.
    pub zone: String,
    /// `image`, `directory`.
    pub backing: String,
    /// All tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// None = empty.
    pub source: Option<Source>,
    /// The node that has it.
    pub attached_to: Option<String>,
    /// RFC 3339.
    pub created_at: Option<String>,
    /// Why it failed, or what is odd about it.
    pub message: Option<String>,
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// `snap-…`
    pub id: String,
    /// Unique in the account.
    pub name: String,
    /// `creating`, `ready`, `failed`.
    pub state: String,
    /// Id of the volume, which may be gone.
    pub volume: String,
    /// Smallest volume that it restores to.
    pub size_bytes: u64,
    /// All tags.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// `crash`, `none`.
    pub consistency: Option<String>,
    /// RFC 3339.
    pub taken_at: Option<String>,
    /// Why it failed, or why it is not consistent.
    pub message: Option<String>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Its name.
    pub id: String,
    /// The service's own id: another service has another account, also of the same name.
    pub service: String,
    /// All zones.
    pub zones: Vec<String>,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Page<T> {
    /// In order of id.
    pub items: Vec<T>,
    /// None = the last page.
    pub next: Option<String>,
}

/// Body of a volume's creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewVolume<'a> {
    /// Unique in the account.
    pub name: &'a str,
    /// The same token with the same body is the same volume.
    pub client_token: &'a str,
    /// None = as large as the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Where it will be attached.
    pub zone: &'a str,
    /// None = the source's, or the service's default.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backing: Option<&'a str>,
    /// None = empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// All tags.
    pub tags: BTreeMap<&'a str, &'a str>,
}

/// Body of a snapshot's creation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NewSnapshot<'a> {
    /// Unique in the account.
    pub name: &'a str,
    /// The same token with the same body is the same snapshot.
    pub client_token: &'a str,
    /// Id of the volume.
    pub volume: &'a str,
    /// All tags.
    pub tags: BTreeMap<&'a str, &'a str>,
}

/// Body of a change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Change<'a> {
    /// More than before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// None removes the tag.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<&'a str, Option<&'a str>>,
}

/// Body of an error.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Fault {
    /// Such as `in-use`.
    pub code: String,
    /// For people.
    pub message: String,
}

/// The contract's list as a JSON object.
#[must_use]
pub fn object(tags: &[(String, String)]) -> BTreeMap<&str, &str> {
    tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

/// A JSON object as the contract's list.
#[must_use]
pub fn list(tags: &BTreeMap<String, String>) -> Attributes {
    tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}
