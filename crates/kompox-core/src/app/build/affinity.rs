//! Where a pod may run. Zones of disks are not repeated here: the PersistentVolume carries them.

use crate::app::validated::{ValidatedApp, ValidatedWorkload};
use crate::labels;
use crate::naming;
use k8s_openapi::api::core::v1::{
    Affinity, NodeAffinity, NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PodAffinity,
    PodAffinityTerm, PodAntiAffinity, TopologySpreadConstraint,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kompox_crds::names::DOMAIN;
use kompox_crds::names::labels::{NODE_POOL, ZONE};

/// Well-known labels of nodes with their operating system and architecture.
const OS: &str = "kubernetes.io/os";
const ARCH: &str = "kubernetes.io/arch";

/// Well-known label of nodes with their name.
const HOSTNAME: &str = "kubernetes.io/hostname";

/// The affinity of a workload's pod; `None` when it may run anywhere.
pub(super) fn build(app: &ValidatedApp, workload: &ValidatedWorkload) -> Option<Affinity> {
    let node_affinity = node_affinity(app, workload);
    let pod_affinity = pod_affinity(app, workload);
    let affinity =
        Affinity { node_affinity, pod_affinity, pod_anti_affinity: pod_anti_affinity(app, workload) };
    (affinity != Affinity::default()).then_some(affinity)
}

/// `max_replicas_per_node: 1`.
fn pod_anti_affinity(app: &ValidatedApp, workload: &ValidatedWorkload) -> Option<PodAntiAffinity> {
    workload.pod.one_per_node.then(|| PodAntiAffinity {
        required_during_scheduling_ignored_during_execution: Some(vec![PodAffinityTerm {
            label_selector: Some(own_pods(app, workload)),
            topology_key: HOSTNAME.to_owned(),
            ..PodAffinityTerm::default()
        }]),
        preferred_during_scheduling_ignored_during_execution: None,
    })
}

/// `placement.preferences`: as far as that goes, as in Swarm.
pub(super) fn spread(app: &ValidatedApp, workload: &ValidatedWorkload) -> Vec<TopologySpreadConstraint> {
    let over = workload.pod.spread_over.iter();
    over.map(|key| TopologySpreadConstraint {
        label_selector: Some(own_pods(app, workload)),
        max_skew: 1,
        topology_key: key.clone(),
        when_unsatisfiable: "ScheduleAnyway".to_owned(),
        ..TopologySpreadConstraint::default()
    })
    .collect()
}

fn own_pods(app: &ValidatedApp, workload: &ValidatedWorkload) -> LabelSelector {
    labels::selector(labels::service_selector(&app.identity.name, &workload.name))
}

/// The label that pods using `disk` carry.
pub(super) fn disk_label(disk: &str) -> String {
    format!("{DOMAIN}/{}", naming::disk_label(disk))
}

fn node_affinity(app: &ValidatedApp, workload: &ValidatedWorkload) -> Option<NodeAffinity> {
    let platform = &workload.pod.platform;
    let requirements: Vec<_> = [
        (ZONE, app.scheduling.zones.clone()),
        (NODE_POOL, app.scheduling.pools.clone()),
        (OS, platform.os.iter().cloned().collect()),
        (ARCH, platform.arch.iter().cloned().collect()),
    ]
    .into_iter()
    .filter(|(_, values)| !values.is_empty())
    .map(|(key, values)| NodeSelectorRequirement {
        key: key.to_owned(),
        operator: "In".to_owned(),
        values: Some(values),
    })
    .chain(workload.pod.node_requirements.iter().cloned())
    .collect();
    (!requirements.is_empty()).then(|| NodeAffinity {
        required_during_scheduling_ignored_during_execution: Some(NodeSelector {
            node_selector_terms: vec![NodeSelectorTerm {
                match_expressions: Some(requirements),
                match_fields: None,
            }],
        }),
        preferred_during_scheduling_ignored_during_execution: None,
    })
}

/// Pods that share a disk run on one node: `ReadWriteOnce` attaches it to one. The first pod is admitted
/// by its own label.
fn pod_affinity(app: &ValidatedApp, workload: &ValidatedWorkload) -> Option<PodAffinity> {
    let shared = |disk: &&str| app.disks.get(*disk).is_some_and(|disk_use| disk_use.workloads.len() > 1);
    let terms: Vec<_> = workload
        .disks()
        .into_iter()
        .filter(shared)
        .map(|disk| {
            let mut wanted = labels::app_selector(&app.identity.name);
            wanted.insert(disk_label(disk), "true".to_owned());
            PodAffinityTerm {
                label_selector: Some(labels::selector(wanted)),
                topology_key: HOSTNAME.to_owned(),
                ..PodAffinityTerm::default()
            }
        })
        .collect();
    (!terms.is_empty()).then_some(PodAffinity {
        required_during_scheduling_ignored_during_execution: Some(terms),
        preferred_during_scheduling_ignored_during_execution: None,
    })
}
