//! Where a volume lives: entry of `spec.volumes` → directory of a disk or claim.

use super::{Findings, Given};
use crate::app::problem::Problem;
use crate::app::validated::{AppIdentity, DiskUse, MountSource, ValidatedWorkload};
use crate::naming;
use kompox_crds::v1alpha1::app::{AppVolume, DEFAULT_VOLUME};
use kompox_crds::{KompoxApp, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// The entry of this name.
pub(super) fn entry<'a>(given: &Given<'a>, name: &str) -> Option<&'a AppVolume> {
    given.app.spec.volumes.iter().find(|entry| entry.name == name)
}

/// The directory `below` of the volume that `own` was made for. On a disk that is never the root:
/// `lost+found` lies there, and databases refuse such directories. A claim that the app does not own is
/// mounted at its root unless a directory is given: its content is somebody else's.
pub(super) fn of_own(own: &AppVolume, below: Option<&str>) -> Option<MountSource> {
    place(own, Some(own.sub_path.as_deref().unwrap_or(&own.name)), own.sub_path.as_deref(), below)
}

/// A directory of its own below the entry `default`.
pub(super) fn of_default(given: &Given<'_>, directory: &str, below: Option<&str>) -> Option<MountSource> {
    let default = entry(given, DEFAULT_VOLUME)?;
    let base = join(default.sub_path.as_deref(), directory);
    place(default, Some(&base), Some(&base), below)
}

fn place(
    entry: &AppVolume,
    on_disk: Option<&str>,
    on_claim: Option<&str>,
    below: Option<&str>,
) -> Option<MountSource> {
    let directory = |base: Option<&str>| match below {
        Some(below) => Some(join(base, below)),
        None => base.map(str::to_owned),
    };
    if let Some(disk) = &entry.disk_ref {
        let sub_path = directory(on_disk).unwrap_or_default();
        return Some(MountSource::Disk { disk: disk.name.clone(), sub_path });
    }
    let claim = entry.claim_ref.as_ref()?.name.clone();
    Some(MountSource::Claim { claim, sub_path: directory(on_claim) })
}

/// One path below another.
pub(super) fn join(base: Option<&str>, below: &str) -> String {
    base.map_or_else(|| below.to_owned(), |base| format!("{}/{below}", base.trim_end_matches('/')))
}

/// Which disks are mounted, and by whom.
pub(crate) fn disk_uses(app: &AppIdentity, workloads: &[ValidatedWorkload]) -> BTreeMap<String, DiskUse> {
    let mut uses: BTreeMap<String, DiskUse> = BTreeMap::new();
    for workload in workloads {
        for disk in workload.disks() {
            let disk_use = uses.entry(disk.to_owned()).or_insert_with(|| DiskUse {
                disk: disk.to_owned(),
                claim: naming::claim(disk, &app.uid),
                workloads: BTreeSet::new(),
            });
            disk_use.workloads.insert(workload.name.clone());
        }
    }
    uses
}

/// A volume that lives on a disk stays there: moving to another needs a switch.
pub(crate) fn check_switch(app: &KompoxApp, uses: &BTreeMap<String, DiskUse>, findings: &mut Findings) {
    let held = app.status.iter().flat_map(|status| &status.volumes);
    for volume in held {
        let entry = app.spec.volumes.iter().find(|entry| entry.name == volume.name);
        let wanted = entry.and_then(|entry| entry.disk_ref.as_ref()).map(|disk| disk.name.as_str());
        let (Some(current), Some(wanted)) = (volume.disk.as_deref(), wanted) else { continue };
        if current != wanted && uses.contains_key(wanted) {
            findings.problem(Problem::in_spec(
                Reason::SwitchNotSupported,
                format!("spec.volumes[{}].diskRef", volume.name),
                format!("the volume lives on disk {current}; moving it to {wanted} is not supported yet"),
                format!("set diskRef back to {current}; what runs keeps running"),
            ));
        }
    }
}
