//! The driver port: what the operator asks of a provider driver, as plain values.
//!
//! The trait mirrors the WIT package `kompox:driver@0.1.0` (see `wit/kompox-driver`); its only
//! implementation in the product is the WebAssembly runtime. Nothing here knows how a driver is
//! loaded, and no value here ever holds a secret except [`Credentials`], which cannot be printed.

mod descriptor;
mod error;
mod values;

pub use descriptor::{AuthProfile, CredentialKey, Descriptor, Endpoint, Feature, Provider, TagLimits};
pub use error::{DriverError, Effect, ErrorCode};
pub use values::{
    Account, Attachments, Attributes, ClusterIdentity, CsiSnapshot, CsiSource, Detection, DiskChange,
    DiskInfo, DiskPage, DiskPlan, DiskRequest, DiskSource, DiskState, Facts, Finding, Intent, NodeSample,
    Outcome, Pending, Query, Severity, SnapshotInfo, SnapshotPage, SnapshotRequest, SnapshotState, TagChange,
    Target, TopologyTerm, Volume, VolumeRequest, VolumeSource,
};

use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

/// A boxed future: keeps [`Driver`] usable as a trait object without an async runtime in this crate.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The answer of a driver call that may fail.
pub type DriverResult<T> = Result<T, DriverError>;

/// Secret material for one call, by key of the Kubernetes Secret it came from.
///
/// Neither printable nor serialisable. The runtime hands it to the authentication profiles; a guest
/// never sees it.
#[derive(Clone, Default)]
pub struct Credentials(BTreeMap<String, SecretString>);

impl Credentials {
    /// Wraps the entries of a Secret.
    #[must_use]
    pub fn new(entries: BTreeMap<String, SecretString>) -> Self {
        Self(entries)
    }

