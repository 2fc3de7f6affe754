//! From `spec.provider` to a driver that can be called: which driver, with which configuration and which
//! credentials. What a driver answers is not judged here.
//!
//! Credentials are read from the object's own namespace, only when a call needs them, and kept for
//! seconds; they go to the driver runtime and nowhere else.

mod credentials;
mod facts;

use crate::{
    drivers::{Catalog, Changes, Settings},
    reads,
};
use credentials::CredentialCache;
use facts::FactsCache;
use kompox_core::{
    cloud::{Problem, Retry},
    disk,
    driver::{Attributes, Call, ClusterIdentity, Credentials, Detection, Driver, Drivers, Feature},
};
use kompox_crds::{
    reasons::Reason,
    v1alpha1::{ProviderSpec, ProviderStatus},
};
use kube::Client;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long one driver call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// How long one driver may think about the cluster: it only compares texts. All are asked at once.
const DETECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What asks for a driver.
#[derive(Clone, Copy, Debug)]
pub struct Asker<'a> {
    /// Namespace of the object; its Secret lives there.
    pub namespace: &'a str,
    /// `Kind/namespace/name`, for logs.
    pub subject: &'a str,
    /// `spec.provider`.
    pub spec: &'a ProviderSpec,
    /// `status.provider` once something was made: the type is pinned then.
    pub pinned: Option<&'a ProviderStatus>,
}

/// A driver, ready for calls on behalf of one object.
#[derive(Clone)]
pub struct Resolved {
    /// The driver.
    pub driver: Arc<dyn Driver>,
    /// The context of its calls.
    pub call: Call,
    /// What decisions need to know of it.
    pub provider: disk::Provider,
}

/// Finds drivers for objects.
pub struct Providers {
    client: Client,
    catalog: Arc<Catalog>,
    drivers: Arc<dyn Drivers>,
    operator_namespace: String,
    cluster: ClusterIdentity,
    credentials: CredentialCache,
    facts: FactsCache,
}

impl Providers {
    /// Finds among the drivers of `catalog`. Credentials that objects share are read in
    /// `operator_namespace`.
    #[must_use]
    pub fn new(
        client: Client,
        catalog: Arc<Catalog>,
        cluster: ClusterIdentity,
        operator_namespace: String,
    ) -> Self {
        Self {
            client,
            drivers: catalog.drivers(),
            catalog,
            operator_namespace,
            cluster,
            credentials: CredentialCache::default(),
            facts: FactsCache::default(),
        }
    }

    /// Forgets a Secret that has changed.
    pub fn forget_secret(&self, namespace: &str, name: &str) {
        self.credentials.forget(namespace, name);
    }

    /// The driver for `asker`, or why there is none.
    ///
    /// # Errors
    /// The outer error is a failed read of the API server; the inner one is for the object's status.
    pub async fn resolve(&self, asker: Asker<'_>) -> Result<Result<Resolved, Problem>, reads::Error> {
        let (type_, derived) = match decided(asker.spec, asker.pinned) {
            Some(type_) if asker.spec.is_auto() => {
                let derived = self.derive(&type_, asker).await?;
                (type_, derived)
            }
            Some(type_) => (type_, Attributes::new()),
            None => match self.detect(asker).await? {
                Ok(detection) => (detection.provider_type, detection.config),
                Err(problem) => return Ok(Err(problem)),
            },
        };
        let settings = self.catalog.settings(&type_);
        let credentials = match self.credentials(asker, &settings).await? {
            Ok(credentials) => credentials,
            Err(problem) => return Ok(Err(problem)),
        };
        Ok(config(asker.spec, derived, &settings)
            .and_then(|config| self.ready(asker, type_, config, credentials, &settings)))
    }

