//! Zones: a pod must find a node to which all its disks can be attached. Read from the volumes, in the
//! words of node labels; a disk's own `zone` may be spelt differently by its provider.

use super::{Obstacle, Take, name_of};
use crate::app::validated::{ValidatedApp, ValidatedWorkload};
use k8s_openapi::api::core::v1::PersistentVolume;
use kompox_crds::Reason;
use std::collections::{BTreeMap, BTreeSet};

/// Turns `Ready` disks into refused ones where a workload's pod could run nowhere. `volumes` are by the
/// name of the disk.
pub fn refuse_mismatches(
    app: &ValidatedApp,
    volumes: &BTreeMap<String, PersistentVolume>,
    taken: &mut BTreeMap<String, Take>,
) {
    for workload in &app.workloads {
        let Some((disk, obstacle)) = mismatch(app, workload, volumes) else { continue };
        if let Some(take) = taken.get_mut(&disk).filter(|take| matches!(take, Take::Ready { .. })) {
            *take = Take::Refuse(obstacle);
        }
    }
}

/// The first disk that no zone left over by the spec and the disks before it can have.
fn mismatch(
    app: &ValidatedApp,
    workload: &ValidatedWorkload,
    volumes: &BTreeMap<String, PersistentVolume>,
) -> Option<(String, Obstacle)> {
    let wanted: BTreeSet<String> = app.scheduling.zones.iter().cloned().collect();
    let mut left = (!wanted.is_empty()).then_some(wanted);
    for disk in workload.disks() {
        let Some(volume) = volumes.get(disk) else { continue };
        let Some(zones) = zones_of(volume) else { continue };
        let rest = match &left {
            Some(left) => left & &zones,
            None => zones.clone(),
        };
        if rest.is_empty() {
            let message = format!(
                "the pod of {} cannot run anywhere: its disk {disk} (PersistentVolume {}) is in {}, and only {} is left by spec.deployment and its other disks",
                names(workload),
                name_of(&volume.metadata),
                list(&zones),
                list(&left.unwrap_or_default()),
            );
            return Some((disk.to_owned(), Obstacle::new(Reason::ZoneMismatch, message)));
        }
        left = Some(rest);
    }
    None
}

/// The zones of the nodes that can have the volume; `None` when it is not bound to any.
fn zones_of(volume: &PersistentVolume) -> Option<BTreeSet<String>> {
    let terms = &volume.spec.as_ref()?.node_affinity.as_ref()?.required.as_ref()?.node_selector_terms;
    // CSI drivers have label keys of their own, such as `topology.ebs.csi.aws.com/zone`.
    let is_zone = |key: &str| key.rsplit('/').next() == Some("zone");
    let zones: BTreeSet<String> = terms
        .iter()
        .flat_map(|term| term.match_expressions.iter().flatten())
        .filter(|requirement| is_zone(&requirement.key) && requirement.operator == "In")
        .flat_map(|requirement| requirement.values.iter().flatten().cloned())
        .collect();
    (!zones.is_empty()).then_some(zones)
}

fn names(workload: &ValidatedWorkload) -> String {
    let names: Vec<_> = workload.services.iter().map(|service| service.name.as_str()).collect();
    names.join(", ")
}

fn list(zones: &BTreeSet<String>) -> String {
    zones.iter().cloned().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::facts::{Facts, Settings};
    use crate::app::secret_text::SecretText;
    use crate::app::validate::validate;
    use serde_json::json;

    fn app(zones: &[&str]) -> ValidatedApp {
        let compose = "services: {db: {image: 'db:1', volumes: ['va:/a', 'vb:/b']}}\nvolumes: {va: , vb: }";
        let object = json!({
            "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp",
            "metadata": { "name": "a", "namespace": "n", "uid": "u" },
            "spec": { "compose": { "configMapRef": { "name": "c" } }, "deployment": { "zones": zones },
                "volumes": [{ "name": "va", "diskRef": { "name": "a" } }, { "name": "vb", "diskRef": { "name": "b" } }] },
        });
        let content = BTreeMap::from([("compose.yml".to_owned(), SecretText::new(compose))]);
        let facts = Facts { config_maps: BTreeMap::from([("c".to_owned(), content)]), ..Facts::default() };
        let validation = validate(&serde_json::from_value(object).unwrap(), &facts, &Settings::default());
        assert!(validation.app.is_some(), "{:?}", validation.problems);
        validation.app.unwrap()
    }

    fn refused(wanted: &[&str], a: Option<&str>, b: Option<&str>) -> Vec<String> {
        let volume = |zone: Option<&str>| -> PersistentVolume {
            let requirement =
                json!({ "key": "topology.ebs.csi.aws.com/zone", "operator": "In", "values": [zone] });
            let affinity = zone.map(
                |_| json!({ "required": { "nodeSelectorTerms": [{ "matchExpressions": [requirement] }] } }),
            );
            serde_json::from_value(
                json!({ "metadata": { "name": "pv" }, "spec": { "nodeAffinity": affinity } }),
            )
            .unwrap()
        };
        let volumes = BTreeMap::from([("a".to_owned(), volume(a)), ("b".to_owned(), volume(b))]);
        let mut taken: BTreeMap<_, _> =
            ["a", "b"].map(|disk| (disk.to_owned(), Take::Ready { epoch: 1 })).into();
        refuse_mismatches(&app(wanted), &volumes, &mut taken);
        taken.into_iter().filter(|(_, take)| matches!(take, Take::Refuse(_))).map(|(disk, _)| disk).collect()
    }

    #[test]
    fn disks_and_wanted_zones_must_meet() {
        assert_eq!(refused(&[], Some("z1"), Some("z1")), [""; 0]);
        assert_eq!(refused(&[], None, Some("z1")), [""; 0]);
        assert_eq!(refused(&["z1", "z2"], Some("z2"), None), [""; 0]);
        assert_eq!(refused(&[], Some("z1"), Some("z2")), ["b"]);
        assert_eq!(refused(&["z2"], Some("z1"), Some("z1")), ["a"]);
    }
}
