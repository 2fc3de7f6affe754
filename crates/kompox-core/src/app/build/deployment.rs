//! Deployments: services that mount no disk.

use super::pod;
use super::stateful_set::REVISION_HISTORY;
use crate::app::validated::{Activity, ValidatedApp, ValidatedService};
use crate::{labels, naming};
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy};

/// The Deployment of a service.
pub(super) fn build(app: &ValidatedApp, service: &ValidatedService) -> Deployment {
    let name = naming::workload(&app.identity.name, &service.name);
    Deployment {
        metadata: labels::object_meta(&app.identity, name, Some(&service.name), &app.inherited),
        spec: DeploymentSpec {
            replicas: Some(match app.activity {
                Activity::Running => service.replicas,
                Activity::Hibernated => 0,
            }),
            revision_history_limit: Some(REVISION_HISTORY),
            selector: labels::selector(labels::service_selector(&app.identity.name, &service.name)),
            strategy: Some(DeploymentStrategy {
                type_: Some("RollingUpdate".to_owned()),
                rolling_update: None,
            }),
            template: pod::template(app, service, "Always"),
            ..DeploymentSpec::default()
        },
        status: None,
    }
}
