//! The controller of KompoxSnapshots; what to do is decided in `kompox_core::snapshot`.
//!
//! One turn: `dereference` → (`decide` → `observe` | `act`)* → `update_status`.

mod act;
mod dereference;
mod observe;
mod update_status;

use crate::{
    context::Context,
    controllers::{Controller, Error},
    memory::Memory,
    providers::{Providers, Resolved},
    shutdown::Shutdown,
    turn::{self, Interruption, Turn},
    watches,
};
use k8s_openapi::api::core::v1::Secret;
use kompox_core::{
    cloud::Problem,
    snapshot::{self, Observed, Step, Verdict},
};
use kompox_crds::v1alpha1::{KompoxDisk, KompoxSnapshot, LocalRef};
use kube::{
    ResourceExt as _,
    core::PartialObjectMeta,
    runtime::{
        controller::Action,
        reflector::{ObjectRef, Store},
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// The controller's name in logs, metrics and events.
pub const NAME: &str = "snapshot";

/// `action` of its events.
const ACTION: &str = "ReconcileSnapshot";

/// What this controller has beside the common context.
struct Shell {
    context: Arc<Context>,
    providers: Arc<Providers>,
    memory: Memory,
}

/// One snapshot's turn.
struct SnapshotTurn<'a> {
    shell: &'a Shell,
    observed: Observed,
    resolved: Result<Resolved, Problem>,
}

/// Runs the controller until `shutdown`.
pub async fn run(context: Arc<Context>, providers: Arc<Providers>, shutdown: Shutdown) {
    let changes = providers.changes();
    let shell = Arc::new(Shell { context: Arc::clone(&context), providers, memory: Memory::default() });
    Controller::<KompoxSnapshot>::new(&context, NAME)
        .relates(context.watched(), watches::config(), snapshots_of_disk)
        .relates(context.watched(), watches::config(), users_of_secret)
        .when_drivers_change(changes, served_by)
        .run(move |snapshot, _| reconcile(snapshot, Arc::clone(&shell)), &shutdown)
        .await;
}

async fn reconcile(snapshot: Arc<KompoxSnapshot>, shell: Arc<Shell>) -> Result<Action, Error> {
    let mut turn = dereference::begin(&shell, &snapshot).await?;
    let Some(rest) = turn::play(&mut turn).await? else {
        shell.memory.forget(&watches::uid(&*snapshot));
        return Ok(Action::await_change());
    };
    update_status::write(&turn, &rest.verdict).await?;
    turn::conclude(rest.verdict.problem(), rest.retry)
}

impl Turn for SnapshotTurn<'_> {
    type Read = snapshot::Read;
    type Act = snapshot::Act;
    type Verdict = Verdict;

    fn decide(&self) -> Step {
        snapshot::decide(&self.observed)
    }

    async fn read(&mut self, read: snapshot::Read) -> Result<(), Interruption> {
        observe::read(self, read).await
    }

    async fn act(&mut self, act: snapshot::Act) -> Result<(), Interruption> {
        act::perform(self, act).await
    }
}

/// Whether a driver of one of these types serves the snapshot, or could.
fn served_by(snapshot: &KompoxSnapshot, types: &BTreeSet<String>) -> bool {
    let recorded = snapshot.status.as_ref().and_then(|status| status.provider.as_ref()?.type_.as_ref());
    let own = snapshot.spec.provider.as_ref().filter(|provider| !provider.is_auto());
    recorded.or(own.map(|provider| &provider.type_)).is_none_or(|type_| types.contains(type_))
}

/// Snapshots that wait for a disk.
fn snapshots_of_disk(
    disk: &PartialObjectMeta<KompoxDisk>,
    store: &Store<KompoxSnapshot>,
) -> Vec<ObjectRef<KompoxSnapshot>> {
    let names = |reference: &LocalRef| reference.name == disk.name_any();
    waiting(store, disk.namespace().as_deref(), |snapshot| snapshot.spec.disk_ref.as_ref().is_some_and(names))
}

/// Snapshots that name a Secret themselves; those of a disk's Secret follow their disk.
fn users_of_secret(
    secret: &PartialObjectMeta<Secret>,
    store: &Store<KompoxSnapshot>,
) -> Vec<ObjectRef<KompoxSnapshot>> {
    let names = |reference: &LocalRef| reference.name == secret.name_any();
    waiting(store, secret.namespace().as_deref(), |snapshot| {
        let provider = snapshot.spec.provider.as_ref();
        provider.and_then(|provider| provider.credentials_secret_ref.as_ref()).is_some_and(names)
    })
}

fn waiting(
    store: &Store<KompoxSnapshot>,
    namespace: Option<&str>,
    wanted: impl Fn(&KompoxSnapshot) -> bool,
) -> Vec<ObjectRef<KompoxSnapshot>> {
    let taken =
        |snapshot: &KompoxSnapshot| snapshot.status.as_ref().is_some_and(|s| s.snapshot_handle.is_some());
    let found = store.state_filter(|s| {
        s.namespace().as_deref() == namespace
            && (!taken(s) || s.metadata.deletion_timestamp.is_some())
            && wanted(s)
    });
    found.iter().map(|snapshot| ObjectRef::from_obj(&**snapshot)).collect()
}
