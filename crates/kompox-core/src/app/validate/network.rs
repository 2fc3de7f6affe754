//! Networks, and `spec.networkPolicy` in the terms of `networking.k8s.io/v1`.

use super::{Findings, Given};
use crate::app::codes;
use crate::app::validated::{ValidatedNetwork, ValidatedNetworkPolicy};
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kompox_compose::{Diagnostic, Project, Spanned};
use kompox_crds::v1alpha1::app::{
    LabelOperator, LabelSelector as SpecSelector, NetworkPeer, NetworkPolicyMode, NetworkPort, NetworkRule,
    Protocol,
};
use std::collections::BTreeSet;

/// The policy; `None` for mode `None`.
pub(super) fn validate(given: &Given<'_>, findings: &mut Findings) -> Option<ValidatedNetworkPolicy> {
    let policy = &given.app.spec.network_policy;
    let separated = policy.mode == NetworkPolicyMode::FromCompose;
    note_networks(given.project, separated, findings);
    note_addresses(given.project, findings);
    (policy.mode != NetworkPolicyMode::None).then(|| ValidatedNetworkPolicy {
        ingress_namespaces: given.settings.ingress_namespaces.clone(),
        rules: policy.ingress_rules.iter().map(rule).collect(),
        networks: separated.then(|| networks(given.project)),
    })
}

fn is_set(flag: Option<&Spanned<bool>>) -> bool {
    flag.is_some_and(|flag| flag.value)
}

/// The networks and the services that join them.
fn networks(project: &Project) -> Vec<ValidatedNetwork> {
    let joins = |name: &String| {
        let members = project.services.values().filter(|service| service.networks.contains_key(name));
        members.map(|service| service.name.value.clone()).collect()
    };
    let networks = project.networks.iter();
    networks
        .map(|(name, network)| ValidatedNetwork {
            name: name.clone(),
            internal: is_set(network.internal.as_ref()),
            services: joins(name),
        })
        .collect()
}

/// Says what becomes of each declared network.
fn note_networks(project: &Project, separated: bool, findings: &mut Findings) {
    let joined: BTreeSet<_> = project.services.values().flat_map(|service| service.networks.keys()).collect();
    let several = joined.len() > 1;
    for (name, network) in &project.networks {
        let at = |code, message: &str| {
            Diagnostic::new(code, message).at(&network.span).path(format!("networks.{name}"))
        };
        let foreign = ["host", "macvlan", "ipvlan"];
        if let Some(driver) =
            network.driver.as_ref().filter(|driver| foreign.contains(&driver.value.as_str()))
        {
            let message = format!("a cluster has no network driver `{}`", driver.value);
            findings.diagnose(at(&codes::NETWORK_DRIVER, &message).help("remove the driver"));
        }
        if is_set(network.external.as_ref()) {
            let message = "containers of other projects on this network are not reached under it";
            let help = "allow them in spec.networkPolicy.ingressRules; they reach the app by its Services";
            findings.diagnose(at(&codes::FOREIGN_NETWORK, message).help(help));
        }
        if separated {
            continue;
        }
        let help = "set spec.networkPolicy.mode to FromCompose";
        if is_set(network.internal.as_ref()) {
            let message = "services on this network do reach what is outside";
            findings.diagnose(at(&codes::INTERNAL_NETWORK, message).help(help));
        }
        if several {
            let message = "services on different networks of this file reach each other";
            findings.diagnose(at(&codes::NETWORKS_JOINED, message).help(help));
        } else if name != "default" {
            let message = "it is the one flat network of the app";
            findings.diagnose(at(&codes::FLAT_NETWORK, message));
        }
    }
}

fn note_addresses(project: &Project, findings: &mut Findings) {
    for service in project.services.values() {
        for (name, attachment) in &service.networks {
            let spans = attachment.addresses.iter().map(|address| &address.span);
            for span in spans.chain(attachment.mac_address.iter().map(|address| &address.span)) {
                let message = "a pod gets its address from the cluster: others find it by name";
                findings.diagnose(
                    Diagnostic::new(&codes::STATIC_ADDRESS, message)
                        .at(span)
                        .path(format!("services.{}.networks.{name}", service.name.value)),
                );
            }
        }
    }
}

fn rule(rule: &NetworkRule) -> NetworkPolicyIngressRule {
    NetworkPolicyIngressRule {
        from: (!rule.from.is_empty()).then(|| rule.from.iter().map(peer).collect()),
        ports: (!rule.ports.is_empty()).then(|| rule.ports.iter().map(port).collect()),
    }
}

fn peer(peer: &NetworkPeer) -> NetworkPolicyPeer {
    NetworkPolicyPeer {
        ip_block: peer.ip_block.as_ref().map(|block| IPBlock {
            cidr: block.cidr.clone(),
            except: (!block.except.is_empty()).then(|| block.except.clone()),
        }),
        namespace_selector: peer.namespace_selector.as_ref().map(selector),
        pod_selector: peer.pod_selector.as_ref().map(selector),
    }
}

fn selector(selector: &SpecSelector) -> LabelSelector {
    let expressions: Vec<_> = selector
        .match_expressions
        .iter()
        .map(|requirement| LabelSelectorRequirement {
            key: requirement.key.clone(),
            operator: operator(requirement.operator).to_owned(),
            values: (!requirement.values.is_empty()).then(|| requirement.values.clone()),
        })
        .collect();
    LabelSelector {
        match_labels: (!selector.match_labels.is_empty()).then(|| selector.match_labels.clone()),
        match_expressions: (!expressions.is_empty()).then_some(expressions),
    }
}

fn operator(operator: LabelOperator) -> &'static str {
    match operator {
        LabelOperator::In => "In",
        LabelOperator::NotIn => "NotIn",
        LabelOperator::Exists => "Exists",
        LabelOperator::DoesNotExist => "DoesNotExist",
    }
}

fn port(port: &NetworkPort) -> NetworkPolicyPort {
    let protocol = match port.protocol.unwrap_or_default() {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
    };
    NetworkPolicyPort {
        port: Some(IntOrString::Int(port.port)),
        protocol: Some(protocol.to_owned()),
        end_port: None,
    }
}
