//! DaemonSets: services that run once on every node.

use super::pod;
use super::stateful_set::REVISION_HISTORY;
use crate::app::validated::{Activity, Rollout, ValidatedApp, ValidatedWorkload};
use crate::{labels, naming};
use k8s_openapi::api::apps::v1::{DaemonSet, DaemonSetSpec, DaemonSetUpdateStrategy, RollingUpdateDaemonSet};
use k8s_openapi::api::core::v1::PodTemplateSpec;
use kompox_crds::names::DOMAIN;

/// The DaemonSet of a workload.
pub(super) fn build(app: &ValidatedApp, workload: &ValidatedWorkload) -> DaemonSet {
    let name = naming::workload(&app.identity.name, &workload.name);
    let mut template = pod::template(app, workload, "Always");
    if app.activity == Activity::Hibernated {
        keep_off(&mut template);
    }
    DaemonSet {
        metadata: pod::workload_meta(app, workload, name),
        spec: DaemonSetSpec {
            min_ready_seconds: workload.pod.rollout.min_ready_seconds,
            revision_history_limit: Some(REVISION_HISTORY),
            selector: labels::selector(labels::service_selector(&app.identity.name, &workload.name)),
            template,
            update_strategy: Some(DaemonSetUpdateStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: rolling_update(&workload.pod.rollout),
            }),
        },
        status: None,
    }
}

/// The label that no node has.
pub(in crate::app) fn nowhere() -> String {
    format!("{DOMAIN}/hibernated")
}

/// A DaemonSet has no number of replicas: what sleeps asks for a node that does not exist.
fn keep_off(template: &mut PodTemplateSpec) {
    if let Some(spec) = template.spec.as_mut() {
        spec.node_selector.get_or_insert_default().insert(nowhere(), "true".to_owned());
    }
}

fn rolling_update(rollout: &Rollout) -> Option<RollingUpdateDaemonSet> {
    let Rollout { max_surge, max_unavailable, min_ready_seconds: _ } = rollout.clone();
    (max_surge.is_some() || max_unavailable.is_some())
        .then_some(RollingUpdateDaemonSet { max_surge, max_unavailable })
}
