//! Volumes that the Compose file declares by name.

use super::{Findings, Given, Site, bind, copy_up, driver, place};
use crate::app::codes;
use crate::app::problem::Problem;
use crate::app::validated::{Mount, MountSource};
use driver::Driver;
use kompox_compose::Diagnostic;
use kompox_compose::model::{Volume, VolumeMount};
use kompox_crds::Reason;

/// A mount of the declared volume `name`.
pub(super) fn validate(
    given: &Given<'_>,
    site: &Site<'_>,
    name: &str,
    volume: &VolumeMount,
    findings: &mut Findings,
) -> Option<Mount> {
    let declared = given.project.volumes.get(name);
    let below = volume.subpath.as_deref();
    let own = place::entry(given, name);
    // The spec has the last word about where a volume lives.
    if let Some(own) = own {
        note_name(name, declared, findings);
        return finish(site, name, volume, place::of_own(own, below)?, findings);
    }
    if let Some(external) = declared.filter(|declared| is_external(declared)) {
        let source = external_place(given, name, external, below, findings)?;
        return finish(site, name, volume, source, findings);
    }
    let source = match driver::read(name, declared, findings)? {
        Driver::Local => place::of_default(given, name, below),
        Driver::Memory { size } => return Some(site.mount(MountSource::Tmpfs { size })),
        Driver::Nfs { server, path } => {
            Some(MountSource::Nfs { server, path, sub_path: below.map(str::to_owned) })
        }
        Driver::Bind { path } => return bind::of_volume(given, site, &path, below, findings),
    };
    let Some(source) = source else {
        no_place(site, name, findings);
        return None;
    };
    note_name(name, declared, findings);
    finish(site, name, volume, source, findings)
}

fn finish(
    site: &Site<'_>,
    name: &str,
    volume: &VolumeMount,
    source: MountSource,
    findings: &mut Findings,
) -> Option<Mount> {
    let copy_up = copy_up(site, volume.nocopy, &source, name, findings);
    Some(Mount { copy_up, ..site.mount(source) })
}

fn is_external(volume: &Volume) -> bool {
    volume.external.as_ref().is_some_and(|external| external.value)
}

/// An external volume holds data that somebody made: it is never replaced by a new directory.
fn external_place(
    given: &Given<'_>,
    name: &str,
    volume: &Volume,
    below: Option<&str>,
    findings: &mut Findings,
) -> Option<MountSource> {
    let platform_name = volume.name.as_ref().map_or(name, |name| name.value.as_str());
    if let Some(own) = place::entry(given, platform_name) {
        return place::of_own(own, below);
    }
    let message = format!("the external volume `{platform_name}` has no place");
    findings.diagnose(
        Diagnostic::new(&codes::EXTERNAL_VOLUME, message)
            .at(&volume.span)
            .path(format!("volumes.{name}"))
            .help(format!("add `{name}` to spec.volumes, with the disk or claim that holds it")),
    );
    None
}

fn no_place(site: &Site<'_>, name: &str, findings: &mut Findings) {
    let service = &site.service.name.value;
    findings.diagnose(
        site.finding(&codes::VOLUME_NOT_MAPPED, format!("the volume `{name}` has no place"))
            .help(format!("add `{name}` or `default` to spec.volumes")),
    );
    findings.problem(Problem::in_spec(
        Reason::VolumeNotMapped,
        "spec.volumes",
        format!("service {service} mounts the volume `{name}`, which has no place"),
        format!("add an entry named `{name}`, or the entry `default`, with a diskRef"),
    ));
}

fn note_name(name: &str, declared: Option<&Volume>, findings: &mut Findings) {
    let Some(given) = declared.filter(|volume| !is_external(volume)).and_then(|volume| volume.name.as_ref())
    else {
        return;
    };
    let message =
        format!("the name `{}` has no effect: spec.volumes says where the volume lives", given.value);
    findings.diagnose(
        Diagnostic::new(&codes::VOLUME_NAME_IGNORED, message)
            .at(&given.span)
            .path(format!("volumes.{name}.name")),
    );
}