    fn ready(
        &self,
        asker: Asker<'_>,
        type_: String,
        config: Attributes,
        credentials: Credentials,
        settings: &Settings,
    ) -> Result<Resolved, Problem> {
        let Some(driver) = self.drivers.for_type(&type_) else { return Err(self.no_driver(&type_, asker)) };
        let Some(described) = driver.descriptor().provider(&type_) else {
            return Err(self.no_driver(&type_, asker));
        };
        if credentials.is_empty() && described.credentials.iter().any(|key| key.required) {
            return Err(Problem::stalled(
                Reason::CredentialsMissing,
                format!(
                    "provider `{type_}` needs credentials: set `spec.provider.credentialsSecretRef` to a Secret of this namespace"
                ),
            ));
        }
        let provider = disk::Provider {
            type_: type_.clone(),
            driver: driver.descriptor().name.clone(),
            version: driver.descriptor().version.clone(),
            digest: driver.digest().to_owned(),
            region: config.get("region").cloned(),
            consistency: described.consistency(),
            clones: described.has(Feature::Clone),
            tags: described.has(Feature::Tags),
            fingerprint: credentials.fingerprint(&self.cluster.uid),
            adoption: settings.adoption.unwrap_or_default(),
        };
        let call = self.call(type_, config, credentials, asker.subject);
        let call = Call { timeout: settings.call_timeout.unwrap_or(CALL_TIMEOUT), ..call };
        Ok(Resolved { driver, call, provider })
    }

    fn call(
        &self,
        provider_type: String,
        config: Attributes,
        credentials: Credentials,
        subject: &str,
    ) -> Call {
        Call {
            provider_type,
            config,
            cluster: self.cluster.clone(),
            credentials,
            subject: subject.to_owned(),
            timeout: CALL_TIMEOUT,
        }
    }

    /// The object's own credentials, else those that the administrator shares.
    async fn credentials(
        &self,
        asker: Asker<'_>,
        settings: &Settings,
    ) -> Result<Result<Credentials, Problem>, reads::Error> {
        let Some(reference) = &asker.spec.credentials_secret_ref else {
            return self.shared_credentials(settings).await;
        };
        let found = self.credentials.read(&self.client, asker.namespace, &reference.name).await?;
        Ok(found.ok_or_else(|| {
            let message = format!(
                "Secret `{}` does not exist in namespace `{}`; create it, or correct `spec.provider.credentialsSecretRef`",
                reference.name, asker.namespace
            );
            Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::CredentialsMissing, message) }
        }))
    }

    async fn shared_credentials(
        &self,
        settings: &Settings,
    ) -> Result<Result<Credentials, Problem>, reads::Error> {
        let Some(name) = &settings.credentials else { return Ok(Ok(Credentials::default())) };
        let found = self.credentials.read(&self.client, &self.operator_namespace, name).await?;
        Ok(found.ok_or_else(|| {
            let message = "the credentials that this provider's driver shares are not there; tell the administrator \
                 to create the Secret that `credentialsSecretRef` of its KompoxDriver names, or set \
                 `spec.provider.credentialsSecretRef`";
            Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::CredentialsMissing, message) }
        }))
    }

    /// The changes of drivers from now on.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.catalog.changes()
    }

    fn no_driver(&self, type_: &str, asker: Asker<'_>) -> Problem {
        let known = self.drivers.types().join(", ");
        if asker.pinned.is_some_and(|status| status.type_.is_some()) {
            let message =
                format!("the driver for provider `{type_}` is not loaded (loaded: {known}); put it back");
            return Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::DriverMissing, message) };
        }
        let message = format!("`spec.provider.type`: no driver serves `{type_}`; loaded are: {known}");
        Problem::stalled(Reason::UnknownProvider, message)
    }

    /// Whether the driver is the one that would be called for what it found.
    fn serves(&self, driver: &Arc<dyn Driver>, detection: &Detection) -> bool {
        let serving = self.drivers.for_type(&detection.provider_type);
        serving.is_some_and(|serving| {
            serving.digest() == driver.digest() && serving.descriptor().name == driver.descriptor().name
        })
    }

    /// Asks every driver whether it knows this cluster; the highest score wins, a tie decides nothing.
    async fn detect(&self, asker: Asker<'_>) -> Result<Result<Detection, Problem>, reads::Error> {
        let mut found: BTreeMap<u8, Vec<Detection>> = BTreeMap::new();
        for detection in self.detections(&self.drivers.all(), asker.subject).await? {
            found.entry(detection.score).or_default().push(detection);
        }
        Ok(choose(found, &self.drivers.types()))
    }

    /// The settings that the driver of a type finds in the cluster, for an object whose type was found so before.
    async fn derive(&self, type_: &str, asker: Asker<'_>) -> Result<Attributes, reads::Error> {
        let serving: Vec<Arc<dyn Driver>> = self.drivers.for_type(type_).into_iter().collect();
        let found = self.detections(&serving, asker.subject).await?;
        Ok(derived(type_, found, asker.pinned))
    }

    async fn detections(
        &self,
        drivers: &[Arc<dyn Driver>],
        subject: &str,
    ) -> Result<Vec<Detection>, reads::Error> {
        let facts = self.facts.read(&self.client).await?;
        let call = self.call(String::new(), Attributes::new(), Credentials::default(), subject);
        let call = Call { timeout: DETECT_TIMEOUT, ..call };
        let answers =
            futures::future::join_all(drivers.iter().map(|driver| driver.detect(&call, &facts))).await;
        let mut found = Vec::new();
        for (driver, answer) in drivers.iter().zip(answers) {
            match answer {
                Ok(detections) => {
                    found.extend(detections.into_iter().filter(|found| self.serves(driver, found)));
                }
                Err(error) => tracing::warn!(driver = driver.descriptor().name, %error, "detection failed"),
            }
        }
        Ok(found)
    }
}

