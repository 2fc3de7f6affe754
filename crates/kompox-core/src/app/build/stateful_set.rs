//! StatefulSets: workloads that mount a disk.
//!
//! One replica, `Parallel` (`OrderedReady` never replaces a pod that is not Ready, and the field is
//! immutable), no volumeClaimTemplates: the claim is handed over by the operator. The writer finalizer
//! keeps a force-deleted pod's object, and so its successor away, until its containers have ended.

use super::pod;
use crate::app::validated::{Activity, ValidatedApp, ValidatedWorkload};
use crate::{labels, naming};
use k8s_openapi::api::apps::v1::{StatefulSet, StatefulSetSpec};
use kompox_crds::names::finalizers;

/// Old revisions kept: enough to look one change back.
pub(super) const REVISION_HISTORY: i32 = 2;

/// The StatefulSet of a workload.
pub(super) fn build(app: &ValidatedApp, workload: &ValidatedWorkload) -> StatefulSet {
    let name = naming::workload(&app.identity.name, &workload.name);
    let mut template = pod::template(app, workload, "Always");
    if let Some(metadata) = template.metadata.as_mut() {
        metadata.finalizers = Some(vec![finalizers::WRITER.to_owned()]);
    }
    // The StatefulSet names its pods itself.
    if let Some(spec) = template.spec.as_mut() {
        spec.hostname = None;
    }
    StatefulSet {
        metadata: pod::workload_meta(app, workload, name),
        spec: StatefulSetSpec {
            pod_management_policy: Some("Parallel".to_owned()),
            replicas: Some(replicas(app, workload)),
            revision_history_limit: Some(REVISION_HISTORY),
            selector: labels::selector(labels::service_selector(&app.identity.name, &workload.name)),
            service_name: workload.governing_service.clone(),
            template,
            ..StatefulSetSpec::default()
        },
        status: None,
    }
}

/// One writer per disk; none while the app hibernates or the file says `replicas: 0`.
fn replicas(app: &ValidatedApp, workload: &ValidatedWorkload) -> i32 {
    match app.activity {
        Activity::Running => workload.replicas.clamp(0, 1),
        Activity::Hibernated => 0,
    }
}
