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
use std::{collections::BTreeSet, sync::Arc};

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
    let pinned = object.spec.source.as_ref().is_some_and(|source| source.digest.is_some());
    let digest = seen.in_use.as_ref().map(|used| used.driver.digest().to_owned());
    let mut conditions = Conditions::new(&base.conditions, now, generation);
    for (type_, status, reason, message) in stages(seen.refusal.as_ref(), digest.as_deref(), pinned) {
        conditions.set(type_, status, reason, message);
    }
    let used = seen.in_use.as_ref();
    let types = used.map(|used| types(&used.driver)).unwrap_or_default();
    KompoxDriverStatus {
        observed_generation: Some(generation),
        conditions: conditions.only_set(),
        last_good_digest: digest.clone(),
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
        verified_by: None,
        last_handled_reconcile_at: object.annotations().get(annotations::RECONCILE_REQUESTED_AT).cloned(),
    }
}

type Line = (&'static str, Status, Reason, String);

fn stages(refusal: Option<&Refusal>, in_use: Option<&str>, pinned: bool) -> Vec<Line> {
    let verified = if pinned {
        (Reason::Ready, "the component has the digest in `spec.source.digest`")
    } else {
        (
            Reason::NotApplicable,
            "nothing was asked to be verified; pin the component with `spec.source.digest` to have it checked",
        )
    };
    let good = [
        (FETCHED, Stage::Fetched, (Reason::Ready, "the component was read")),
        (VERIFIED, Stage::Verified, verified),
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
        let lines = stages(refusal, in_use, false);
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
        let ready = stages(Some(&refusal), Some("sha256:1"), false).pop().unwrap();
        assert_eq!(ready.3, "it is no component; the last good component sha256:1 stays in use");
        assert_eq!(stages(Some(&refusal), None, false).pop().unwrap().3, "it is no component");
    }

    #[test]
    fn an_unpinned_component_says_that_nothing_was_verified() {
        let verified = |pinned| stages(None, None, pinned).swap_remove(1);
        assert_eq!(verified(false).2, Reason::NotApplicable);
        assert_eq!(verified(true).2, Reason::Ready);
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
