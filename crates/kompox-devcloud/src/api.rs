//! The values of the interface as they stand in JSON, for the service and for its client. No logic.
//!
//! `docs/devcloud.md` says what each means.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Tags of an object.
pub type Tags = BTreeMap<String, String>;

/// How a volume's bytes are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Backing {
    /// A sparse file, to be used through a loop device.
    Image,
    /// A directory, to be bind-mounted. Its size is not enforced.
    Directory,
}

/// What a volume is filled from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Source {
    /// Id of a snapshot.
    Snapshot(String),
    /// Id of a volume.
    Volume(String),
}

/// State of a volume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum VolumeState {
    /// It is being filled and cannot be attached.
    Creating,
    /// It can be used.
    Available,
    /// It could not be made; `message` says why.
    Failed,
}

/// State of a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SnapshotState {
    /// The point in time is not fixed.
    Creating,
    /// It can be restored.
    Ready,
    /// It could not be taken; `message` says why.
    Failed,
}

/// What a snapshot shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Consistency {
    /// One point in time, as after a power cut.
    Crash,
    /// It was copied while somebody may have written.
    None,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Its name in the token file.
    pub id: String,
    /// Which service this is: random, and kept with its directory.
    pub service: String,
    /// All zones, the default one first.
    pub zones: Vec<String>,
    /// Backing of volumes that name none.
    pub default_backing: Backing,
    /// What its volumes may have in all.
    pub quota_bytes: u64,
    /// What they have.
    pub used_bytes: u64,
}

/// Where a volume's bytes lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Data {
    /// Absolute path on the machine of the service.
    pub path: String,
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume {
    /// `vol-…`
    pub id: String,
    /// Unique in the account.
    pub name: String,
    /// Whether it can be used.
    pub state: VolumeState,
    /// A whole number of MiB.
    pub size_bytes: u64,
    /// Where it can be attached.
    pub zone: String,
    /// How the bytes are kept.
    pub backing: Backing,
    /// The caller's tags.
    #[serde(default)]
    pub tags: Tags,
    /// What it was made from; none = empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// The node that has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attached_to: Option<String>,
    /// RFC 3339.
    pub created_at: String,
    /// Absent until it is filled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Data>,
    /// Why it failed, or what is odd about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Snapshot {
    /// `snap-…`
    pub id: String,
    /// Unique in the account.
    pub name: String,
    /// Whether it can be restored.
    pub state: SnapshotState,
    /// Id of the volume, which may be gone.
    pub volume: String,
    /// Smallest volume that it restores to.
    pub size_bytes: u64,
    /// How the bytes are kept.
    pub backing: Backing,
    /// The caller's tags.
    #[serde(default)]
    pub tags: Tags,
    /// What it shows; absent until it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub consistency: Option<Consistency>,
    /// RFC 3339.
    pub created_at: String,
    /// RFC 3339; absent until it is ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_at: Option<String>,
    /// Why it failed, or why it is not consistent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Body of `POST /v1/volumes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewVolume {
    /// Unique in the account.
    pub name: String,
    /// The same token with the same body is the same volume.
    pub client_token: String,
    /// Needed without a source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Default: the first zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// Default: the source's, else the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backing: Option<Backing>,
    /// Default: an empty volume.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Source>,
    /// Tags of the new volume.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// Body of `PATCH`: only what is to change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// New size; volumes only, and only more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_bytes: Option<u64>,
    /// Tags to set; none removes the tag. Others stay.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, Option<String>>,
}

/// Body of `POST /v1/volumes/{id}/attach` and `…/detach`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attachment {
    /// Name of the node.
    pub node: String,
}

/// Body of `POST /v1/snapshots`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewSnapshot {
    /// Unique in the account.
    pub name: String,
    /// The same token with the same body is the same snapshot.
    pub client_token: String,
    /// Id of the volume.
    pub volume: String,
    /// Tags of the new snapshot.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    /// In order of id.
    pub items: Vec<T>,
    /// The `cursor` of the next page; none = this is the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// What a list is restricted to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Exact name.
    pub name: Option<String>,
    /// All must match.
    pub tags: Tags,
    /// Snapshots of this volume; for lists of snapshots only.
    pub volume: Option<String>,
    /// 1 to 500; none = 100.
    pub limit: Option<usize>,
    /// Where the page before ended.
    pub cursor: Option<String>,
}

/// What goes wrong on request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultKind {
    /// It is done, then the connection is closed without an answer.
    LostAnswer,
    /// 429, and nothing is done.
    Throttled,
    /// 500, and nothing is done.
    Internal,
    /// It is done later.
    Delay,
    /// What is created stays `creating` for a while.
    Stuck,
}

/// Body of `POST /v1/faults`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// What happens.
    pub kind: FaultKind,
    /// How many requests it hits, 1 to 10000.
    #[serde(default = "one")]
    pub count: u32,
    /// Which requests; none = any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// For `delay` and `stuck`, up to 3600000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub milliseconds: Option<u64>,
    /// For `throttled`; none = 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u32>,
}

fn one() -> u32 {
    1
}

impl Fault {
    /// A fault that the next request of this operation meets.
    #[must_use]
    pub fn once(kind: FaultKind, operation: &str) -> Self {
        Self {
            kind,
            count: 1,
            operation: Some(operation.to_owned()),
            milliseconds: None,
            retry_after_seconds: None,
        }
    }
}

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Code {
    /// 400: the request is wrong.
    InvalidArgument,
    /// 400: size or zone is not offered.
    OutOfRange,
    /// 401: no token, or an unknown one.
    Unauthenticated,
    /// 403: the account's limit.
    QuotaExceeded,
    /// 404: no such object.
    NotFound,
    /// 409: the name or token is taken.
    AlreadyExists,
    /// 409: attached, or copied from.
    InUse,
    /// 409: it is `creating` or `failed`.
    NotReady,
    /// 429: too many requests.
    Throttled,
    /// 500: the service failed.
    Internal,
}

/// Body of every answer that is an error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// Why.
    pub code: Code,
    /// For people.
    pub message: String,
}
