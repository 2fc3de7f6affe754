//! A disk that exists: its PersistentVolume stands, or is made again; nothing else is touched.

use super::{Act, Observed, Read, Step, Verdict, volume};
use crate::{
    cloud::{CloudObject as _, Life, Ownership, Problem, Retry, Sighting, creation::POLL, owner_of},
    driver::{CsiSource, DiskInfo, Volume, VolumeRequest},
};
use k8s_openapi::api::core::v1::PersistentVolume;
use kompox_crds::reasons::Reason;

pub(super) fn decide(observed: &Observed, handle: &str) -> Step {
    match &observed.persistent_volume {
        None => Step::Read(Read::PersistentVolume(volume::volume_name(observed.uid()))),
        Some(Some(pv)) => standing(handle, pv),
        Some(None) => missing(observed, handle),
    }
}

fn standing(handle: &str, pv: &PersistentVolume) -> Step {
    let name = pv.metadata.name.clone().unwrap_or_default();
    if volume::handle_of(pv) != Some(handle) {
        let message = format!(
            "PersistentVolume `{name}` exists but holds another volume; delete it, the operator makes the right one"
        );
        return Step::blocked(Problem {
            retry: Retry::PERSON,
            ..Problem::stalled(Reason::Conflict, message)
        });
    }
    if pv.metadata.deletion_timestamp.is_none() {
        return Step::rest(Verdict::Ready, Retry::AwaitChange);
    }
    // Somebody deleted it. Unused, it is let go and made again; under a claim it stays until released.
    if volume::is_bound(pv) {
        let message = format!(
            "PersistentVolume `{name}` is being deleted while in use; it is made again once its claim is gone"
        );
        return Step::blocked(Problem::passing(Reason::Conflict, message, Retry::BUSY));
    }
    Step::act(Act::DeleteVolume { name, uid: pv.metadata.uid.clone().unwrap_or_default() })
}

fn missing(observed: &Observed, handle: &str) -> Step {
    let Some(sighting) = &observed.by_handle else { return Step::Read(Read::ByHandle(handle.to_owned())) };
    match sighting {
        Sighting::One(info) => present(observed, info),
        Sighting::Absent => {
            let message = format!(
                "the disk `{handle}` no longer exists in the cloud; it is not made again. Restore a snapshot into a new KompoxDisk, or delete this one"
            );
            Step::rest(
                Verdict::Lost(Problem {
                    retry: Retry::PERSON,
                    ..Problem::stalled(Reason::DiskLost, message)
                }),
                Retry::PERSON,
            )
        }
        Sighting::Many(_) | Sighting::Unclear(_) => {
            let message = format!("could not read the disk `{handle}` in the cloud");
            Step::blocked(Problem::passing(Reason::ProviderUnavailable, message, Retry::TRANSIENT))
        }
    }
}

fn present(observed: &Observed, info: &DiskInfo) -> Step {
    let tagless = observed.provider.as_ref().is_ok_and(|provider| !provider.tags);
    if !tagless && owner_of(info.tags(), &observed.owner()) != Ownership::Ours {
        let message =
            format!("the disk `{}` no longer bears this object's owner tags; restore them", info.handle);
        return Step::blocked(Problem {
            retry: Retry::PERSON,
            ..Problem::stalled(Reason::OwnerMismatch, message)
        });
    }
    if info.life() != Life::Usable {
        return Step::wait(Verdict::Creating, POLL);
    }
    let Some(described) = &observed.volume else {
        return Step::Read(Read::Volume(VolumeRequest {
            handle: info.handle.clone(),
            zone: info.zone.clone(),
            attributes: info.attributes.clone(),
            fs_type: observed.status().fs_type,
            block: false,
            read_only: false,
        }));
    };
    match volume::volume_source(&info.handle, described) {
        Ok(csi) => described_as(observed, info, described, csi),
        Err(problem) => Step::blocked(problem),
    }
}

/// Two PersistentVolumes of one CSI volume would let two pods write to one disk: the first one stays alone.
fn described_as(observed: &Observed, info: &DiskInfo, described: &Volume, csi: &CsiSource) -> Step {
    match &observed.holder {
        None => {
            let (driver, handle) = (csi.driver.clone(), csi.volume_handle.clone());
            return Step::Read(Read::Holder { driver, handle });
        }
        Some(Some(other)) => {
            let message = format!(
                "PersistentVolume `{other}` already stands for volume `{}` of `{}`; delete it, or the KompoxDisk it belongs to",
                csi.volume_handle, csi.driver
            );
            return Step::blocked(Problem {
                retry: Retry::PERSON,
                ..Problem::stalled(Reason::AlreadyClaimed, message)
            });
        }
        Some(None) => {}
    }
    match volume::build(observed, info, described, csi) {
        Ok(pv) => Step::act(Act::CreateVolume(pv)),
        Err(problem) => Step::blocked(problem),
    }
}
