//! `volumes_from`: the mounts of other services, and of those from which they have theirs.

use kompox_compose::Project;
use kompox_compose::model::{Mount, Service};
use std::collections::BTreeSet;

/// The service's own mounts and those it has from others; its own win, then those of the first.
pub(super) fn all_mounts(project: &Project, service: &Service) -> Vec<Mount> {
    let mut found = service.mounts.clone();
    let mut seen = BTreeSet::from([service.name.value.clone()]);
    add(project, service, false, &mut seen, &mut found);
    found
}

/// The reader has refused circles; `seen` keeps the walk finite without that, too.
fn add(
    project: &Project,
    service: &Service,
    read_only: bool,
    seen: &mut BTreeSet<String>,
    found: &mut Vec<Mount>,
) {
    for from in &service.volumes_from {
        let Some(other) = project.services.get(&from.service) else { continue };
        if !seen.insert(from.service.clone()) {
            continue;
        }
        let read_only = read_only || from.read_only;
        for mount in &other.mounts {
            if found.iter().all(|own| own.target != mount.target) {
                let read_only = read_only || mount.read_only;
                let path = format!("services.{}.volumes_from", service.name.value);
                found.push(Mount { read_only, span: from.span.clone(), path, ..mount.clone() });
            }
        }
        add(project, other, read_only, seen, found);
    }
}
