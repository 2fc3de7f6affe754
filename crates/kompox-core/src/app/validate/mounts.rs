//! What a service mounts, and where it lives. A function per kind of source in the files below; here is
//! what they have in common.

mod bind;
mod content;
mod driver;
mod inherit;
mod named;
mod place;
mod provided;
mod target;

pub use content::external_references;
pub(super) use content::{Contents, read as contents};
pub(super) use place::{check_switch, disk_uses};

use super::{Findings, Given, security};
use crate::app::codes;
use crate::app::validated::{Mount, MountSource};
use crate::hash::FieldHasher;
use kompox_compose::model::{self, Service};
use kompox_compose::{Code, Diagnostic};

/// The mounts of a service, sorted by target, and the hash of the files that may change.
pub(super) fn validate(
    given: &Given<'_>,
    contents: &Contents,
    service: &Service,
    findings: &mut Findings,
) -> (Vec<Mount>, Option<String>) {
    let mut mounts = Vec::new();
    for mount in inherit::all_mounts(given.project, service) {
        let site = Site { service, mount: &mount };
        if let Some(validated) = one(given, &site, findings) {
            mounts.push((validated, mount.span.clone()));
        }
    }
    mounts.extend(content::mounts(contents, service, findings));
    target::check(service, &mut mounts, findings);
    let mounts: Vec<Mount> = mounts.into_iter().map(|(mount, _)| mount).collect();
    let hash = files_hash(given, &mounts);
    (mounts, hash)
}

/// Where a finding about a mount belongs.
struct Site<'a> {
    service: &'a Service,
    mount: &'a model::Mount,
}

impl Site<'_> {
    fn finding(&self, code: &'static Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, message).at(&self.mount.span).path(self.mount.path.clone())
    }

    /// A mount at the target that the file names.
    fn mount(&self, source: MountSource) -> Mount {
        Mount { target: self.mount.target.clone(), read_only: self.mount.read_only, copy_up: false, source }
    }
}

/// One mount; `None` when nothing is to be mounted, with a finding that says so.
fn one(given: &Given<'_>, site: &Site<'_>, findings: &mut Findings) -> Option<Mount> {
    match &site.mount.source {
        model::MountSource::Volume(volume) => match &volume.name {
            Some(name) => named::validate(given, site, name, volume, findings),
            None => anonymous(site, volume, findings),
        },
        model::MountSource::Bind(bind) => bind::validate(given, site, bind, findings),
        model::MountSource::Tmpfs(tmpfs) => Some(memory(site, tmpfs, findings)),
        model::MountSource::Image(image) => of_image(given, site, image, findings),
        model::MountSource::Other(kind) => {
            let message = format!("a cluster has no mounts of type `{}`", kind.value);
            findings.diagnose(site.finding(&codes::MOUNT_TYPE, message).help("use a named volume"));
            None
        }
    }
}

/// Without a mount the runtime shows the image's content, as an anonymous volume does; below another
/// mount it would be hidden, so that a directory of its own is needed.
fn anonymous(site: &Site<'_>, volume: &model::VolumeMount, findings: &mut Findings) -> Option<Mount> {
    let message = "what is written here is lost with the container: nothing finds an anonymous volume again";
    findings.diagnose(site.finding(&codes::ANONYMOUS_VOLUME, message).help("give the volume a name"));
    let covered = site.service.mounts.iter().any(|other| target::is_below(&site.mount.target, &other.target));
    let read_only_root = site.service.read_only.as_ref().is_some_and(|read_only| read_only.value);
    (covered || read_only_root).then(|| Mount { copy_up: !volume.nocopy, ..site.mount(MountSource::Scratch) })
}

fn memory(site: &Site<'_>, tmpfs: &model::TmpfsMount, findings: &mut Findings) -> Mount {
    if tmpfs.mode.as_ref().is_some_and(|mode| mode.value != 0o1777) {
        let message = "the mode is always 1777";
        findings.diagnose(site.finding(&codes::TMPFS_OPTION, message));
    }
    for option in &tmpfs.options {
        let message = format!("the option `{}` has no effect", option.value);
        findings.diagnose(site.finding(&codes::TMPFS_OPTION, message));
    }
    if tmpfs.size.is_none() {
        let message = "without a size it may fill the memory that the container or the node has";
        findings.diagnose(site.finding(&codes::TMPFS_UNBOUNDED, message).help("add a size"));
    }
    site.mount(MountSource::Tmpfs { size: tmpfs.size })
}

fn of_image(
    given: &Given<'_>,
    site: &Site<'_>,
    image: &model::ImageMount,
    findings: &mut Findings,
) -> Option<Mount> {
    if !given.settings.image_volumes {
        let message = "this cluster's pods cannot mount images";
        findings.diagnose(
            site.finding(&codes::MOUNT_TYPE, message).help("copy the content into a named volume instead"),
        );
        return None;
    }
    let source = MountSource::Image {
        reference: image.reference.value.clone(),
        sub_path: image.subpath.as_ref().map(|path| path.value.clone()),
    };
    Some(Mount { read_only: true, ..site.mount(source) })
}

/// Whether a fresh directory needs what the image has at its place, and what is said about it.
fn copy_up(site: &Site<'_>, nocopy: bool, source: &MountSource, what: &str, findings: &mut Findings) -> bool {
    // What an existing claim or server holds is known to who made it.
    let fresh = matches!(source, MountSource::Disk { .. } | MountSource::Scratch) && !site.mount.read_only;
    if fresh && !nocopy {
        let message = format!("an empty `{what}` is filled by an init container, which needs `sh` and `cp`");
        let help = "for an image without a shell set `volume.nocopy: true`";
        findings.diagnose(site.finding(&codes::COPY_UP, message).help(help));
        return true;
    }
    if fresh && security::runs_as_other_than_root(site.service) {
        let message = format!("a new `{what}` belongs to root, and the service runs as another user");
        let help = "let the image start as root and change its user itself, or prepare the directory once";
        findings.diagnose(site.finding(&codes::VOLUME_OF_ROOT, message).help(help));
    }
    false
}

/// A file mounted by path never follows a change of its object, so the pod is replaced. What is generated
/// never changes under its name.
fn files_hash(given: &Given<'_>, mounts: &[Mount]) -> Option<String> {
    let mut hasher = FieldHasher::default();
    let mut any = false;
    for mount in mounts {
        let sources: Vec<_> = match &mount.source {
            MountSource::File { source, .. } => vec![source],
            MountSource::Files(files) => files.iter().map(|(_, source)| source).collect(),
            _ => continue,
        };
        for source in sources {
            let object = source.carrier.content(given.facts, &source.object);
            let Some(content) = object.and_then(|content| content.get(&source.key)) else { continue };
            hasher.field(&mount.target).field(&source.key).field(content.expose());
            any = true;
        }
    }
    any.then(|| hasher.hex())
}

#[cfg(test)]
mod tests;
