//! Taking a disk: from whatever is seen towards a bound claim, one step at a time.

use super::claim::{self, LOCK_HOLDER_KIND};
use super::{ObservedVolume, Obstacle, Step, name_of};
use crate::app::validated::{Activity, AppIdentity, DiskUse};
use crate::conditions::find;
use k8s_openapi::api::core::v1::{ObjectReference, PersistentVolume, PersistentVolumeClaim};
use kompox_crds::conditions::READY;
use kompox_crds::v1alpha1::disk::{KompoxDiskStatus, UsedBy, lifecycle};
use kompox_crds::{KompoxDisk, Reason};

/// What to do next about a disk that the app mounts.
#[derive(Clone, Debug, PartialEq)]
pub enum Take {
    /// The claim is bound and the app holds the lock under this epoch: pods may run.
    Ready {
        /// The fencing number.
        epoch: i64,
    },
    /// Do this and look again.
    Do(Step),
    /// Something must happen first; look again when one of the objects changes.
    Wait(Obstacle),
    /// It cannot be done as the spec stands; what runs keeps running.
    Refuse(Obstacle),
}

/// Decides. `activity` matters for one thing: the access mode of a claim is changed only while the app
/// hibernates and nothing uses the claim.
#[must_use]
pub fn take(app: &AppIdentity, activity: Activity, disk_use: &DiskUse, seen: &ObservedVolume) -> Take {
    let Some(disk) = &seen.disk else {
        let message = format!("KompoxDisk {} does not exist", disk_use.disk);
        return Take::Wait(Obstacle::new(Reason::DiskNotFound, message));
    };
    let status = disk.status.clone().unwrap_or_default();
    let volume_name = status.pv_name.clone().unwrap_or_default();
    // Before the lock: an app that cannot use the disk must not hold it.
    if let Some(claim) = &seen.claim
        && let Some(refused) = check_claim(app, activity, disk_use, seen, disk, claim, &volume_name)
    {
        return refused;
    }
    let epoch = match hold_lock(app, disk, &status) {
        Ok(epoch) => epoch,
        Err(other) => return other,
    };
    let volume = match usable_volume(&volume_name, seen) {
        Ok(volume) => volume,
        Err(obstacle) => return Take::Wait(obstacle),
    };
    match &seen.claim {
        None => Take::Do(Step::CreateClaim(Box::new(claim::build(app, disk_use, disk, volume)))),
        Some(claim) => bind(disk_use, disk, volume, claim, epoch),
    }
}

fn check_claim(
    app: &AppIdentity,
    activity: Activity,
    disk_use: &DiskUse,
    seen: &ObservedVolume,
    disk: &KompoxDisk,
    claim: &PersistentVolumeClaim,
    volume_name: &str,
) -> Option<Take> {
    if let Err(obstacle) = claim::check(app, disk, volume_name, claim) {
        return Some(Take::Refuse(obstacle));
    }
    let going = claim.metadata.deletion_timestamp.is_some();
    if going || !claim::has_mode(claim, disk_use) {
        return Some(replace_claim(activity, disk_use, seen, claim, going));
    }
    None
}

/// A claim's mode cannot be changed: the claim is made again while nothing uses it. A claim that is
/// being deleted goes the same way.
fn replace_claim(
    activity: Activity,
    disk_use: &DiskUse,
    seen: &ObservedVolume,
    claim: &PersistentVolumeClaim,
    going: bool,
) -> Take {
    let name = name_of(&claim.metadata);
    if !going && activity == Activity::Running {
        let message = format!(
            "PersistentVolumeClaim {name} has another access mode than {}, which {} need(s) now; set spec.replicas to 0 until its pods are gone, then back to 1",
            disk_use.access_mode().as_str(),
            disk_use.workloads.iter().cloned().collect::<Vec<_>>().join(", "),
        );
        return Take::Refuse(Obstacle::new(Reason::SwitchNotSupported, message));
    }
    if !seen.is_drained() {
        return Take::Wait(super::give_back::in_use(seen));
    }
    match claim::remove(claim) {
        Ok(step) => Take::Do(step),
        Err(obstacle) => Take::Wait(obstacle),
    }
}

/// The epoch under which the app holds the lock, or the step or obstacle on the way there.
fn hold_lock(app: &AppIdentity, disk: &KompoxDisk, status: &KompoxDiskStatus) -> Result<i64, Take> {
    let name = name_of(&disk.metadata);
    match &status.used_by {
        Some(holder) if holder.uid == app.uid => Ok(holder.epoch),
        Some(holder) => {
            let message = format!("KompoxDisk {name} is held by {} {}", holder.kind, holder.name);
            Err(Take::Wait(Obstacle::new(Reason::DiskLocked, message)))
        }
        None => Err(take_lock(app, disk, status)),
    }
}

/// A lock is taken only on a disk that is ready, stays, and has its volume. An unknown lifecycle means
/// hands off.
fn take_lock(app: &AppIdentity, disk: &KompoxDisk, status: &KompoxDiskStatus) -> Take {
    let name = name_of(&disk.metadata);
    let wait = |message: String| Take::Wait(Obstacle::new(Reason::DiskNotReady, message));
    if disk.metadata.deletion_timestamp.is_some() {
        return wait(format!("KompoxDisk {name} is being deleted"));
    }
    if disk.spec.paused {
        return wait(format!("KompoxDisk {name} is paused"));
    }
    let state = status.lifecycle.as_deref().unwrap_or("unknown");
    if state != lifecycle::READY || status.pv_name.as_deref().unwrap_or_default().is_empty() {
        return wait(format!("KompoxDisk {name} is not ready ({})", why(status, state)));
    }
    let epoch = status.epoch.unwrap_or(0).saturating_add(1);
    Take::Do(Step::TakeLock(UsedBy {
        kind: LOCK_HOLDER_KIND.to_owned(),
        name: app.name.clone(),
        uid: app.uid.clone(),
        epoch,
    }))
}

