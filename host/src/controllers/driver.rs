//! The controller of KompoxDrivers: brings components into the operator and says what became of them.
//!
//! One pipeline for every source: bytes (`source`), size and digest (`component`), compilation and
//! description (the driver runtime), then the catalog, which decides by precedence and swaps. A component
//! that does not get through leaves the last good one where it is. What a driver may do is read from the
//! spec in `policy`, the status is made in `report`. Components are kept on disk: a start needs no registry, and an
//! operator that finds something bad goes on with the `last_good` component, also after a restart.

mod component;
mod found;
mod last_good;
mod oci;
mod policy;
mod removal;
mod report;
mod source;
mod trust;

use crate::{
    context::Context,
    controllers::{Controller, Error},
    drivers::{Artifacts, Catalog, Origin},
    events::Event,
    reads,
    refusal::Refusal as ServerRefusal,
    shutdown::Shutdown,
    watches,
};
use found::Found;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kompox_core::driver::Driver as _;
use kompox_crds::{Reason, names::field_managers, v1alpha1::KompoxDriver};
use kompox_driver_runtime::{EgressGrant, LoadedDriver, Runtime};
use kube::{
    Api, ResourceExt as _,
    api::ListParams,
    core::PartialObjectMeta,
    runtime::{
        controller::Action,
        reflector::{ObjectRef, Store},
        watcher,
    },
};
use report::{InUse, Refusal, Seen, Stage};
use source::Sources;
use std::{sync::Arc, time::Duration};
use trust::Accepted;

/// The controller's name in logs, metrics and events.
pub const NAME: &str = "driver";

/// `action` of its events.
const ACTION: &str = "LoadDriver";

/// How long a driver may take to come at a start, before everybody else starts without it.
const START_PATIENCE: Duration = Duration::from_secs(30);

/// What this controller has beside the common context.
pub struct Shell {
    context: Arc<Context>,
    catalog: Arc<Catalog>,
    runtime: Runtime,
    /// What every driver is granted, for development.
    base: EgressGrant,
    artifacts: Artifacts,
    selector: Option<String>,
    sources: Sources,
    accepted: Accepted,
}

impl std::fmt::Debug for Shell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shell").field("selector", &self.selector).finish_non_exhaustive()
    }
}

impl Shell {
    /// A controller of `catalog`, whose components run on `runtime`. `selector` limits the KompoxDrivers;
    /// `base` is granted to each.
    #[must_use]
    pub fn new(
        context: Arc<Context>,
        catalog: Arc<Catalog>,
        runtime: Runtime,
        base: EgressGrant,
        artifacts: Artifacts,
        selector: Option<String>,
    ) -> Self {
        let (sources, accepted) = (Sources::default(), Accepted::default());
        Self { context, catalog, runtime, base, artifacts, selector, sources, accepted }
    }

    /// Takes away the driver of a KompoxDriver that is gone.
    fn remove(&self, name: &str) {
        self.catalog.remove(name);
        self.accepted.forget(name);
        self.artifacts.set_good(name, None);
    }

    fn selected(&self) -> watcher::Config {
        self.selector.as_deref().map_or_else(watches::config, watches::labelled)
    }
}

/// Brings in every driver once, before anything that needs one starts: a restart must not make disks look
/// as if their driver were gone. What fails here is tried again by the controller.
pub async fn prepare(shell: &Shell) {
    let params = ListParams { label_selector: shell.selector.clone(), ..ListParams::default() };
    match reads::list(&shell.context.all::<KompoxDriver>(), &params).await {
        Ok(drivers) => {
            futures::future::join_all(drivers.iter().map(|driver| brought_in_time(shell, driver))).await;
        }
        Err(error) => tracing::warn!(%error, "KompoxDrivers not read yet"),
    }
}

async fn brought_in_time(shell: &Shell, driver: &KompoxDriver) {
    let name = driver.name_any();
    match tokio::time::timeout(START_PATIENCE, bring(shell, driver)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(driver = name, %error, "driver not loaded yet"),
        Err(_) => tracing::warn!(driver = name, "driver not loaded yet: its source takes long to answer"),
    }
}

