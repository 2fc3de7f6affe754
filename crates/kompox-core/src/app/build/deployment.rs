//! Deployments: workloads that mount no disk.

use super::pod;
use super::stateful_set::REVISION_HISTORY;
use crate::app::validated::{Activity, Rollout, ValidatedApp, ValidatedWorkload};
use crate::{labels, naming};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};

/// The Deployment of a workload.
pub(super) fn build(app: &ValidatedApp, workload: &ValidatedWorkload) -> Deployment {
    let name = naming::workload(&app.identity.name, &workload.name);
    Deployment {
        metadata: pod::workload_meta(app, workload, name),
        spec: DeploymentSpec {
            replicas: Some(match app.activity {
                Activity::Running => workload.replicas,
                Activity::Hibernated => 0,
            }),
            min_ready_seconds: workload.pod.rollout.min_ready_seconds,
            revision_history_limit: Some(REVISION_HISTORY),
            selector: labels::selector(labels::service_selector(&app.identity.name, &workload.name)),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: rolling_update(&workload.pod.rollout),
            }),
            template: pod::template(app, workload, "Always"),
            ..DeploymentSpec::default()
        },
        status: None,
    }
}

fn rolling_update(rollout: &Rollout) -> Option<RollingUpdateDeployment> {
    let Rollout { max_surge, max_unavailable, min_ready_seconds: _ } = rollout.clone();
    (max_surge.is_some() || max_unavailable.is_some())
        .then_some(RollingUpdateDeployment { max_surge, max_unavailable })
}
