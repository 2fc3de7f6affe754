//! Jobs: one-shot services.
//!
//! A Job's template is immutable, so its name carries a hash of it: a changed service is a new Job, and
//! the old one is pruned.

use super::pod;
use crate::app::validated::{Activity, ValidatedApp, ValidatedService};
use crate::hash::FieldHasher;
use crate::{labels, naming};
use k8s_openapi::api::batch::v1::{Job, JobSpec};
use k8s_openapi::api::core::v1::PodTemplateSpec;

/// The Job of a service. It keeps its name while only `suspend` changes.
pub(super) fn build(app: &ValidatedApp, service: &ValidatedService, backoff_limit: i32) -> Job {
    // `Never`: with `OnFailure` the last failed pod is deleted together with its logs.
    let template = pod::template(app, service, "Never");
    Job {
        metadata: labels::object_meta(
            &app.identity,
            name_of(app, service, backoff_limit, &template),
            Some(&service.name),
            &app.inherited,
        ),
        spec: Some(JobSpec {
            backoff_limit: Some(backoff_limit),
            suspend: Some(app.activity == Activity::Hibernated),
            template,
            ..JobSpec::default()
        }),
        status: None,
    }
}

/// The Job's name.
pub(super) fn name(app: &ValidatedApp, service: &ValidatedService, backoff_limit: i32) -> String {
    name_of(app, service, backoff_limit, &pod::template(app, service, "Never"))
}

fn name_of(
    app: &ValidatedApp,
    service: &ValidatedService,
    backoff_limit: i32,
    template: &PodTemplateSpec,
) -> String {
    let mut hasher = FieldHasher::default();
    hasher.field(backoff_limit.to_be_bytes());
    // Maps of k8s-openapi are BTreeMaps: the text is the same each time. Serialising them cannot fail.
    hasher.field(serde_json::to_vec(template).unwrap_or_default());
    naming::job(&app.identity.name, &service.name, &hasher.hex())
}
