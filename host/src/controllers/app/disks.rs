//! The hand-over of disks: look at everything live, let the core decide on one step, do it, look again.

use super::restless;
use crate::{context::Context, controllers::Error, reads};
use k8s_openapi::api::{
    core::v1::{PersistentVolume, PersistentVolumeClaim, Pod},
    storage::v1::VolumeAttachment,
};
use kompox_core::{
    app::{
        Activity, AppIdentity, DiskUse, Problem, ValidatedApp,
        volume::{
            GiveBack, OWNER_UID, ObservedVolume, Step, Take, Users, give_back, refuse_mismatches, take,
        },
    },
    naming,
};
use kompox_crds::{KompoxDisk, Reason, names::field_managers, names::labels::DISK};
use kube::{ResourceExt, api::ListParams};
use std::collections::{BTreeMap, BTreeSet};

/// More steps than any hand-over has. A decision that never rests is a fault, not a reason to spin.
const MAX_STEPS: usize = 16;

/// Brings every disk of the app as far as it goes now.
pub(super) async fn take_all(app: &ValidatedApp, context: &Context) -> Result<BTreeMap<String, Take>, Error> {
    let (mut taken, mut volumes) = (BTreeMap::new(), BTreeMap::new());
    for (name, disk_use) in &app.disks {
        let (take, volume) = take_one(app, disk_use, context).await?;
        taken.insert(name.clone(), take);
        volumes.extend(volume.map(|volume| (name.clone(), volume)));
    }
    refuse_mismatches(app, &volumes, &mut taken);
    Ok(taken)
}

/// Whether a disk waits for pods or attachments to go.
pub(super) fn is_draining(disks: &BTreeMap<String, Take>) -> bool {
    disks
        .values()
        .any(|take| matches!(take, Take::Wait(obstacle) if obstacle.reason == Reason::WaitingForRelease))
}

async fn take_one(
    app: &ValidatedApp,
    disk_use: &DiskUse,
    context: &Context,
) -> Result<(Take, Option<PersistentVolume>), Error> {
    let place = Place { app: &app.identity, disk: &disk_use.disk, claim: &disk_use.claim };
    for _ in 0..MAX_STEPS {
        let mut seen = place.observe(context).await?;
        // Lists are dear, and matter only where a claim may be replaced.
        let going = seen.claim.as_ref().is_some_and(|claim| claim.metadata.deletion_timestamp.is_some());
        if going || app.activity == Activity::Hibernated {
            seen.users = Some(place.users(&seen, context).await?);
        }
        match take(&app.identity, app.activity, disk_use, &seen) {
            Take::Do(step) => place.execute(step, &seen, context).await?,
            rest => return Ok((rest, seen.volume)),
        }
    }
    Err(restless())
}

/// Gives back every disk that the app holds and does not mount, as far as it goes now. What is still
/// held is returned with what is in the way.
pub(super) async fn give_back_except(
    app: &AppIdentity,
    kept: &BTreeSet<String>,
    context: &Context,
) -> Result<Vec<Problem>, Error> {
    let mut left = Vec::new();
    for disk in held(app, context).await?.difference(kept) {
        if let Some(problem) = give_back_one(app, disk, context).await? {
            left.push(problem);
        }
    }
    Ok(left)
}

/// The disks that the app has a lock or a claim on. The label of a claim holds a shortened name where
/// the disk's is long; such a disk is then found by its lock.
async fn held(app: &AppIdentity, context: &Context) -> Result<BTreeSet<String>, Error> {
    let disks =
        reads::list::<KompoxDisk>(&context.namespaced(&app.namespace), &ListParams::default()).await?;
    let holds = |disk: &&KompoxDisk| {
        disk.status
            .as_ref()
            .and_then(|status| status.used_by.as_ref())
            .is_some_and(|holder| holder.uid == app.uid)
    };
    let locked = disks.iter().filter(holds).map(ResourceExt::name_any);
    let own = ListParams::default().labels(&format!("{OWNER_UID}={}", app.uid));
    let claims = reads::list::<PersistentVolumeClaim>(&context.namespaced(&app.namespace), &own).await?;
    let claimed = claims.iter().filter_map(|claim| {
        let label = claim.labels().get(DISK)?;
        let by_claim = |disk: &&KompoxDisk| naming::claim(&disk.name_any(), &app.uid) == claim.name_any();
        Some(disks.iter().find(by_claim).map_or_else(|| label.clone(), ResourceExt::name_any))
    });
    Ok(locked.chain(claimed).collect())
}

async fn give_back_one(app: &AppIdentity, disk: &str, context: &Context) -> Result<Option<Problem>, Error> {
    let claim = naming::claim(disk, &app.uid);
    let place = Place { app, disk, claim: &claim };
    for _ in 0..MAX_STEPS {
        let mut seen = place.observe(context).await?;
        seen.users = Some(place.users(&seen, context).await?);
        match give_back(app, &seen) {
            GiveBack::Done => return Ok(None),
            GiveBack::Do(step) => place.execute(step, &seen, context).await?,
            GiveBack::Wait(obstacle) => return Ok(Some(obstacle.about(format!("KompoxDisk/{disk}")))),
        }
    }
    Err(restless())
}

