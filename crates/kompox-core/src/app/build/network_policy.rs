//! NetworkPolicies. `Isolated`: in from the app itself, from ingress controllers to the routed ports, and by
//! the rules of the spec; out to anywhere. `FromCompose`: inside the app only along its networks, and from
//! internal ones not out.

use super::{no_network, some_if_any};
use crate::app::validated::{ValidatedApp, ValidatedNetwork, ValidatedNetworkPolicy};
use crate::{labels, naming};
use k8s_openapi::api::networking::v1::{
    NetworkPolicy, NetworkPolicyEgressRule, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
    NetworkPolicySpec,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kompox_crds::names::DOMAIN;
use std::collections::BTreeSet;

/// Label that the API server puts on every namespace.
const NAMESPACE_NAME: &str = "kubernetes.io/metadata.name";

/// The app's NetworkPolicies; none when everybody may reach it. The first is about what is outside, and
/// about the app as a whole; the others are those of its networks, if these separate it.
pub(super) fn build(app: &ValidatedApp) -> Vec<NetworkPolicy> {
    let Some(policy) = &app.network_policy else { return Vec::new() };
    let mut rules: Vec<_> = policy.networks.is_none().then(|| inside(app)).into_iter().collect();
    rules.extend(from_ingress_controllers(app, policy));
    rules.extend(policy.rules.iter().cloned());
    let name = naming::bounded(&app.identity.name, naming::MAX_NAME);
    let pods = labels::app_selector(&app.identity.name);
    let networks = policy.networks.iter().flatten();
    std::iter::once(self::policy(app, name, pods, rules, None))
        .chain(networks.map(|network| of_network(app, policy, network)))
        .collect()
}

/// The label of the pods on a network.
pub(super) fn label(network: &ValidatedNetwork) -> String {
    format!("{DOMAIN}/{}", naming::network_label(&network.name))
}

/// Who is on the network reaches who is on it. Policies add up, so that a pod that is also on a network
/// with a way out has one.
fn of_network(
    app: &ValidatedApp,
    policy: &ValidatedNetworkPolicy,
    network: &ValidatedNetwork,
) -> NetworkPolicy {
    let mut members = labels::app_selector(&app.identity.name);
    members.insert(label(network), "true".to_owned());
    let peers = || {
        let pods = Some(labels::selector(members.clone()));
        Some(vec![NetworkPolicyPeer { pod_selector: pods, ..NetworkPolicyPeer::default() }])
    };
    let any_internal = policy.networks.iter().flatten().any(|network| network.internal);
    let egress = any_internal.then(|| match network.internal {
        true => vec![
            NetworkPolicyEgressRule { to: peers(), ports: None },
            NetworkPolicyEgressRule { to: None, ports: Some(dns()) },
        ],
        false => vec![NetworkPolicyEgressRule::default()],
    });
    let ingress = vec![NetworkPolicyIngressRule { from: peers(), ports: None }];
    let name = naming::network_policy(&app.identity.name, &network.name);
    self::policy(app, name, members, ingress, egress)
}

/// Name servers may be pods or addresses of nodes: the port is what they have in common.
fn dns() -> Vec<NetworkPolicyPort> {
    let port = |protocol: &str| NetworkPolicyPort {
        port: Some(IntOrString::Int(53)),
        protocol: Some(protocol.to_owned()),
        end_port: None,
    };
    vec![port("UDP"), port("TCP")]
}

fn policy(
    app: &ValidatedApp,
    name: String,
    pods: labels::Labels,
    ingress: Vec<NetworkPolicyIngressRule>,
    egress: Option<Vec<NetworkPolicyEgressRule>>,
) -> NetworkPolicy {
    let types = ["Ingress"].into_iter().chain(egress.as_ref().map(|_| "Egress"));
    NetworkPolicy {
        metadata: labels::object_meta(&app.identity, name, None, &app.inherited),
        spec: Some(NetworkPolicySpec {
            policy_types: Some(types.map(str::to_owned).collect()),
            ingress: Some(ingress),
            pod_selector: Some(no_network::without(app, pods)),
            egress,
        }),
    }
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
            app.services()
                .filter(|(_, service)| naming::publish_service(&service.name) == route.service)
                .flat_map(|(_, service)| &service.published)
                .filter(|port| port.published == route.port)
                .map(|port| port.target)
        })
        .collect()
}
