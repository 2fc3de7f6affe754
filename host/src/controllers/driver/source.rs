//! Where components come from. The bytes of a ConfigMap are read when its version changed, compiled, and
//! dropped; what is kept in memory is the compiled component or the refusal.

use super::{
    Shell, component,
    found::{Component, Found, Version, refused},
    oci,
    report::{Refusal, Stage},
};
use crate::{controllers::Error, reads};
use k8s_openapi::api::core::v1::ConfigMap;
use kompox_crds::{
    Reason,
    v1alpha1::driver::{DriverSource, KompoxDriver, WasmKeyRef},
};
use kompox_oci::Reference;
use kube::{Api, ResourceExt as _};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// The components that were read, and when registries were asked, by name of their KompoxDriver.
#[derive(Default)]
pub(super) struct Sources {
    known: Mutex<BTreeMap<String, (Version, Component)>>,
    asked: Mutex<BTreeMap<String, (Reference, Instant)>>,
}

impl Sources {
    pub(super) fn known(&self, driver: &str, version: &Version) -> Option<Component> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(driver).filter(|(of, _)| of == version).map(|(_, component)| component.clone())
    }

    pub(super) fn keep(&self, driver: String, version: Version, component: Component) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(driver, (version, component));
    }

    /// Whether nothing was read for a driver since the start.
    pub(super) fn is_new(&self, driver: &str) -> bool {
        !self.known.lock().unwrap_or_else(PoisonError::into_inner).contains_key(driver)
    }

    /// How long ago the registry said what this reference names.
    pub(super) fn asked(&self, driver: &str, reference: &Reference) -> Option<Duration> {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.get(driver).filter(|(of, _)| of == reference).map(|(_, when)| when.elapsed())
    }

    pub(super) fn asked_now(&self, driver: &str, reference: &Reference) {
        let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        asked.insert(driver.to_owned(), (reference.clone(), Instant::now()));
    }
}

/// The component that the spec asks for.
pub(super) async fn component(shell: &Shell, driver: &KompoxDriver) -> Result<Found, Error> {
    match &driver.spec.source {
        None => Ok(built_in(shell, &driver.name_any()).into()),
        Some(DriverSource { config_map_ref: Some(reference), digest, .. }) => {
            config_map(shell, &driver.name_any(), reference, digest.as_deref()).await.map(Found::from)
        }
        Some(DriverSource { oci: Some(source), digest, .. }) => {
            oci::find(shell, driver, source, digest.as_deref()).await
        }
        Some(_) => Ok(Found::refused(Refusal::new(
            Stage::Fetched,
            Reason::InvalidSpec,
            "`spec.source` names neither `configMapRef` nor `oci`",
        ))),
    }
}

fn built_in(shell: &Shell, name: &str) -> Component {
    let registry = shell.catalog.registry();
    registry.built_in(name).ok_or_else(|| {
        let names: Vec<String> = registry.built_in_names().into_iter().collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let message = format!(
            "no built-in driver is called `{name}` (built in: {known}); set `spec.source` for a driver of your own"
        );
        Refusal::new(Stage::Fetched, Reason::DriverMissing, message)
    })
}

async fn config_map(
    shell: &Shell,
    driver: &str,
    reference: &WasmKeyRef,
    pin: Option<&str>,
) -> Result<Component, Error> {
    let api: Api<ConfigMap> = shell.context.namespaced(&shell.context.operator_namespace);
    let Some(found) = reads::find_metadata(&api, &reference.name).await? else {
        return Ok(Err(missing(shell, reference)));
    };
    let version =
        |metadata: &k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta| Version::ConfigMap {
            stored: (metadata.uid.clone(), metadata.resource_version.clone()),
            key: reference.key.clone(),
            pin: pin.map(str::to_owned),
        };
    if let Some(known) = shell.sources.known(driver, &version(&found.metadata)) {
        return Ok(known);
    }
    let Some(mut config_map) = reads::find(&api, &reference.name).await? else {
        return Ok(Err(missing(shell, reference)));
    };
    let version = version(&config_map.metadata);
    let component = match take(&mut config_map, reference) {
        Ok(packed) => load(shell, &reference.key, packed, pin).await,
        Err(refusal) => Err(refusal),
    };
    shell.sources.keep(driver.to_owned(), version, component.clone());
    Ok(component)
}

fn missing(shell: &Shell, reference: &WasmKeyRef) -> Refusal {
    let message = format!(
        "`spec.source.configMapRef`: ConfigMap `{}` does not exist in namespace `{}`; create it there, with the component in `binaryData`",
        reference.name, shell.context.operator_namespace
    );
    Refusal::new(Stage::Fetched, Reason::DriverMissing, message)
}

fn take(config_map: &mut ConfigMap, reference: &WasmKeyRef) -> Result<Vec<u8>, Refusal> {
    let entries = config_map.binary_data.get_or_insert_default();
    let keys: Vec<String> = entries.keys().cloned().collect();
    entries.remove(&reference.key).map(|bytes| bytes.0).ok_or_else(|| {
        let message = format!(
            "`spec.source.configMapRef.key`: ConfigMap `{}` has no key `{}` in `binaryData` (there are: {}); `kubectl create configmap --from-file` puts it there",
            reference.name, reference.key, if keys.is_empty() { "none".to_owned() } else { keys.join(", ") }
        );
        Refusal::new(Stage::Fetched, Reason::DriverMissing, message)
    })
}

async fn load(shell: &Shell, key: &str, packed: Vec<u8>, pin: Option<&str>) -> Component {
    let (key, limit, pin) = (key.to_owned(), shell.runtime.limits().component_bytes, pin.map(str::to_owned));
    let unpacked = tokio::task::spawn_blocking(move || {
        let bytes = component::unpack(&key, &packed, limit)?;
        component::verify(&bytes, pin.as_deref())?;
        Ok(bytes)
    });
    let bytes = unpacked.await.unwrap_or_else(|error| {
        let message = format!("unpacking the component ended unexpectedly: {error}");
        Err(Refusal::new(Stage::Fetched, Reason::OperatorError, message))
    })?;
    shell.artifacts.keep(&bytes);
    shell.runtime.load(bytes).await.map_err(|error| refused(&error))
}
