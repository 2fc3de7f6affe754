//! A component from a registry: the tag is resolved to a manifest, the manifest's signature is verified, and the
//! component is what the manifest names.
//!
//! What is in the store needs no registry: a start, and a reference that is pinned, ask nobody. A tag is looked up
//! again from time to time, and at once when the annotation `kompox.dev/reconcile-requested-at` changes. Secrets are
//! read whenever the registry is asked; a watch of their metadata says when they change.

mod refusals;
mod secrets;

use super::{
    Shell, component,
    found::{Component, Found, Version, refused},
    report::{Refusal, Stage},
};
use crate::controllers::Error;
use kompox_crds::{
    Reason,
    names::annotations,
    v1alpha1::driver::{KompoxDriver, OciSource},
};
use kompox_oci::{Credentials, Reference, Resolved, SILENT};
use kompox_signature::{Policy, Subject};
use kube::ResourceExt as _;
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    time::Duration,
};

/// The background look after a start.
const SOON: Duration = Duration::from_secs(5);
/// The next attempt where the registry did not answer.
const RETRY: Duration = Duration::from_secs(60);

/// What is asked for.
struct Wish<'a> {
    shell: &'a Shell,
    name: String,
    source: &'a OciSource,
    reference: Reference,
    /// Who must have signed.
    signer: Option<Policy>,
    /// The digest that the component must have.
    pin: Option<&'a str>,
}

/// A component with what was verified of it.
type Taken = Result<(Component, Option<String>), Refusal>;

/// The component that `source` names.
pub(super) async fn find(
    shell: &Shell,
    driver: &KompoxDriver,
    source: &OciSource,
    pin: Option<&str>,
) -> Result<Found, Error> {
    let reference: Reference = match source.reference.parse() {
        Ok(reference) => reference,
        Err(error) => {
            let message = format!("`spec.source.oci.reference`: {error}");
            return Ok(Found::refused(Refusal::new(Stage::Fetched, Reason::InvalidSpec, message)));
        }
    };
    let signer = match secrets::signer(shell, source).await? {
        Ok(signer) => signer,
        Err(refusal) => return Ok(Found::refused(refusal)),
    };
    let wish = Wish { shell, name: driver.name_any(), source, reference, signer, pin };
    wish.find(is_forced(driver)).await
}

/// Whether somebody asked for a look since the last one.
fn is_forced(driver: &KompoxDriver) -> bool {
    let asked = driver.annotations().get(annotations::RECONCILE_REQUESTED_AT);
    let handled = driver.status.as_ref().and_then(|status| status.last_handled_reconcile_at.as_ref());
    asked.is_some() && asked != handled
}

