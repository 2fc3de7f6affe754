//! Labels and owner references of the objects made for an app. Selectors use `kompox.dev/*` keys alone:
//! they are immutable, and the recommended labels are for people and dashboards.

use crate::app::{AppIdentity, Inherited};
use crate::naming;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta, OwnerReference};
use kompox_crds::names;
use kompox_crds::names::labels::{APP, INSTANCE, MANAGED_BY, MANAGED_BY_KOMPOX, NAME, PART_OF, SERVICE};
use std::collections::BTreeMap;

/// Labels as Kubernetes stores them.
pub type Labels = BTreeMap<String, String>;

/// The label that every object of the app carries, as a selector.
#[must_use]
pub fn app_selector(app: &str) -> Labels {
    Labels::from([(APP.to_owned(), naming::bounded(app, naming::MAX_LABEL))])
}

/// The labels that select the pods of one service.
#[must_use]
pub fn service_selector(app: &str, service: &str) -> Labels {
    let mut labels = app_selector(app);
    labels.insert(SERVICE.to_owned(), naming::bounded(service, naming::MAX_LABEL));
    labels
}

/// A selector of exactly these labels.
#[must_use]
pub fn selector(labels: Labels) -> LabelSelector {
    LabelSelector { match_labels: Some(labels), match_expressions: None }
}

/// All labels of an object of the app; `service` where it belongs to one.
#[must_use]
pub fn object_labels(app: &AppIdentity, service: Option<&str>, inherited: &Inherited) -> Labels {
    let instance = naming::bounded(&app.name, naming::MAX_LABEL);
    let mut labels = inherited.labels.clone();
    labels.extend(match service {
        Some(service) => service_selector(&app.name, service),
        None => app_selector(&app.name),
    });
    let name = service.map_or_else(|| instance.clone(), |name| naming::bounded(name, naming::MAX_LABEL));
    labels.extend([
        (NAME.to_owned(), name),
        (INSTANCE.to_owned(), instance.clone()),
        (PART_OF.to_owned(), instance),
        (MANAGED_BY.to_owned(), MANAGED_BY_KOMPOX.to_owned()),
    ]);
    labels
}

/// The reference that makes the garbage collector delete an object with its app.
#[must_use]
pub fn owner_reference(app: &AppIdentity) -> OwnerReference {
    OwnerReference {
        api_version: names::API_VERSION.to_owned(),
        kind: "KompoxApp".to_owned(),
        name: app.name.clone(),
        uid: app.uid.clone(),
        controller: Some(true),
        // No blockOwnerDeletion: the app waits for its workloads itself, by its own finalizer.
        block_owner_deletion: None,
    }
}

/// Metadata of an object owned by the app.
#[must_use]
pub fn object_meta(
    app: &AppIdentity,
    name: String,
    service: Option<&str>,
    inherited: &Inherited,
) -> ObjectMeta {
    ObjectMeta {
        name: Some(name),
        namespace: Some(app.namespace.clone()),
        labels: Some(object_labels(app, service, inherited)),
        annotations: (!inherited.annotations.is_empty()).then(|| inherited.annotations.clone()),
        owner_references: Some(vec![owner_reference(app)]),
        ..ObjectMeta::default()
    }
}