/// One disk, and the claim that the app has or will have on it.
struct Place<'a> {
    app: &'a AppIdentity,
    disk: &'a str,
    claim: &'a str,
}

impl Place<'_> {
    async fn observe(&self, context: &Context) -> Result<ObservedVolume, Error> {
        let disk = reads::find::<KompoxDisk>(&context.namespaced(&self.app.namespace), self.disk).await?;
        let claim =
            reads::find::<PersistentVolumeClaim>(&context.namespaced(&self.app.namespace), self.claim)
                .await?;
        let of_disk = disk.as_ref().and_then(|disk| disk.status.as_ref()?.pv_name.clone());
        let of_claim = claim.as_ref().and_then(|claim| claim.spec.as_ref()?.volume_name.clone());
        let volume = match of_disk.or(of_claim) {
            Some(name) => reads::find::<PersistentVolume>(&context.all(), &name).await?,
            None => None,
        };
        Ok(ObservedVolume { disk, volume, claim, users: None })
    }

    /// Who uses the volume: pods of whatever owner, and nodes.
    async fn users(&self, seen: &ObservedVolume, context: &Context) -> Result<Users, Error> {
        let pods =
            reads::list::<Pod>(&context.namespaced(&self.app.namespace), &ListParams::default()).await?;
        let users = pods.iter().filter(|pod| mounts(pod, self.claim)).map(ResourceExt::name_any);
        let nodes = match &seen.volume {
            Some(volume) => attached_to(&volume.name_any(), context).await?,
            None => Vec::new(),
        };
        Ok(Users { pods: users.collect(), nodes })
    }

    async fn execute(&self, step: Step, seen: &ObservedVolume, context: &Context) -> Result<(), Error> {
        tracing::info!(step = step.as_str(), disk = self.disk, claim = self.claim, "hand-over of a disk");
        let claims = context.namespaced::<PersistentVolumeClaim>(&self.app.namespace);
        let writes = &context.writes;
        let manager = field_managers::APP;
        match (step, &seen.disk, &seen.claim) {
            (Step::TakeLock(lock), Some(disk), _) => {
                let mut status = disk.status.clone().unwrap_or_default();
                status.epoch = Some(lock.epoch);
                status.used_by = Some(lock);
                let disks = context.namespaced::<KompoxDisk>(&self.app.namespace);
                writes.update_status(&disks, disk, status, field_managers::LOCK).await?;
            }
            (Step::ReleaseLock, Some(disk), _) => {
                let mut status = disk.status.clone().unwrap_or_default();
                status.used_by = None;
                let disks = context.namespaced::<KompoxDisk>(&self.app.namespace);
                writes.update_status(&disks, disk, status, field_managers::LOCK).await?;
            }
            (Step::CreateClaim(claim), ..) => {
                let is_ours =
                    |found: &PersistentVolumeClaim| found.labels().get(OWNER_UID) == Some(&self.app.uid);
                writes.create_or_verify(&claims, &*claim, manager, is_ours).await?;
            }
            (Step::HandOver(volume), ..) => {
                writes.replace(&context.all::<PersistentVolume>(), &*volume, manager).await?;
            }
            (Step::Nudge { key, epoch }, _, Some(claim)) => {
                let epoch = epoch.to_string();
                let annotations = BTreeMap::from([(key.as_str(), Some(epoch.as_str()))]);
                writes.annotate(&claims, claim, &annotations, manager).await?;
            }
            (Step::DeleteClaim, _, Some(claim)) => {
                writes.delete(&claims, claim).await?;
            }
            (Step::FreeClaim, _, Some(claim)) => {
                writes
                    .remove_finalizer(&claims, claim, kompox_crds::names::finalizers::CLAIM, manager)
                    .await?;
            }
            // A step is only decided on an object that was seen.
            (
                Step::TakeLock(_)
                | Step::ReleaseLock
                | Step::Nudge { .. }
                | Step::DeleteClaim
                | Step::FreeClaim,
                ..,
            ) => return Err(restless()),
        }
        Ok(())
    }
}

/// Whether a pod that has a node mounts the claim.
fn mounts(pod: &Pod, claim: &str) -> bool {
    let Some(spec) = pod.spec.as_ref().filter(|spec| spec.node_name.is_some()) else { return false };
    spec.volumes.iter().flatten().any(|volume| {
        volume.persistent_volume_claim.as_ref().is_some_and(|source| source.claim_name == claim)
    })
}

async fn attached_to(volume: &str, context: &Context) -> Result<Vec<String>, Error> {
    let attachments = reads::list::<VolumeAttachment>(&context.all(), &ListParams::default()).await?;
    Ok(attachments
        .into_iter()
        .filter(|attachment| attachment.spec.source.persistent_volume_name.as_deref() == Some(volume))
        .map(|attachment| attachment.spec.node_name)
        .collect())
}
