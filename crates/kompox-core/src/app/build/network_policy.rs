//! The NetworkPolicy of mode `Isolated`: in from the app itself, from ingress controllers to the routed
//! ports, and by the rules of the spec; out to anywhere.

use super::some_if_any;
use crate::app::validated::{ValidatedApp, ValidatedNetworkPolicy};
use crate::{labels, naming};
use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort, NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use std::collections::BTreeSet;

/// Label that the API server puts on every namespace.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The app's NetworkPolicy; `None` when everybody may reach it.
pub(super) fn build(app: &ValidatedApp) -> Option<NetworkPolicy> {
    let policy = app.network_policy.as_ref()?;
    let mut rules = vec![inside(app)];
    rules.extend(from_ingress_controllers(app, policy));
    rules.extend(policy.rules.iter().cloned());
    let name = naming::bounded(&app.identity.name, naming::MAX_NAME);
    Some(NetworkPolicy {
        metadata: labels::object_meta(&app.identity, name, None, &app.inherited),
        spec: Some(NetworkPolicySpec {
            ingress: Some(rules),
            pod_selector: Some(labels::selector(labels::app_selector(&app.identity.name))),
            policy_types: Some(vec!["Ingress".to_owned()]),
            egress: None,
        }),
    })
}

fn inside(app: &ValidatedApp) -> NetworkPolicyIngressRule {
    let peer = NetworkPolicyPeer {
        pod_selector: Some(labels::selector(labels::app_selector(&app.identity.name))),
        ..NetworkPolicyPeer::default()
    };
    NetworkPolicyIngressRule { from: Some(vec![peer]), ports: None }
}

/// Policies see the pod's port, not the Service's.
fn from_ingress_controllers(
    app: &ValidatedApp,
    policy: &ValidatedNetworkPolicy,
) -> Option<NetworkPolicyIngressRule> {
    let ports = routed_ports(app);
    if ports.is_empty() || policy.ingress_namespaces.is_empty() {
        return None;
    }
    let namespaces = LabelSelector {
        match_labels: None,
        match_expressions: Some(vec![LabelSelectorRequirement {
            key: NAMESPACE_NAME.to_owned(),
            operator: "In".to_owned(),
            values: Some(policy.ingress_namespaces.clone()),
        }]),
    };
    let peer = NetworkPolicyPeer { namespace_selector: Some(namespaces), ..NetworkPolicyPeer::default() };
    let ports = ports.into_iter().map(|port| NetworkPolicyPort {
        port: Some(IntOrString::Int(i32::from(port))),
        protocol: Some("TCP".to_owned()),
        end_port: None,
    });
    Some(NetworkPolicyIngressRule { from: Some(vec![peer]), ports: some_if_any(ports.collect()) })
}

fn routed_ports(app: &ValidatedApp) -> BTreeSet<u16> {
    let routes = app.ingress.iter().flat_map(|ingress| &ingress.routes);
    routes
        .flat_map(|route| {
            app.services
                .iter()
                .filter(|service| naming::publish_service(&service.name) == route.service)
                .flat_map(|service| &service.published)
                .filter(|port| port.published == route.port)
                .map(|port| port.target)
        })
        .collect()
}
