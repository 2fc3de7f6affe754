//! Jobs: one-shot services.
//!
//! A Job's template is immutable, so its name carries a hash of it: a changed service is a new Job, and
//! the old one is pruned.

use super::pod;
use crate::app::validated::{Activity, ValidatedApp, ValidatedWorkload};
use crate::hash::FieldHasher;
use crate::naming;
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;

/// The Job of a workload. It keeps its name while only `suspend` changes.
pub(super) fn build(app: &ValidatedApp, workload: &ValidatedWorkload, backoff_limit: i32) -> Job {
    // `Never`: with `OnFailure` the last failed pod is deleted together with its logs.
    let template = pod::template(app, workload, "Never");
    Job {
        metadata: pod::workload_meta(app, workload, name_of(app, workload, backoff_limit, &template)),
        spec: Some(JobSpec {
            backoff_limit: Some(backoff_limit),
            completions: runs(workload),
            parallelism: runs(workload),
            suspend: Some(app.activity == Activity::Hibernated),
            template,
            ..JobSpec::default()
        }),
        status: None,
    }
}

/// Runs, all at once as under Docker; absent: one. A Job of none is complete from the start.
fn runs(workload: &ValidatedWorkload) -> Option<i32> {
    (workload.replicas != 1).then_some(workload.replicas)
}

/// The Job's name.
pub(super) fn name(app: &ValidatedApp, workload: &ValidatedWorkload, backoff_limit: i32) -> String {
    name_of(app, workload, backoff_limit, &pod::template(app, workload, "Never"))
}

fn name_of(
    app: &ValidatedApp,
    workload: &ValidatedWorkload,
    backoff_limit: i32,
    template: &PodTemplateSpec,
) -> String {
    let mut hasher = FieldHasher::default();
    hasher.field(backoff_limit.to_be_bytes());
    // A Job's `completions` cannot change either.
    if let Some(runs) = runs(workload) {
        hasher.field(runs.to_be_bytes());
    }
    // Maps of k8s-openapi are BTreeMaps: the text is the same each time. Serialising them cannot fail.
    hasher.field(serde_json::to_vec(template).unwrap_or_default());
    naming::job(&app.identity.name, &workload.name, &hasher.hex())
}
