//! From `spec.provider` to a driver that can be called: which driver, with which configuration and which
//! credentials. What a driver answers is not judged here.
//!
//! Credentials are read from the object's own namespace, only when a call needs them, and kept for
//! seconds; they go to the driver runtime and nowhere else.

mod credentials;
mod facts;

use crate::reads;
use credentials::CredentialCache;
use facts::FactsCache;
use kompox_core::{
    cloud::{Problem, Retry},
    disk,
    driver::{
        Attributes, Call, ClusterIdentity, Credentials, Descriptor, Detection, Driver, Drivers, Feature,
    },
};
use kompox_crds::{
    reasons::Reason,
    v1alpha1::{ProviderSpec, ProviderStatus},
};
use kube::Client;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long one driver call may take.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

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
    drivers: Arc<dyn Drivers>,
    cluster: ClusterIdentity,
    credentials: CredentialCache,
    facts: FactsCache,
}

impl Providers {
    /// Finds among `drivers`.
    #[must_use]
    pub fn new(client: Client, drivers: Arc<dyn Drivers>, cluster: ClusterIdentity) -> Self {
        Self {
            client,
            drivers,
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
        let credentials = match self.credentials(asker).await? {
            Ok(credentials) => credentials,
            Err(problem) => return Ok(Err(problem)),
        };
        let pinned = asker.pinned.and_then(|status| status.type_.clone());
        let (type_, derived) =
            match pinned.or_else(|| (!asker.spec.is_auto()).then(|| asker.spec.type_.clone())) {
                Some(type_) => (type_, Attributes::new()),
                None => match self.detect(asker).await? {
                    Ok(detection) => (detection.provider_type, detection.config),
                    Err(problem) => return Ok(Err(problem)),
                },
            };
        Ok(self.ready(asker, type_, derived, credentials))
    }

    fn ready(
        &self,
        asker: Asker<'_>,
        type_: String,
        derived: Attributes,
        credentials: Credentials,
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
        let mut config = derived;
        config.extend(asker.spec.config.clone());
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
        };
        let call = self.call(type_, config, credentials, asker.subject);
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

    async fn credentials(&self, asker: Asker<'_>) -> Result<Result<Credentials, Problem>, reads::Error> {
        let Some(reference) = &asker.spec.credentials_secret_ref else {
            return Ok(Ok(Credentials::default()));
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

    /// Asks every driver whether it knows this cluster; the highest score wins, a tie decides nothing.
    async fn detect(&self, asker: Asker<'_>) -> Result<Result<Detection, Problem>, reads::Error> {
        let facts = self.facts.read(&self.client).await?;
        let mut found: BTreeMap<u8, Vec<Detection>> = BTreeMap::new();
        for driver in self.drivers.all() {
            let call = self.call(String::new(), Attributes::new(), Credentials::default(), asker.subject);
            match driver.detect(&call, &facts).await {
                Ok(detections) => {
                    for detection in detections.into_iter().filter(|d| serves(driver.descriptor(), d)) {
                        found.entry(detection.score).or_default().push(detection);
                    }
                }
                Err(error) => tracing::warn!(driver = driver.descriptor().name, %error, "detection failed"),
            }
        }
        let Some((_, mut best)) = found.pop_last() else {
            return Ok(Err(ambiguous("no driver recognises this cluster", &self.drivers.types())));
        };
        match (best.pop(), best.as_slice()) {
            (Some(detection), []) => Ok(Ok(detection)),
            (last, others) => {
                let types: Vec<String> =
                    others.iter().chain(&last).map(|detection| detection.provider_type.clone()).collect();
                Ok(Err(ambiguous("several drivers recognise this cluster", &types)))
            }
        }
    }
}

fn serves(descriptor: &Descriptor, detection: &Detection) -> bool {
    descriptor.provider(&detection.provider_type).is_some()
}

fn ambiguous(what: &str, types: &[String]) -> Problem {
    let message = format!("{what}; set `spec.provider.type` to one of: {}", types.join(", "));
    Problem { retry: Retry::PERSON, ..Problem::stalled(Reason::AmbiguousProvider, message) }
}
