//! What a driver says of itself: the JSON document of `describe`, read leniently.
//!
//! Unknown members and words are ignored (the descriptor is the part of the contract that grows);
//! only `requires` is binding. The published schema is
//! `wit/kompox-driver/driver-descriptor.schema.json`.

use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

/// A driver's descriptor.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// Name of the driver, a DNS label.
    pub name: String,
    /// Version of the driver, semver.
    pub version: String,
    /// Who publishes it.
    #[serde(default)]
    pub vendor: String,
    /// Oldest operator that can host it, semver.
    #[serde(default)]
    pub min_host_version: Option<String>,
    /// Words the host must know, else it refuses the driver.
    #[serde(default)]
    pub requires: Vec<String>,
    /// One per value of `spec.provider.type`.
    pub providers: Vec<Provider>,
}

impl Descriptor {
    /// The entry for `provider_type`.
    #[must_use]
    pub fn provider(&self, provider_type: &str) -> Option<&Provider> {
        self.providers.iter().find(|provider| provider.type_ == provider_type)
    }
}

/// One provider type of a driver.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Provider {
    /// The value of `spec.provider.type`.
    #[serde(rename = "type")]
    pub type_: String,
    /// CSI drivers that can mount its disks.
    #[serde(default)]
    pub csi_drivers: Vec<String>,
    /// What it can do, as words; see [`Feature`].
    #[serde(default)]
    pub features: Vec<String>,
    /// Where it may send requests.
    #[serde(default)]
    pub endpoints: Vec<Endpoint>,
    /// How the host signs in for it.
    #[serde(default)]
    pub auth_profiles: Vec<AuthProfile>,
    /// Keys of the credentials Secret.
    #[serde(default)]
    pub credentials: Vec<CredentialKey>,
    /// JSON Schema of `spec.provider.config`.
    #[serde(default)]
    pub config_schema: Value,
    /// JSON Schema of a disk's options.
    #[serde(default)]
    pub disk_options_schema: Value,
    /// JSON Schema of a snapshot's options.
    #[serde(default)]
    pub snapshot_options_schema: Value,
    /// How long a new object may be missing from lists, in milliseconds.
    #[serde(default)]
    pub consistency_ms: u64,
    /// What is left for the user's own tags.
    #[serde(default)]
    pub tag_limits: Option<TagLimits>,
}

impl Provider {
    /// Whether the provider claims `feature`.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.features.iter().any(|word| word == feature.as_str())
    }

    /// How long to wait before an unanswered create counts as not accepted.
    #[must_use]
    pub fn consistency(&self) -> Duration {
        Duration::from_millis(self.consistency_ms)
    }
}

/// The registered features the operator acts on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Feature {
    /// Names and tags come back from `find`, and `set-tags` works.
    Tags,
    /// A disk can be made from another disk.
    Clone,
}

impl Feature {
    /// The word in the descriptor.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Tags => "tags",
            Self::Clone => "clone",
        }
    }
}

/// A declared endpoint: what is not declared cannot be reached.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// URL prefix; `{config.x}` is filled from the configuration, `*` is one DNS label.
    pub url: String,
    /// Name of the authentication profile used for it; absent: none.
    #[serde(default)]
    pub auth: Option<String>,
    /// The provider's own limit, requests per minute.
    #[serde(default)]
    pub rate_per_minute: Option<u32>,
    /// Requests that may come at once within that limit.
    #[serde(default)]
    pub burst: Option<u32>,
    /// Requests that may be open at once.
    #[serde(default)]
    pub concurrent: Option<u32>,
}

/// How the host authenticates requests for a driver.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct AuthProfile {
    /// Name, referred to by endpoints.
    pub name: String,
    /// Registered kind such as `aws-sigv4`.
    pub kind: String,
    /// Settings of that kind, such as `service`; `{config.x}` is filled from the configuration.
    #[serde(default)]
    pub params: BTreeMap<String, String>,
}

/// A key that the credentials Secret may or must have.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct CredentialKey {
    /// Key of the Secret.
    pub key: String,
    /// Whether calls fail without it.
    #[serde(default)]
    pub required: bool,
    /// For people.
    #[serde(default)]
    pub description: String,
}

/// Limits for the user's own tags, beside the operator's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TagLimits {
    /// How many.
    pub count: u32,
    /// Longest key, in characters.
    pub key_length: u32,
    /// Longest value, in characters.
    pub value_length: u32,
}
