//! NetworkPolicies of services without network: nothing in, nothing out.
//!
//! Policies add up, so the app's own policy must leave these pods out: see [`without`].

use crate::app::validated::{ValidatedApp, ValidatedWorkload};
use crate::labels::{self, Labels};
use crate::naming;
use k8s_openapi::api::networking::v1::{NetworkPolicy, NetworkPolicySpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use kompox_crds::names::labels::SERVICE;

/// A policy for each workload without network.
pub(super) fn build(app: &ValidatedApp) -> Vec<NetworkPolicy> {
    cut_off(app).map(|workload| deny(app, workload)).collect()
}

fn cut_off(app: &ValidatedApp) -> impl Iterator<Item = &ValidatedWorkload> {
    app.workloads.iter().filter(|workload| workload.pod.no_network)
}

fn deny(app: &ValidatedApp, workload: &ValidatedWorkload) -> NetworkPolicy {
    let name = naming::no_network(&app.identity.name, &workload.name);
    NetworkPolicy {
        metadata: labels::object_meta(&app.identity, name, Some(&workload.name), &app.inherited),
        spec: Some(NetworkPolicySpec {
            pod_selector: Some(labels::selector(labels::service_selector(
                &app.identity.name,
                &workload.name,
            ))),
            policy_types: Some(vec!["Ingress".to_owned(), "Egress".to_owned()]),
            ingress: None,
            egress: None,
        }),
    }
}

/// The pods with these labels that have a network.
pub(super) fn without(app: &ValidatedApp, pods: Labels) -> LabelSelector {
    let values: Vec<_> =
        cut_off(app).map(|workload| naming::bounded(&workload.name, naming::MAX_LABEL)).collect();
    let expressions = (!values.is_empty()).then(|| {
        vec![LabelSelectorRequirement {
            key: SERVICE.to_owned(),
            operator: "NotIn".to_owned(),
            values: Some(values),
        }]
    });
    LabelSelector { match_expressions: expressions, ..labels::selector(pods) }
}
