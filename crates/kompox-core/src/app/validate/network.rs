//! `spec.networkPolicy` in the terms of `networking.k8s.io/v1`.

use crate::app::facts::Settings;
use crate::app::validated::ValidatedNetworkPolicy;
use k8s_openapi::api::networking::v1::{
    IPBlock, NetworkPolicyIngressRule, NetworkPolicyPeer, NetworkPolicyPort,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kompox_crds::KompoxApp;
use kompox_crds::v1alpha1::app::{
    LabelOperator, LabelSelector as SpecSelector, NetworkPeer, NetworkPolicyMode, NetworkPort, NetworkRule,
    Protocol,
};

/// The policy; `None` for mode `None`. (`FromCompose` is refused elsewhere.)
pub(super) fn validate(app: &KompoxApp, settings: &Settings) -> Option<ValidatedNetworkPolicy> {
    let policy = &app.spec.network_policy;
    (policy.mode != NetworkPolicyMode::None).then(|| ValidatedNetworkPolicy {
        ingress_namespaces: settings.ingress_namespaces.clone(),
        rules: policy.ingress_rules.iter().map(rule).collect(),
    })
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
