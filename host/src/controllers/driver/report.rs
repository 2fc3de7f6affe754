//! The status of a KompoxDriver from how far its component got. Pure.

use k8s_openapi::jiff::Timestamp;
use kompox_core::{
    conditions::{Conditions, Status},
    driver::Driver as _,
};
use kompox_crds::{
    Reason,
    conditions::{COMPILED, FETCHED, READY, VERIFIED},
    names::annotations,
    v1alpha1::driver::{EgressStatus, KompoxDriver, KompoxDriverStatus},
};
use kompox_driver_runtime::LoadedDriver;
use kube::ResourceExt as _;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// How far a component gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Its bytes are here.
    Fetched,
    /// They are those that were asked for.
    Verified,
    /// They are a driver.
    Compiled,
    /// It may serve its types.
    Ready,
}

/// Why a component did not get further.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The stage it did not reach.
    pub(super) stage: Stage,
    pub(super) reason: Reason,
    /// What is wrong, and what to do.
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(stage: Stage, reason: Reason, message: impl Into<String>) -> Self {
        Self { stage, reason, message: message.into() }
    }
}

/// The component that serves now.
#[derive(Clone)]
pub(super) struct InUse {
    pub(super) driver: Arc<LoadedDriver>,
    pub(super) egress: EgressStatus,
}

/// What became of the spec.
pub(super) struct Seen {
    pub(super) in_use: Option<InUse>,
    /// Of what is asked for; another one may be in use.
    pub(super) refusal: Option<Refusal>,
    /// Whose signature what is asked for has.
    pub(super) verified_by: Option<String>,
    /// What is worth knowing though it is there.
    pub(super) note: Option<String>,
    /// When to look again though nothing changes in the cluster.
    pub(super) again: Option<Duration>,
}

/// What `Verified` and `Fetched` say of a component that got that far.
#[derive(Clone, Copy, Default)]
struct Checks<'a> {
    pinned: bool,
    verified_by: Option<&'a str>,
    note: Option<&'a str>,
}

impl Checks<'_> {
    fn fetched(self) -> String {
        self.note.map_or_else(
            || "the component was read".to_owned(),
            |note| format!("the component was read before; {note}"),
        )
    }

    fn verified(self) -> (Reason, String) {
        let digest = "the component has the digest in `spec.source.digest`";
        match (self.verified_by, self.pinned) {
            (Some(by), true) => (Reason::Ready, format!("the artifact is signed by {by}; {digest}")),
            (Some(by), false) => (Reason::Ready, format!("the artifact is signed by {by}")),
            (None, true) => (Reason::Ready, digest.to_owned()),
            (None, false) => (
                Reason::NotApplicable,
                "nothing was asked to be verified; pin the component with `spec.source.digest`, or ask for a \
                 signature with `spec.source.oci.verify`, to have it checked"
                    .to_owned(),
            ),
        }
    }
}

/// What `Ready` says of a refusal.
pub(super) fn message(refusal: &Refusal, seen: &Seen) -> String {
    let digest = seen.in_use.as_ref().map(|used| used.driver.digest());
    explained(refusal, digest)
}

fn explained(refusal: &Refusal, in_use: Option<&str>) -> String {
    match in_use {
        Some(digest) => format!("{}; the last good component {digest} stays in use", refusal.message),
        None => refusal.message.clone(),
    }
}

/// The status that follows `base`.
pub(super) fn status(
    object: &KompoxDriver,
    base: &KompoxDriverStatus,
    now: Timestamp,
    seen: &Seen,
) -> KompoxDriverStatus {
    let generation = object.metadata.generation.unwrap_or_default();
    let checks = Checks {
        pinned: object.spec.source.as_ref().is_some_and(|source| source.digest.is_some()),
        verified_by: seen.verified_by.as_deref(),
        note: seen.note.as_deref(),
    };
    let digest = seen.in_use.as_ref().map(|used| used.driver.digest().to_owned());
    let mut conditions = Conditions::new(&base.conditions, now, generation);
    for (type_, status, reason, message) in stages(seen.refusal.as_ref(), digest.as_deref(), checks) {
        conditions.set(type_, status, reason, message);
    }
    let used = seen.in_use.as_ref();
    let types = used.map(|used| types(&used.driver)).unwrap_or_default();
    KompoxDriverStatus {
        observed_generation: Some(generation),
        conditions: conditions.only_set(),
        last_good_digest: digest.clone().or_else(|| base.last_good_digest.clone()),
        verified_by: verified_by(seen, base, digest.as_deref()),
        digest,
        version: used.map(|used| used.driver.descriptor().version.chars().take(64).collect()),
        types: used.map(|_| types.join(",")),
        provider_types: types,
        source: Some(source(object)),
        capabilities: used.map(|used| capabilities(&used.driver)).unwrap_or_default(),
        imports: used
            .map(|used| bounded(used.driver.imports().iter().cloned(), 128, 256))
            .unwrap_or_default(),
        endpoints: used.map(|used| endpoints(&used.driver)).unwrap_or_default(),
        egress: used.map(|used| used.egress.clone()),
        last_handled_reconcile_at: object.annotations().get(annotations::RECONCILE_REQUESTED_AT).cloned(),
    }
}

/// Whose signature the component in use has; the last good one keeps what was verified of it.
fn verified_by(seen: &Seen, base: &KompoxDriverStatus, in_use: Option<&str>) -> Option<String> {
    let found = match seen.refusal {
        None => seen.verified_by.clone(),
        Some(_) => base.verified_by.clone().filter(|_| base.digest.as_deref() == in_use),
    };
    in_use.and(found).map(|text| text.chars().take(1024).collect())
}

