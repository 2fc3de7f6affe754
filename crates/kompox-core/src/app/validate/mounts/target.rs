//! Targets: each at most once, and none where no mount point can be made.

use super::Findings;
use crate::app::codes;
use crate::app::validated::{Mount, MountSource};
use kompox_compose::model::Service;
use kompox_compose::{Diagnostic, Span};

/// Sorts the mounts by target and says which cannot stand together.
pub(super) fn check(service: &Service, mounts: &mut [(Mount, Span)], findings: &mut Findings) {
    mounts.sort_by(|a, b| a.0.target.cmp(&b.0.target));
    let path = || format!("services.{}.volumes", service.name.value);
    let mut earlier: Vec<&(Mount, Span)> = Vec::new();
    for entry in mounts.iter() {
        let (mount, span) = entry;
        if let Some((_, first)) = earlier.iter().find(|(other, _)| other.target == mount.target) {
            let message = format!("something else is mounted at {}", mount.target);
            let finding = Diagnostic::new(&codes::TARGET_TWICE, message).at(span).path(path());
            findings.diagnose(finding.related(first, "it is mounted here"));
        }
        let above = earlier.iter().rev().find(|(other, _)| is_below(&mount.target, &other.target));
        if let Some((other, first)) = above.filter(|(other, _)| has_no_room(other)) {
            let message = format!("{} lies below {}, which is read-only", mount.target, other.target);
            let finding = Diagnostic::new(&codes::BELOW_READ_ONLY, message).at(span).path(path());
            findings.diagnose(
                finding
                    .related(first, "mounted here")
                    .help("mount it elsewhere, or make the outer one writable"),
            );
        }
        earlier.push(entry);
    }
}

/// Whether `target` lies strictly below `other`.
pub(super) fn is_below(target: &str, other: &str) -> bool {
    target.strip_prefix(other).is_some_and(|rest| rest.starts_with('/'))
}

/// The runtime makes the mount points inside a mount, which a read-only one forbids.
fn has_no_room(mount: &Mount) -> bool {
    match mount.source {
        MountSource::Files(_) | MountSource::File { .. } => true,
        // It is read-only for the container, and the runtime has what the image has there.
        MountSource::Image { .. } => false,
        _ => mount.read_only,
    }
}