/// The best detection's settings for `type_`. The region is the one in which the object was made: it stays there.
fn derived(type_: &str, found: Vec<Detection>, pinned: Option<&ProviderStatus>) -> Attributes {
    let of_type = found.into_iter().filter(|detection| detection.provider_type == type_);
    let best = of_type.max_by_key(|detection| detection.score);
    let mut config = best.map(|detection| detection.config).unwrap_or_default();
    if let Some(region) = pinned.and_then(|status| status.region.clone()) {
        config.insert("region".to_owned(), region);
    }
    config
}

/// The type that needs no detection: the one under which something was made, else the one that the spec names. What
/// exists stays with its provider, whatever the spec or the cluster say later.
fn decided(spec: &ProviderSpec, pinned: Option<&ProviderStatus>) -> Option<String> {
    let pinned = pinned.and_then(|status| status.type_.clone());
    pinned.or_else(|| (!spec.is_auto()).then(|| spec.type_.clone()))
}

/// The best of what was found, if it is better than everything else.
fn choose(mut found: BTreeMap<u8, Vec<Detection>>, loaded: &[String]) -> Result<Detection, Problem> {
    let Some((_, mut best)) = found.pop_last() else {
        return Err(ambiguous("no driver recognises this cluster", loaded));
    };
    match (best.pop(), best.as_slice()) {
        (Some(detection), []) => Ok(detection),
        (last, others) => {
            let types: Vec<String> =
                others.iter().chain(&last).map(|detection| detection.provider_type.clone()).collect();
            Err(ambiguous("several drivers recognise this cluster", &types))
        }
    }
}

/// The settings of a call: detected ones, under the administrator's, under the object's own. With shared
/// credentials an object may set only the keys that the administrator allows.
fn config(spec: &ProviderSpec, derived: Attributes, settings: &Settings) -> Result<Attributes, Problem> {
    let shares = spec.credentials_secret_ref.is_none() && settings.credentials.is_some();
    let allowed = |key: &&String| !shares || settings.tenant_config_keys.contains(*key);
    if let Some(key) = spec.config.keys().find(|key| !allowed(key)) {
        let keys: Vec<&str> = settings.tenant_config_keys.iter().map(String::as_str).collect();
        let message = format!(
            "`spec.provider.config.{key}` may not be set with the driver's shared credentials (allowed: {}); remove it, \
             or set `spec.provider.credentialsSecretRef`",
            if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
        );
        return Err(Problem::stalled(Reason::ConfigNotAllowed, message));
    }
    let mut config = derived;
    config.extend(settings.config.clone());
    config.extend(spec.config.clone());
    Ok(config)
}

