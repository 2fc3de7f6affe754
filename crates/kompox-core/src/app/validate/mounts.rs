//! Where the volumes of a service live: Compose volume → entry of `spec.volumes` → directory of a disk.

use super::{Findings, security};
use crate::app::codes;
use crate::app::problem::Problem;
use crate::app::validated::{AppIdentity, DiskUse, Mount, MountSource, ValidatedService};
use crate::naming;
use kompox_compose::model::{NamedVolume, Service};
use kompox_compose::{Diagnostic, Project};
use kompox_crds::v1alpha1::app::{AppVolume, DEFAULT_VOLUME};
use kompox_crds::{KompoxApp, Reason};
use std::collections::{BTreeMap, BTreeSet};

/// The mounts of a service, sorted by target.
pub(super) fn validate(
    app: &KompoxApp,
    project: &Project,
    service: &Service,
    findings: &mut Findings,
) -> Vec<Mount> {
    let named = service.volumes.iter().filter_map(|volume| named(app, project, service, volume, findings));
    let mut mounts: Vec<_> = named.collect();
    mounts.extend(service.tmpfs.iter().map(|tmpfs| Mount {
        target: tmpfs.target.clone(),
        read_only: false,
        source: MountSource::Tmpfs { size: tmpfs.size },
    }));
    mounts.sort_by(|a, b| a.target.cmp(&b.target));
    mounts
}

fn named(
    app: &KompoxApp,
    project: &Project,
    service: &Service,
    volume: &NamedVolume,
    findings: &mut Findings,
) -> Option<Mount> {
    let entry = |name: &str| app.spec.volumes.iter().find(|entry| entry.name == name);
    let source = match (entry(&volume.volume), entry(DEFAULT_VOLUME)) {
        (Some(own), _) => place(own, own.sub_path.as_deref().unwrap_or(&volume.volume), volume),
        (None, Some(default)) => {
            let directory = join(default.sub_path.as_deref(), &volume.volume);
            place(default, &directory, volume)
        }
        (None, None) => {
            findings.diagnose(
                Diagnostic::new(
                    &codes::VOLUME_NOT_MAPPED,
                    format!("the volume `{}` has no place", volume.volume),
                )
                .at(&volume.span)
                .path(format!("services.{}.volumes", service.name.value))
                .help(format!("add `{}` or `default` to spec.volumes", volume.volume)),
            );
            findings.problem(Problem::in_spec(
                Reason::VolumeNotMapped,
                "spec.volumes",
                format!(
                    "service {} mounts the volume `{}`, which has no place",
                    service.name.value, volume.volume
                ),
                format!("add an entry named `{}`, or the entry `default`, with a diskRef", volume.volume),
            ));
            None
        }
    }?;
    note_what_differs(project, service, volume, &source, findings);
    Some(Mount { target: volume.target.clone(), read_only: volume.read_only, source })
}

/// A claim that the app does not own is mounted at its root unless a directory is given: its content is
/// somebody else's. A disk never is: `lost+found` lies there, and databases refuse such directories.
fn place(entry: &AppVolume, directory: &str, volume: &NamedVolume) -> Option<MountSource> {
    let below = volume.subpath.as_deref();
    if let Some(disk) = &entry.disk_ref {
        let sub_path = below.map_or_else(|| directory.to_owned(), |below| join(Some(directory), below));
        return Some(MountSource::Disk { disk: disk.name.clone(), sub_path });
    }
    let claim = entry.claim_ref.as_ref()?.name.clone();
    let taken_by_default = (entry.name != volume.volume).then_some(directory);
    let base = taken_by_default.or(entry.sub_path.as_deref());
    let sub_path = match (base, below) {
        (base, Some(below)) => Some(join(base, below)),
        (base, None) => base.map(str::to_owned),
    };
    Some(MountSource::Claim { claim, sub_path })
}

fn join(base: Option<&str>, below: &str) -> String {
    base.map_or_else(|| below.to_owned(), |base| format!("{}/{below}", base.trim_end_matches('/')))
}

fn note_what_differs(
    project: &Project,
    service: &Service,
    volume: &NamedVolume,
    source: &MountSource,
    findings: &mut Findings,
) {
    let at = |code, message: String| {
        Diagnostic::new(code, message)
            .at(&volume.span)
            .path(format!("services.{}.volumes", service.name.value))
    };
    // What an existing claim holds is known to who made it.
    let fresh = matches!(source, MountSource::Disk { .. }) && !volume.read_only;
    if fresh && security::runs_as_other_than_root(service) {
        let message =
            format!("a new `{}` belongs to root, and the service runs as another user", volume.volume);
        findings.diagnose(
            at(&codes::VOLUME_OF_ROOT, message).help(
                "let the image start as root and change its user itself, or prepare the directory once",
            ),
        );
    } else if fresh && !volume.nocopy {
        let message =
            format!("a new `{}` starts empty: the image's content is not copied into it", volume.volume);
        findings.diagnose(at(&codes::NO_COPY_UP, message));
    }
    if let Some(name) = project.volumes.get(&volume.volume).and_then(|volume| volume.name.as_ref()) {
        let message =
            format!("the name `{}` has no effect: spec.volumes says where the volume lives", name.value);
        findings.diagnose(
            Diagnostic::new(&codes::VOLUME_NAME_IGNORED, message)
                .at(&name.span)
                .path(format!("volumes.{}.name", volume.volume)),
        );
    }
}

/// Which disks are mounted, and by whom.
pub(super) fn disk_uses(app: &AppIdentity, services: &[ValidatedService]) -> BTreeMap<String, DiskUse> {
    let mut uses: BTreeMap<String, DiskUse> = BTreeMap::new();
    for service in services {
        for disk in service.disks() {
            let disk_use = uses.entry(disk.to_owned()).or_insert_with(|| DiskUse {
                disk: disk.to_owned(),
                claim: naming::claim(disk, &app.uid),
                services: BTreeSet::new(),
            });
            disk_use.services.insert(service.name.clone());
        }
    }
    uses
}

/// A volume that lives on a disk stays there: moving to another needs a switch.
pub(super) fn check_switch(app: &KompoxApp, uses: &BTreeMap<String, DiskUse>, findings: &mut Findings) {
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
