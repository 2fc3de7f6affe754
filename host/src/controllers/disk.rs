//! The controller of KompoxDisks: reads, writes and calls; what to do is decided in `kompox_core::disk`.
//!
//! One turn: `dereference` → (`decide` → `observe` | `act`)* → `update_status`.

mod act;
mod dereference;
mod observe;
mod storage_class;
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
use k8s_openapi::api::{
    core::v1::{PersistentVolume, Secret},
    storage::v1::VolumeAttachment,
};
use kompox_core::{
    cloud::Problem,
    disk::{self, Observed, Step, Verdict},
};
use kompox_crds::{
    names::labels,
    v1alpha1::{KompoxDisk, KompoxSnapshot},
};
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
pub const NAME: &str = "disk";

/// `action` of its events.
const ACTION: &str = "ReconcileDisk";

/// What this controller has beside the common context.
struct Shell {
    context: Arc<Context>,
    providers: Arc<Providers>,
    memory: Memory,
    disks: Store<KompoxDisk>,
    volumes: Store<PersistentVolume>,
    attachments: Store<VolumeAttachment>,
    classes: storage_class::Classes,
}

/// One disk's turn.
struct DiskTurn<'a> {
    shell: &'a Shell,
    observed: Observed,
    resolved: Result<Resolved, Problem>,
}

/// Runs the controller until `shutdown`.
pub async fn run(context: Arc<Context>, providers: Arc<Providers>, shutdown: Shutdown) {
    let controller = Controller::<KompoxDisk>::new(&context, NAME);
    let disks = controller.store();
    let (controller, volumes) = controller.caches(
        context.all(),
        watches::labelled(labels::DISK_UID),
        |volume: &PersistentVolume, _| disk_of(volume).into_iter().collect(),
    );
    let (controller, attachments) = controller.caches(context.all(), watches::config(), disk_attached_by);
    let secrets = Arc::clone(&providers);
    let controller = controller.when_drivers_change(providers.changes(), served_by);
    let controller = controller
        .relates(context.watched(), watches::config(), move |secret: &PartialObjectMeta<Secret>, store| {
            secrets.forget_secret(&secret.namespace().unwrap_or_default(), &secret.name_any());
            users_of_secret(secret, store)
        })
        .relates(context.watched(), watches::config(), restores_of);
    let shell = Arc::new(Shell {
        context: Arc::clone(&context),
        providers,
        memory: Memory::default(),
        disks,
        volumes,
        attachments,
        classes: storage_class::Classes::default(),
    });
    controller.run(move |disk, _| reconcile(disk, Arc::clone(&shell)), &shutdown).await;
}

async fn reconcile(disk: Arc<KompoxDisk>, shell: Arc<Shell>) -> Result<Action, Error> {
    let mut turn = dereference::begin(&shell, &disk).await?;
    let Some(rest) = turn::play(&mut turn).await? else {
        shell.memory.forget(&watches::uid(&*disk));
        return Ok(Action::await_change());
    };
    update_status::write(&turn, &rest.verdict).await?;
    turn::conclude(rest.verdict.problem(), rest.retry)
}

impl Turn for DiskTurn<'_> {
    type Read = disk::Read;
    type Act = disk::Act;
    type Verdict = Verdict;

    fn decide(&self) -> Step {
        disk::decide(&self.observed)
    }

    async fn read(&mut self, read: disk::Read) -> Result<(), Interruption> {
        observe::read(self, read).await
    }

    async fn act(&mut self, act: disk::Act) -> Result<(), Interruption> {
        act::perform(self, act).await
    }
}

/// Whether a driver of one of these types serves the disk, or could.
fn served_by(disk: &KompoxDisk, types: &BTreeSet<String>) -> bool {
    let recorded = disk.status.as_ref().and_then(|status| status.provider.as_ref()?.type_.as_ref());
    let named = recorded.or_else(|| (!disk.spec.provider.is_auto()).then_some(&disk.spec.provider.type_));
    named.is_none_or(|type_| types.contains(type_))
}

/// The disk that a PersistentVolume of ours says it belongs to.
fn disk_of(volume: &PersistentVolume) -> Option<ObjectRef<KompoxDisk>> {
    let (namespace, name) = volume.annotations().get(labels::DISK)?.split_once('/')?;
    Some(ObjectRef::new(name).within(namespace))
}

/// The disk whose volume an attachment is about.
fn disk_attached_by(attachment: &VolumeAttachment, store: &Store<KompoxDisk>) -> Vec<ObjectRef<KompoxDisk>> {
    let volume = attachment.spec.source.persistent_volume_name.as_deref();
    let disk = store.find(|disk| volume == Some(disk::volume_name(&disk.uid().unwrap_or_default()).as_str()));
    disk.iter().map(|disk| ObjectRef::from_obj(&**disk)).collect()
}

fn users_of_secret(
    secret: &PartialObjectMeta<Secret>,
    store: &Store<KompoxDisk>,
) -> Vec<ObjectRef<KompoxDisk>> {
    let (namespace, name) = (secret.namespace(), secret.name_any());
    let uses = |disk: &KompoxDisk| {
        let reference = disk.spec.provider.credentials_secret_ref.as_ref();
        disk.namespace() == namespace && reference.is_some_and(|reference| reference.name == name)
    };
    store.state_filter(uses).iter().map(|disk| ObjectRef::from_obj(&**disk)).collect()
}

/// Disks that wait to be restored from a snapshot.
fn restores_of(
    snapshot: &PartialObjectMeta<KompoxSnapshot>,
    store: &Store<KompoxDisk>,
) -> Vec<ObjectRef<KompoxDisk>> {
    let (namespace, name) = (snapshot.namespace(), snapshot.name_any());
    let waits = |disk: &KompoxDisk| {
        let source = disk.spec.source.as_ref().and_then(|source| source.snapshot_ref.as_ref());
        let made = disk.status.as_ref().is_some_and(|status| status.handle.is_some());
        !made && disk.namespace() == namespace && source.is_some_and(|source| source.name == name)
    };
    store.state_filter(waits).iter().map(|disk| ObjectRef::from_obj(&**disk)).collect()
}