/// What the disk itself says, where it says more than its lifecycle.
fn why(status: &KompoxDiskStatus, state: &str) -> String {
    let ready = find(&status.conditions, READY).filter(|ready| ready.status == "False");
    ready.map_or_else(|| format!("lifecycle {state}"), |ready| format!("{}: {}", ready.reason, ready.message))
}

fn usable_volume<'a>(name: &str, seen: &'a ObservedVolume) -> Result<&'a PersistentVolume, Obstacle> {
    match &seen.volume {
        Some(volume) if volume.metadata.deletion_timestamp.is_none() => Ok(volume),
        Some(_) => {
            Err(Obstacle::new(Reason::VolumeConflict, format!("PersistentVolume {name} is being deleted")))
        }
        None => Err(Obstacle::new(
            Reason::DiskNotReady,
            format!("PersistentVolume {name} of the disk does not exist yet"),
        )),
    }
}

/// Lock held, claim there: point the volume at the claim and wait for the binding.
fn bind(
    disk_use: &DiskUse,
    disk: &KompoxDisk,
    volume: &PersistentVolume,
    claim: &PersistentVolumeClaim,
    epoch: i64,
) -> Take {
    let class = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.as_deref()).unwrap_or_default();
    if class != claim::class_of(volume) {
        let message = format!(
            "PersistentVolume {} has the class `{}`, its claim `{class}`",
            name_of(&volume.metadata),
            claim::class_of(volume)
        );
        return Take::Wait(Obstacle::new(Reason::VolumeConflict, message));
    }
    let modes = volume.spec.as_ref().and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
    let same_mode = modes == [disk_use.access_mode().as_str()];
    match claim_ref_state(disk, volume, claim) {
        ClaimRefState::Ours if same_mode => await_binding(disk_use, volume, claim, epoch),
        ClaimRefState::Ours | ClaimRefState::Free => {
            Take::Do(Step::HandOver(Box::new(handed_over(disk_use, volume, claim))))
        }
        ClaimRefState::Held(by) => {
            let message = format!("PersistentVolume {} is held by claim {by}", name_of(&volume.metadata));
            Take::Wait(Obstacle::new(Reason::VolumeConflict, message))
        }
    }
}

enum ClaimRefState {
    /// It is the claim, uid included.
    Ours,
    /// It names nobody, the disk itself (parked), or a claim that is gone.
    Free,
    /// It names another claim that may exist.
    Held(String),
}

fn claim_ref_state(
    disk: &KompoxDisk,
    volume: &PersistentVolume,
    claim: &PersistentVolumeClaim,
) -> ClaimRefState {
    let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else {
        return ClaimRefState::Free;
    };
    let uid = reference.uid.as_deref().unwrap_or_default();
    if !uid.is_empty() && Some(uid) == claim.metadata.uid.as_deref() {
        return ClaimRefState::Ours;
    }
    let parked = disk.metadata.uid.as_deref() == Some(uid);
    // KCM says `Released` once the claim with this uid is gone, and a uid never comes back.
    let released = volume.status.as_ref().and_then(|status| status.phase.as_deref()) == Some("Released");
    if parked || released || is_own_name(reference, claim) {
        return ClaimRefState::Free;
    }
    let by = format!(
        "{}/{}",
        reference.namespace.as_deref().unwrap_or_default(),
        reference.name.as_deref().unwrap_or_default()
    );
    ClaimRefState::Held(by)
}

/// The reference names this very claim by name: an earlier claim of that name, or one whose uid was
/// cleared. Nobody else can have that name while the claim exists.
fn is_own_name(reference: &ObjectReference, claim: &PersistentVolumeClaim) -> bool {
    reference.namespace == claim.metadata.namespace && reference.name == claim.metadata.name
}

/// The volume as it is written: both sides of the binding and the mode that the kubelet enforces.
fn handed_over(
    disk_use: &DiskUse,
    volume: &PersistentVolume,
    claim: &PersistentVolumeClaim,
) -> PersistentVolume {
    let mut volume = volume.clone();
    let spec = volume.spec.get_or_insert_default();
    spec.access_modes = Some(vec![disk_use.access_mode().as_str().to_owned()]);
    spec.claim_ref = Some(ObjectReference {
        api_version: Some("v1".to_owned()),
        kind: Some("PersistentVolumeClaim".to_owned()),
        namespace: claim.metadata.namespace.clone(),
        name: claim.metadata.name.clone(),
        uid: claim.metadata.uid.clone(),
        ..ObjectReference::default()
    });
    volume
}

fn await_binding(
    disk_use: &DiskUse,
    volume: &PersistentVolume,
    claim: &PersistentVolumeClaim,
    epoch: i64,
) -> Take {
    let name = name_of(&claim.metadata);
    let volume_phase = volume.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or_default();
    let claim_phase = claim.status.as_ref().and_then(|status| status.phase.as_deref()).unwrap_or("Pending");
    if (volume_phase, claim_phase) == ("Bound", "Bound") {
        return Take::Ready { epoch };
    }
    let annotations = claim.metadata.annotations.as_ref();
    let key = claim::epoch_annotation(&disk_use.disk);
    let nudged = annotations.and_then(|map| map.get(&key));
    if volume_phase == "Bound" && nudged != Some(&epoch.to_string()) {
        return Take::Do(Step::Nudge { key, epoch });
    }
    let message = format!("PersistentVolumeClaim {name} is {claim_phase}, not Bound");
    Take::Wait(Obstacle::new(Reason::WaitingForClaim, message))
}
