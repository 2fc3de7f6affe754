//! StatefulSets: services that mount a disk.
//!
//! One replica, `Parallel` (`OrderedReady` never replaces a pod that is not Ready, and the field is
//! immutable), no volumeClaimTemplates: the claim is handed over by the operator. The writer finalizer
//! keeps a force-deleted pod's object, and so its successor away, until its containers have ended.

use super::pod;
use crate::app::validated::{Activity, ValidatedApp, ValidatedService};
use crate::{labels, naming};
use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use kompox_crds::names::finalizers;

/// Old revisions kept: enough to look one change back.
pub(super) const REVISION_HISTORY: i32 = 2;

/// The StatefulSet of a service.
pub(super) fn build(app: &ValidatedApp, service: &ValidatedService) -> StatefulSet {
    let name = naming::workload(&app.identity.name, &service.name);
    let mut template = pod::template(app, service, "Always");
    if let Some(metadata) = template.metadata.as_mut() {
        metadata.finalizers = Some(vec![finalizers::WRITER.to_owned()]);
    }
    // The StatefulSet names its pods itself.
    if let Some(spec) = template.spec.as_mut() {
        spec.hostname = None;
    }
    StatefulSet {
        metadata: labels::object_meta(&app.identity, name, Some(&service.name), &app.inherited),
        spec: StatefulSetSpec {
            pod_management_policy: Some("Parallel".to_owned()),
            replicas: Some(replicas(app, service)),
            revision_history_limit: Some(REVISION_HISTORY),
            selector: labels::selector(labels::service_selector(&app.identity.name, &service.name)),
            service_name: Some(service.name.clone()),
            template,
            ..StatefulSetSpec::default()
        },
        status: None,
    }
}

/// One writer per disk; none while the app hibernates or the file says `replicas: 0`.
fn replicas(app: &ValidatedApp, service: &ValidatedService) -> i32 {
    match app.activity {
        Activity::Running => service.replicas.clamp(0, 1),
        Activity::Hibernated => 0,
    }
}
