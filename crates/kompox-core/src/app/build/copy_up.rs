//! Copy-up: what Docker does when an empty volume is mounted over something of the image. A container of
//! the same image copies it there, with owners and modes, before anything runs.

use super::volumes;
use crate::app::validated::{ValidatedService, ValidatedWorkload};
use crate::naming::{MAX_LABEL, slug};
use k8s_openapi::api::core::v1::{Capabilities, Container, SecurityContext};

/// Where the volumes are mounted meanwhile: no image has anything there.
const PLACE: &str = "/.kompox-copy-up";

/// What `cp -a` needs as root: to read and write what others own, and to give it to them.
const CAPABILITIES: [&str; 4] = ["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID"];

/// Arguments are pairs of image path and volume. A marker lies in the volume while it is being filled: a
/// copy that was cut short is begun anew, and one that is complete is never repeated.
const SCRIPT: &str = r#"set -eu
while [ "$#" -gt 1 ]; do
  from=$1; to=$2; marker=$2/.kompox-copy-up; shift 2
  [ -d "$from" ] || continue
  [ -e "$marker" ] || [ -z "$(ls -A "$to")" ] || continue
  : > "$marker"
  cp -a "$from/." "$to/"
  chown "$(stat -c %u:%g "$from")" "$to"
  chmod "$(stat -c %a "$from")" "$to"
  rm -f "$marker"
done
"#;

/// One container per service with volumes to fill.
pub(super) fn build(workload: &ValidatedWorkload) -> Vec<Container> {
    let needy = workload.services.iter().filter(|service| service.mounts.iter().any(|mount| mount.copy_up));
    needy.map(|service| container(workload, service)).collect()
}

fn container(workload: &ValidatedWorkload, service: &ValidatedService) -> Container {
    let place = |index: usize| format!("{PLACE}/{index}");
    let filled = service.mounts.iter().filter(|mount| mount.copy_up);
    let pairs = filled.enumerate().flat_map(|(index, mount)| [mount.target.clone(), place(index)]);
    let words = ["/bin/sh", "-c", SCRIPT, "copy-up"].map(str::to_owned).into_iter().chain(pairs);
    Container {
        name: slug(&format!("copy-up-{}", service.name), MAX_LABEL),
        image: Some(service.container.image.clone()),
        image_pull_policy: Some(service.container.image_pull_policy.clone()),
        command: Some(words.map(|word| word.replace('$', "$$")).collect()),
        security_context: Some(SecurityContext {
            capabilities: Some(Capabilities {
                add: Some(CAPABILITIES.map(str::to_owned).into()),
                drop: Some(vec!["ALL".to_owned()]),
            }),
            run_as_group: Some(0),
            run_as_user: Some(0),
            ..SecurityContext::default()
        }),
        volume_mounts: Some(volumes::copy_up_mounts(workload, service, place)),
        ..Container::default()
    }
}
