//! The parts of the spec that have nothing to do with the Compose file, and those not carried out yet.

use super::Findings;
use crate::app::problem::Problem;
use crate::app::validated::{Inherited, Scheduling};
use k8s_openapi::api::core::v1::{LocalObjectReference, Toleration};
use kompox_crds::names::annotations::RESTARTED_AT;
use kompox_crds::v1alpha1::app::{
    IngressMode, Toleration as SpecToleration, TolerationEffect, TolerationOperator,
};
use kompox_crds::{KompoxApp, Reason};

/// Says what of the spec is not supported: it only leaves the app less reachable, and is a shortfall.
pub(super) fn check(app: &KompoxApp, findings: &mut Findings) {
    let spec = &app.spec;
    let unsupported = |field: &str, what: &str, remedy: &str| {
        Problem::in_spec(Reason::NotSupported, field, format!("{what} is not supported yet"), remedy)
    };
    let reduced = [
        (
            spec.ingress.mode == IngressMode::Gateway,
            unsupported(
                "spec.ingress.mode",
                "Gateway",
                "use Ingress; the app runs without routes until then",
            ),
        ),
        (
            !spec.expose.is_empty(),
            unsupported(
                "spec.expose",
                "exposing ports",
                "remove the entries; the ports stay inside the cluster",
            ),
        ),
    ];
    findings.shortfalls.extend(reduced.into_iter().filter_map(|(used, problem)| used.then_some(problem)));
}

/// What children carry beside the operator's own labels and annotations.
pub(super) fn inherited(app: &KompoxApp) -> Inherited {
    let metadata = &app.spec.inherited_metadata;
    Inherited { labels: metadata.labels.clone(), annotations: metadata.annotations.clone() }
}

/// The last restart that a user asked for.
pub(super) fn restarted_at(app: &KompoxApp) -> Option<String> {
    app.metadata.annotations.as_ref()?.get(RESTARTED_AT).cloned()
}

/// Where pods may run.
pub(super) fn scheduling(app: &KompoxApp) -> Scheduling {
    let spec = &app.spec;
    let deployment = &spec.deployment;
    let sorted = |one: &Option<String>, many: &[String]| {
        let mut all: Vec<_> = one.iter().chain(many).cloned().collect();
        all.sort();
        all
    };
    Scheduling {
        zones: sorted(&deployment.zone, &deployment.zones),
        pools: sorted(&deployment.pool, &deployment.pools),
        node_selector: deployment.node_selector.clone(),
        tolerations: deployment.tolerations.iter().map(toleration).collect(),
        priority_class_name: deployment.priority_class_name.clone(),
        image_pull_secrets: spec
            .image_pull_secrets
            .iter()
            .map(|secret| LocalObjectReference { name: secret.name.clone() })
            .collect(),
        service_account_name: spec.service_account_name.clone(),
    }
}

fn toleration(toleration: &SpecToleration) -> Toleration {
    let operator = toleration.operator.map(|operator| match operator {
        TolerationOperator::Equal => "Equal",
        TolerationOperator::Exists => "Exists",
    });
    let effect = toleration.effect.map(|effect| match effect {
        TolerationEffect::NoSchedule => "NoSchedule",
        TolerationEffect::PreferNoSchedule => "PreferNoSchedule",
        TolerationEffect::NoExecute => "NoExecute",
    });
    Toleration {
        effect: effect.map(str::to_owned),
        key: toleration.key.clone(),
        operator: operator.map(str::to_owned),
        toleration_seconds: toleration.toleration_seconds,
        value: toleration.value.clone(),
    }
}