/// Runs the controller until `shutdown`.
pub async fn run(shell: Arc<Shell>, shutdown: Shutdown) {
    let context = Arc::clone(&shell.context);
    let config_maps: Api<PartialObjectMeta<ConfigMap>> =
        context.namespaced_metadata(&context.operator_namespace);
    let secrets: Api<PartialObjectMeta<Secret>> = context.namespaced_metadata(&context.operator_namespace);
    let controller = Controller::<KompoxDriver>::of_cluster(&context, NAME, shell.selected())
        .relates(config_maps, watches::config(), users_of_config_map)
        .relates(secrets, watches::config(), users_of_secret)
        .when_drivers_change(shell.catalog.changes(), |_, _| true);
    let removal = removal::watch(Arc::clone(&shell), shutdown.clone());
    let reconciling = controller.run(move |driver, _| reconcile(driver, Arc::clone(&shell)), &shutdown);
    futures::join!(removal, reconciling);
}

async fn reconcile(driver: Arc<KompoxDriver>, shell: Arc<Shell>) -> Result<Action, Error> {
    if driver.metadata.deletion_timestamp.is_some() {
        shell.remove(&driver.name_any());
        return Ok(Action::await_change());
    }
    let seen = bring(&shell, &driver).await?;
    let again = seen.again;
    update_status(&shell, &driver, seen).await?;
    Ok(again.map_or_else(Action::await_change, Action::requeue))
}

/// Takes the component as far as it gets, and returns how far that was.
async fn bring(shell: &Shell, driver: &KompoxDriver) -> Result<Seen, Error> {
    let name = driver.name_any();
    let Found { component, verified_by, note, again } = source::component(shell, driver).await?;
    let (fresh, mut refusal) = match component {
        Ok(component) => (Some(component), refused_update(shell, driver).or_else(|| refused_bundle(driver))),
        Err(refusal) => (None, Some(refusal)),
    };
    let last_good = match (shell.catalog.of_owner(&name), &refusal) {
        (None, Some(refusal)) if fresh.is_none() => last_good::load(shell, driver, refusal).await,
        (known, _) => known,
    };
    let mut in_use = None;
    for (component, is_fresh) in
        fresh.map(|component| (component, true)).into_iter().chain(last_good.map(|known| (known, false)))
    {
        if is_fresh {
            shell.accepted.remember(&name, component.digest(), &driver.spec);
        }
        match put(shell, driver, &component) {
            Ok(used) => {
                in_use = Some(used);
                break;
            }
            Err(refused) if is_fresh || refusal.is_none() => refusal = Some(refused),
            Err(_) => {}
        }
    }
    // What may not be used under the present spec is not used, however good it was.
    if in_use.is_none() {
        shell.catalog.remove(&name);
    } else if is_gone(shell, driver).await? {
        shell.remove(&name);
        in_use = None;
    }
    if let Some(used) = &in_use {
        shell.artifacts.set_good(&name, used.driver.digest().parse().ok());
    }
    Ok(Seen { in_use, refusal, verified_by, note, again })
}

/// What is wrong with the present file of a built-in driver; what came from it before serves on.
fn refused_update(shell: &Shell, driver: &KompoxDriver) -> Option<Refusal> {
    let built_in = driver.spec.source.is_none();
    let why = built_in.then(|| shell.catalog.registry().refused_update(&driver.name_any())).flatten()?;
    Some(Refusal::new(Stage::Compiled, Reason::DriverIncompatible, why))
}

/// What is wrong with the trust bundle; the one before is believed on, and the rest of the spec holds.
fn refused_bundle(driver: &KompoxDriver) -> Option<Refusal> {
    let why = policy::trust_bundle(driver.spec.egress.as_ref()).err()?;
    Some(Refusal::new(Stage::Ready, Reason::InvalidSpec, why))
}