fn ambiguous(what: &str, types: &[String]) -> Problem {
    let message = format!("{what}; set `spec.provider.type` to one of: {}", types.join(", "));
    Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::AmbiguousProvider, message) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompox_crds::v1alpha1::LocalRef;

    fn detection(provider_type: &str, score: u8) -> Detection {
        Detection {
            provider_type: provider_type.to_owned(),
            score,
            reason: String::new(),
            config: Attributes::new(),
        }
    }

    #[test]
    fn the_best_detection_wins_and_a_tie_names_its_candidates() {
        type Scores<'a> = &'a [(&'a str, u8)];
        let cases: [(Scores<'_>, Result<&str, &str>); 4] = [
            (&[("eks", 90), ("k3s", 10)], Ok("eks")),
            (&[("eks", 90), ("aks", 90), ("k3s", 99)], Ok("k3s")),
            (&[("aks", 90), ("eks", 90), ("k3s", 10)], Err("one of: aks, eks")),
            (&[], Err("no driver recognises this cluster; set `spec.provider.type` to one of: eks, k3s")),
        ];
        for (detections, expected) in cases {
            let mut found: BTreeMap<u8, Vec<Detection>> = BTreeMap::new();
            for (type_, score) in detections {
                found.entry(*score).or_default().push(detection(type_, *score));
            }
            let chosen = choose(found, &["eks".to_owned(), "k3s".to_owned()]);
            match (chosen, expected) {
                (Ok(chosen), Ok(expected)) => assert_eq!(chosen.provider_type, expected),
                (Err(problem), Err(expected)) => {
                    assert!(problem.message.ends_with(expected), "{}", problem.message);
                    assert_eq!(problem.reason, Reason::AmbiguousProvider);
                }
                (chosen, _) => panic!("{detections:?}: {:?}", chosen.map(|found| found.provider_type)),
            }
        }
    }

    #[test]
    fn what_was_made_stays_with_its_provider() {
        let spec = |type_: &str| ProviderSpec { type_: type_.to_owned(), ..ProviderSpec::default() };
        let pinned =
            |type_: &str| ProviderStatus { type_: Some(type_.to_owned()), ..ProviderStatus::default() };
        for (spec, pinned, expected) in [
            (spec("auto"), None, None),
            (spec("auto"), Some(ProviderStatus::default()), None),
            (spec("auto"), Some(pinned("eks")), Some("eks")),
            (spec("k3s"), None, Some("k3s")),
            (spec("k3s"), Some(pinned("eks")), Some("eks")),
        ] {
            assert_eq!(decided(&spec, pinned.as_ref()).as_deref(), expected, "{spec:?}");
        }
    }

    #[test]
    fn settings_that_were_found_are_found_again_and_the_region_stays() {
        let found = |type_: &str, score, region: &str| Detection {
            config: [("region", region), ("zone", type_)].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            ..detection(type_, score)
        };
        let detections =
            || vec![found("eks", 30, "low"), found("eks", 90, "high"), found("k3s", 99, "other")];
        let status = ProviderStatus { region: Some("made".to_owned()), ..ProviderStatus::default() };
        for (detections, pinned, expected) in [
            (detections(), None, vec![("region", "high"), ("zone", "eks")]),
            (detections(), Some(&status), vec![("region", "made"), ("zone", "eks")]),
            (Vec::new(), Some(&status), vec![("region", "made")]),
            (Vec::new(), None, vec![]),
        ] {
            let config = derived("eks", detections, pinned);
            let pairs: Vec<_> = config.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
            assert_eq!(pairs, expected);
        }
    }

    #[test]
    fn with_shared_credentials_only_the_allowed_keys_may_be_set() {
        let text = |pairs: &[(&str, &str)]| -> Attributes {
            pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
        };
        let settings = |shared: bool| Settings {
            config: text(&[("region", "a"), ("project", "p")]),
            credentials: shared.then(|| "shared".to_owned()),
            tenant_config_keys: ["region".to_owned()].into(),
            ..Settings::default()
        };
        let cases = [
            (true, false, "region", true),
            (true, false, "project", false),
            (true, true, "project", true),
            (false, false, "project", true),
        ];
        for (shared, own, key, allowed) in cases {
            let spec = ProviderSpec {
                config: text(&[(key, "mine")]),
                credentials_secret_ref: own.then(|| LocalRef { name: "own".to_owned() }),
                ..ProviderSpec::default()
            };
            let derived = text(&[("region", "detected"), ("zone", "z")]);
            match config(&spec, derived, &settings(shared)) {
                Ok(merged) => {
                    assert!(allowed, "{key}");
                    assert_eq!((merged[key].as_str(), merged["zone"].as_str()), ("mine", "z"));
                }
                Err(problem) => {
                    assert!(!allowed && problem.reason == Reason::ConfigNotAllowed, "{}", problem.message);
                    assert!(
                        problem.message.contains("`spec.provider.config.project`"),
                        "{}",
                        problem.message
                    );
                }
            }
        }
    }
}