type Line = (&'static str, Status, Reason, String);

fn stages(refusal: Option<&Refusal>, in_use: Option<&str>, checks: Checks<'_>) -> Vec<Line> {
    let (fetched, (verified_reason, verified)) = (checks.fetched(), checks.verified());
    let good = [
        (FETCHED, Stage::Fetched, (Reason::Ready, fetched.as_str())),
        (VERIFIED, Stage::Verified, (verified_reason, verified.as_str())),
        (COMPILED, Stage::Compiled, (Reason::Ready, "the component is a driver of this operator's contract")),
        (READY, Stage::Ready, (Reason::Ready, "the driver serves its provider types")),
    ];
    let line = |(type_, stage, (reason, message)): (&'static str, Stage, (Reason, &str))| match refusal {
        Some(refusal) if type_ == READY => (type_, Status::False, refusal.reason, explained(refusal, in_use)),
        Some(refusal) if stage == refusal.stage => {
            (type_, Status::False, refusal.reason, refusal.message.clone())
        }
        Some(refusal) if stage > refusal.stage => {
            (type_, Status::Unknown, Reason::Unknown, "the component did not get this far".to_owned())
        }
        _ => (type_, Status::True, reason, message.to_owned()),
    };
    good.into_iter().map(line).collect()
}

fn source(object: &KompoxDriver) -> String {
    let Some(source) = &object.spec.source else { return "built-in".to_owned() };
    let config_map = source.config_map_ref.as_ref().map(|reference| format!("configmap/{}", reference.name));
    config_map.or_else(|| source.oci.as_ref().map(|oci| oci.reference.clone())).unwrap_or_default()
}

fn types(driver: &LoadedDriver) -> Vec<String> {
    bounded(driver.descriptor().providers.iter().map(|provider| provider.type_.clone()), 16, 63)
}

fn capabilities(driver: &LoadedDriver) -> Vec<String> {
    let interfaces = [("disk-modify", driver.has_disk_modify()), ("snapshot", driver.has_snapshots())];
    let exported = interfaces.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_owned());
    let features = driver.descriptor().providers.iter().flat_map(|provider| provider.features.clone());
    bounded(exported.chain(features), 64, 128)
}

fn endpoints(driver: &LoadedDriver) -> Vec<String> {
    let declared = driver.descriptor().providers.iter().flat_map(|provider| &provider.endpoints);
    bounded(declared.map(|endpoint| host(&endpoint.url).to_owned()), 64, 253)
}

/// The host of a template such as `https://ec2.{config.region}.amazonaws.com/`.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split_once('/').map_or(rest, |(host, _)| host)
}

/// At most `count` texts of at most `length` characters, sorted: what the schema takes.
fn bounded(texts: impl Iterator<Item = String>, count: usize, length: usize) -> Vec<String> {
    let fitting: BTreeSet<String> = texts.filter(|text| text.chars().count() <= length).collect();
    fitting.into_iter().take(count).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(refusal: Option<&Refusal>, in_use: Option<&str>) -> String {
        let lines = stages(refusal, in_use, Checks::default());
        lines.iter().map(|(_, status, ..)| status.as_str().chars().take(1).collect::<String>()).collect()
    }

    #[test]
    fn a_component_is_as_far_as_the_stage_before_the_one_that_refused_it() {
        for (stage, expected) in [
            (Stage::Fetched, "FUUF"),
            (Stage::Verified, "TFUF"),
            (Stage::Compiled, "TTFF"),
            (Stage::Ready, "TTTF"),
        ] {
            assert_eq!(words(Some(&Refusal::new(stage, Reason::DriverMissing, "why")), None), expected);
        }
        assert_eq!(words(None, Some("sha256:1")), "TTTT");
    }

    #[test]
    fn ready_says_that_the_last_good_component_stays() {
        let refusal = Refusal::new(Stage::Compiled, Reason::DriverIncompatible, "it is no component");
        let ready = stages(Some(&refusal), Some("sha256:1"), Checks::default()).pop().unwrap();
        assert_eq!(ready.3, "it is no component; the last good component sha256:1 stays in use");
        assert_eq!(stages(Some(&refusal), None, Checks::default()).pop().unwrap().3, "it is no component");
    }

    #[test]
    fn a_component_says_what_was_verified_of_it() {
        for (pinned, verified_by, reason, expected) in [
            (false, None, Reason::NotApplicable, "nothing was asked"),
            (true, None, Reason::Ready, "has the digest"),
            (false, Some("key k"), Reason::Ready, "is signed by key k"),
            (true, Some("key k"), Reason::Ready, "is signed by key k; the component has the digest"),
        ] {
            let checks = Checks { pinned, verified_by, ..Checks::default() };
            let verified = stages(None, None, checks).swap_remove(1);
            assert_eq!(verified.2, reason);
            assert!(verified.3.contains(expected), "{}", verified.3);
        }
    }

    #[test]
    fn an_outage_of_the_registry_is_told_and_harms_nobody() {
        let checks = Checks { note: Some("the registry could not be asked again"), ..Checks::default() };
        let lines = stages(None, Some("sha256:1"), checks);
        assert!(lines.iter().all(|line| line.1 == Status::True));
        assert!(lines.iter().any(|line| line.3.ends_with("could not be asked again")));
    }

    #[test]
    fn endpoints_show_their_host() {
        for (url, expected) in [
            ("https://ec2.{config.region}.amazonaws.com/", "ec2.{config.region}.amazonaws.com"),
            ("https://*.example:8443/v1/x", "*.example:8443"),
            ("{config.endpoint}", "{config.endpoint}"),
        ] {
            assert_eq!(host(url), expected);
        }
    }
}