fn put(shell: &Shell, driver: &KompoxDriver, component: &Arc<LoadedDriver>) -> Result<InUse, Refusal> {
    let spec = shell.accepted.spec_for(&driver.name_any(), component.digest(), &driver.spec);
    let built_in = spec.source.is_none();
    let origin = if built_in {
        Origin::BuiltIn
    } else {
        Origin::Installed(spec.grants.replace_built_in_types.iter().cloned().collect())
    };
    let known = shell.catalog.of_owner(&driver.name_any());
    let (grant, egress) = policy::egress(spec.egress.as_ref(), built_in, &shell.base);
    let before = || known.as_ref().map(|known| known.grant().trust_bundle.clone()).unwrap_or_default();
    let trust_bundle = policy::trust_bundle(spec.egress.as_ref()).unwrap_or_else(|_| before());
    let grant = policy::credentials(EgressGrant { trust_bundle, ..grant }, &spec);
    let same = known.filter(|known| known.digest() == component.digest() && *known.grant() == grant);
    let granted = same.unwrap_or_else(|| component.granted(grant));
    let settings = policy::settings(&spec);
    let changed = shell
        .catalog
        .put(&driver.name_any(), origin, Arc::clone(&granted), settings)
        .map_err(|error| Refusal::new(Stage::Ready, Reason::DriverConflict, error.to_string()))?;
    if changed {
        tracing::info!(driver = driver.name_any(), digest = granted.digest(), "driver in use");
    }
    Ok(InUse { driver: granted, egress })
}

/// Whether the object went meanwhile: its deletion may have been told before its driver came into use.
async fn is_gone(shell: &Shell, driver: &KompoxDriver) -> Result<bool, Error> {
    let api: Api<KompoxDriver> = shell.context.all();
    let found = reads::find_metadata(&api, &driver.name_any()).await?;
    Ok(found.is_none_or(|found| found.metadata.uid != driver.metadata.uid))
}

async fn update_status(shell: &Shell, driver: &KompoxDriver, seen: Seen) -> Result<(), Error> {
    let (context, base) = (&shell.context, driver.status.clone().unwrap_or_default());
    let status = report::status(driver, &base, context.now(), &seen);
    let event = match &seen.refusal {
        Some(refusal) => Some(Event::warning(refusal.reason, ACTION, report::message(refusal, &seen))),
        None if status.digest != base.digest => {
            let digest = status.digest.as_deref().unwrap_or_default();
            Some(Event::normal(Reason::Ready, ACTION, format!("component {digest} is in use")))
        }
        None => None,
    };
    if status == base {
        return Ok(());
    }
    let api: Api<KompoxDriver> = context.all();
    match context.writes.update_status(&api, driver, status, field_managers::DRIVER).await {
        Ok(_) => {}
        Err(error) if error.refusal() == Some(&ServerRefusal::Gone) => return Ok(()),
        Err(error) => return Err(error.into()),
    }
    if let Some(event) = event {
        context.events.publish(driver, event);
    }
    Ok(())
}

/// The drivers whose source names a Secret: to pull, or to verify.
fn users_of_secret(
    secret: &PartialObjectMeta<Secret>,
    store: &Store<KompoxDriver>,
) -> Vec<ObjectRef<KompoxDriver>> {
    let name = secret.name_any();
    let uses = |driver: &KompoxDriver| {
        let oci = driver.spec.source.as_ref().and_then(|source| source.oci.as_ref());
        oci.is_some_and(|oci| {
            let key = oci.verify.as_ref().and_then(|verify| verify.key_secret_ref.as_ref());
            oci.pull_secret_ref.as_ref().is_some_and(|secret| secret.name == name)
                || key.is_some_and(|key| key.name == name)
        })
    };
    store.state_filter(uses).iter().map(|driver| ObjectRef::from_obj(&**driver)).collect()
}

/// The drivers whose component is in a ConfigMap.
fn users_of_config_map(
    config_map: &PartialObjectMeta<ConfigMap>,
    store: &Store<KompoxDriver>,
) -> Vec<ObjectRef<KompoxDriver>> {
    let name = config_map.name_any();
    let uses = |driver: &KompoxDriver| {
        let source = driver.spec.source.as_ref().and_then(|source| source.config_map_ref.as_ref());
        source.is_some_and(|reference| reference.name == name)
    };
    store.state_filter(uses).iter().map(|driver| ObjectRef::from_obj(&**driver)).collect()
}