    /// The secret value under `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&SecretString> {
        self.0.get(key)
    }

    /// Whether there is no entry at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every key with its value, sorted by key.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &SecretString)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// All values, for redaction. Keys are not secret and are not returned.
    pub fn values(&self) -> impl Iterator<Item = &SecretString> {
        self.0.values()
    }

    /// A salted SHA-256 over all entries, 32 hex digits: tells whether two calls used the same
    /// credential without revealing anything about it. `salt` is the cluster's uid.
    #[must_use]
    pub fn fingerprint(&self, salt: &str) -> String {
        let mut hash = Sha256::new();
        let mut part = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        part(salt.as_bytes());
        for (key, value) in &self.0 {
            part(key.as_bytes());
            part(value.expose_secret().as_bytes());
        }
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The context of one driver call.
#[derive(Clone)]
pub struct Call {
    /// Which of the driver's provider types is meant.
    pub provider_type: String,
    /// Non-secret driver settings, merged: the administrator's defaults under the object's own.
    pub config: BTreeMap<String, String>,
    /// The cluster this operator runs in.
    pub cluster: ClusterIdentity,
    /// What the authentication profiles may use.
    pub credentials: Credentials,
    /// The object this call serves, `Kind/namespace/name`, for logs and traces.
    pub subject: String,
    /// How long the call may take in all.
    pub timeout: Duration,
}

/// A provider driver that is ready to be called.
///
/// Calls are stateless. Pure calls (`detect`, `plan`, `volume_for`) make no request; `find_*`,
/// `get_account` and `validate_config` only read; the rest changes something and is made at most once
/// at a time for one object. A call that traps or times out is an error with [`Effect::Unknown`].
pub trait Driver: Send + Sync {
    /// What the driver says of itself.
    fn descriptor(&self) -> &Descriptor;

    /// `sha256:` and the hex digest of the component's bytes.
    fn digest(&self) -> &str;

    /// Whether the driver exports the interface `snapshot`.
    fn has_snapshots(&self) -> bool;

    /// Whether the driver exports the interface `disk-modify`.
    fn has_disk_modify(&self) -> bool;

    /// Which of its provider types the facts of this cluster speak for. Pure.
    fn detect<'a>(&'a self, call: &'a Call, facts: &'a Facts) -> BoxFuture<'a, DriverResult<Vec<Detection>>>;

    /// Checks what the configuration's schema cannot; `online` allows read-only requests.
    fn validate_config<'a>(
        &'a self,
        call: &'a Call,
        online: bool,
    ) -> BoxFuture<'a, DriverResult<Vec<Finding>>>;

    /// Who the credentials are, live.
    fn get_account<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, DriverResult<Account>>;

    /// What a request would come to: rounding, defaults, obvious refusals. Pure.
    fn plan<'a>(&'a self, call: &'a Call, request: &'a DiskRequest) -> BoxFuture<'a, DriverResult<DiskPlan>>;

    /// Makes the disk of `intent`, or goes on making it (`resume`).
    fn create_disk<'a>(
        &'a self,
        call: &'a Call,
        intent: &'a Intent,
        request: &'a DiskRequest,
        resume: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<Outcome>>;

    /// One page of disks.
    fn find_disks<'a>(
        &'a self,
        call: &'a Call,
        query: &'a Query,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<DiskPage>>;

    /// Adds, replaces and removes tags of a disk; leaves all others alone.
    fn set_disk_tags<'a>(
        &'a self,
        call: &'a Call,
        target: &'a Target,
        change: &'a TagChange,
    ) -> BoxFuture<'a, DriverResult<()>>;

    /// Deletes a disk. Irreversible; never detaches and never cascades.
    fn delete_disk<'a>(
        &'a self,
        call: &'a Call,
        target: &'a Target,
        resume: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<Outcome>>;

    /// What to put into a PersistentVolume. Pure.
    fn volume_for<'a>(
        &'a self,
        call: &'a Call,
        request: &'a VolumeRequest,
    ) -> BoxFuture<'a, DriverResult<Volume>>;

    /// Grows a disk and changes its options in one request. `Unsupported` without the interface.
    fn modify_disk<'a>(
        &'a self,
        call: &'a Call,
        target: &'a Target,
        change: &'a DiskChange,
        resume: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<Outcome>>;

    /// Takes the snapshot of `intent`. `Unsupported` without the interface.
    fn create_snapshot<'a>(
        &'a self,
        call: &'a Call,
        intent: &'a Intent,
        request: &'a SnapshotRequest,
        resume: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<Outcome>>;

    /// One page of snapshots. `Unsupported` without the interface.
    fn find_snapshots<'a>(
        &'a self,
        call: &'a Call,
        query: &'a Query,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<SnapshotPage>>;

    /// As [`Driver::set_disk_tags`], for snapshots.
    fn set_snapshot_tags<'a>(
        &'a self,
        call: &'a Call,
        target: &'a Target,
        change: &'a TagChange,
    ) -> BoxFuture<'a, DriverResult<()>>;

    /// Deletes a snapshot.
    fn delete_snapshot<'a>(
        &'a self,
        call: &'a Call,
        target: &'a Target,
        resume: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<Outcome>>;
}

/// The loaded drivers, by provider type.
pub trait Drivers: Send + Sync {
    /// The driver that serves `provider_type`.
    fn for_type(&self, provider_type: &str) -> Option<Arc<dyn Driver>>;

    /// Every loaded driver, ordered by name.
    fn all(&self) -> Vec<Arc<dyn Driver>>;

    /// Every provider type that some driver serves, sorted.
    fn types(&self) -> Vec<String> {
        let mut types: Vec<String> = self
            .all()
            .iter()
            .flat_map(|driver| {
                driver.descriptor().providers.iter().map(|p| p.type_.clone()).collect::<Vec<_>>()
            })
            .collect();
        types.sort();
        types.dedup();
        types
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn credentials(entries: &[(&str, &str)]) -> Credentials {
        Credentials::new(entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect())
    }

    #[test]
    fn fingerprints_tell_credentials_apart_and_depend_on_the_salt() {
        let one = credentials(&[("accessKeyId", "A"), ("secretAccessKey", "B")]);
        let same = credentials(&[("secretAccessKey", "B"), ("accessKeyId", "A")]);
        let shifted = credentials(&[("accessKeyId", "AB"), ("secretAccessKey", "")]);
        assert_eq!(one.fingerprint("c"), same.fingerprint("c"));
        assert_ne!(one.fingerprint("c"), shifted.fingerprint("c"));
        assert_ne!(one.fingerprint("c"), one.fingerprint("d"));
        assert_eq!(one.fingerprint("c").len(), 32);
    }
}