impl Wish<'_> {
    async fn find(&self, forced: bool) -> Result<Found, Error> {
        let stored = self.stored().await;
        let first = self.shell.sources.is_new(&self.name);
        let asked = self.shell.sources.asked(&self.name, &self.reference);
        let due = !self.is_pinned() && asked.is_none_or(|ago| ago >= self.interval());
        if let Some(stored) = stored.as_ref().filter(|_| !forced && (first || !due))
            && let Ok((component @ Ok(_), verified_by)) = self.take(stored, None).await
        {
            let again = match asked {
                _ if self.is_pinned() => None,
                None => Some(SOON + self.interval() / 100),
                Some(ago) => Some(self.interval().saturating_sub(ago)),
            };
            return Ok(Found { component, verified_by, note: None, again });
        }
        let credentials = match secrets::credentials(self.shell, self.source).await? {
            Ok(credentials) => credentials,
            Err(refusal) => return Ok(Found::refused(refusal)),
        };
        Ok(self.ask(stored, &credentials).await)
    }

    /// Asks the registry; where it does not answer, what it said before still holds.
    async fn ask(&self, stored: Option<Resolved>, credentials: &Credentials) -> Found {
        let again = (!self.is_pinned()).then(|| self.interval());
        let resolved = self.shell.artifacts.puller.resolve(&self.reference, credentials).await;
        let taken = match resolved {
            Ok(resolved) => {
                self.shell.sources.asked_now(&self.name, &self.reference);
                self.take(&resolved, Some(credentials)).await
            }
            Err(error) => Err(self.refusal(&error, credentials)),
        };
        match (taken, stored) {
            (Ok((component, verified_by)), _) => Found { component, verified_by, note: None, again },
            (Err(refusal), Some(stored)) if refusal.reason == Reason::RegistryUnreachable => {
                let note = format!("the registry could not be asked again: {}", refusal.message);
                match self.take(&stored, None).await {
                    Ok((component, verified_by)) => {
                        Found { component, verified_by, note: Some(note), again: Some(RETRY) }
                    }
                    Err(_) => Found { again: Some(RETRY), ..Found::refused(refusal) },
                }
            }
            (Err(refusal), _) => {
                let after =
                    if refusal.reason == Reason::RegistryUnreachable { RETRY } else { self.interval() };
                Found { again: Some(after), ..Found::refused(refusal) }
            }
        }
    }

    /// What the store knows of the reference. What it cannot say is asked of the registry.
    async fn stored(&self) -> Option<Resolved> {
        let found = self.shell.artifacts.puller.stored(&self.reference).await;
        found.inspect_err(|error| tracing::debug!(%error, "nothing usable in the store")).ok().flatten()
    }

    /// Verifies and loads; without credentials only what is in the store is used.
    async fn take(&self, resolved: &Resolved, credentials: Option<&Credentials>) -> Taken {
        let verified_by = match &self.signer {
            Some(signer) => Some(self.verify(signer, resolved, credentials).await?),
            None => None,
        };
        let version = Version::Artifact {
            manifest: resolved.digest().to_string(),
            pin: self.pin.map(str::to_owned),
            verified_by: verified_by.clone(),
        };
        if let Some(known) = self.shell.sources.known(&self.name, &version) {
            return Ok((known, verified_by));
        }
        let bytes = self.bytes(resolved, credentials).await?;
        component::verify(&bytes, self.pin)?;
        self.shell.artifacts.keep(&bytes);
        let component = self.shell.runtime.load(bytes).await.map_err(|error| refused(&error));
        self.shell.sources.keep(self.name.clone(), version, component.clone());
        Ok((component, verified_by))
    }

    async fn bytes(
        &self,
        resolved: &Resolved,
        credentials: Option<&Credentials>,
    ) -> Result<Vec<u8>, Refusal> {
        let puller = &self.shell.artifacts.puller;
        let nobody = Credentials::none();
        let pulled = match credentials {
            Some(credentials) => puller.component(resolved, credentials, SILENT).await.map(Some),
            None => puller.stored_component(resolved).await,
        };
        let component = pulled.map_err(|error| self.refusal(&error, credentials.unwrap_or(&nobody)))?;
        component.map(|bytes| bytes.to_vec()).ok_or_else(|| {
            Refusal::new(
                Stage::Fetched,
                Reason::ArtifactNotFound,
                "the component is not in the operator's store",
            )
        })
    }

    /// A good signature vouches for the manifest's digest, by which everything else is named.
    async fn verify(
        &self,
        signer: &Policy,
        resolved: &Resolved,
        credentials: Option<&Credentials>,
    ) -> Result<String, Refusal> {
        let puller = &self.shell.artifacts.puller;
        let nobody = Credentials::none();
        let signatures = match credentials {
            Some(credentials) => puller.signatures(resolved, credentials).await,
            None => puller.stored_signatures(resolved).await,
        };
        let signatures = signatures.map_err(|error| self.refusal(&error, credentials.unwrap_or(&nobody)))?;
        let evidence: Vec<_> = signatures.iter().flat_map(kompox_oci::Image::evidence).collect();
        let subject = Subject::new(&self.reference.name(), resolved.digest().as_str())
            .map_err(|error| Refusal::new(Stage::Verified, Reason::InvalidSpec, error.to_string()))?;
        let verified = signer.verify(&subject, &evidence);
        verified.map(|verified| verified.to_string()).map_err(|refusal| refusals::unverified(&refusal))
    }

    fn refusal(&self, error: &kompox_oci::Error, credentials: &Credentials) -> Refusal {
        refusals::unfetched(
            error,
            &refusals::Setting {
                secret: self.source.pull_secret_ref.as_ref().map(|secret| secret.name.as_str()),
                namespace: &self.shell.context.operator_namespace,
                reference: &self.reference,
                credentials,
            },
        )
    }

    fn is_pinned(&self) -> bool {
        self.reference.digest().is_some()
    }

    /// Spread, so that many drivers do not ask at the same moment: up to a tenth longer, by name.
    fn interval(&self) -> Duration {
        spread(self.shell.artifacts.interval, &self.name)
    }
}

fn spread(interval: Duration, name: &str) -> Duration {
    let mut hash = DefaultHasher::new();
    name.hash(&mut hash);
    // The upper 32 bits as a fraction of one.
    let fraction = (hash.finish() >> 32) as f64 / f64::from(u32::MAX);
    interval + interval.mul_f64(fraction / 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_ask_at_moments_of_their_own() {
        let interval = Duration::from_secs(600);
        let moments: std::collections::BTreeSet<_> =
            ["a", "b", "c", "d"].map(|name| spread(interval, name)).into();
        assert_eq!(moments.len(), 4);
        assert!(moments.iter().all(|at| *at >= interval && *at <= interval.mul_f64(1.1)));
    }

    #[test]
    fn a_look_is_forced_once_for_each_request() {
        let mut driver = KompoxDriver::new("a", Default::default());
        assert!(!is_forced(&driver));
        let request = annotations::RECONCILE_REQUESTED_AT.to_owned();
        driver.annotations_mut().insert(request, "1".to_owned());
        assert!(is_forced(&driver));
        driver.status.get_or_insert_default().last_handled_reconcile_at = Some("1".to_owned());
        assert!(!is_forced(&driver));
    }
}
