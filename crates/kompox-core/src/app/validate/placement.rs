//! `deploy.placement`: which nodes, and how the pods are spread over them.

use super::subject::Subject;
use super::{Findings, image, names};
use crate::app::codes;
use k8s_openapi::api::core::v1::NodeSelectorRequirement;

/// Label of nodes that run the control plane.
const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";

/// What Swarm calls labels of nodes.
const NODE_LABELS: &str = "node.labels.";

/// `constraints`: what a node must be.
pub(super) fn constraints(subject: &Subject<'_>, findings: &mut Findings) -> Vec<NodeSelectorRequirement> {
    let mut requirements = Vec::new();
    for (index, constraint) in subject.service.deploy.constraints.iter().enumerate() {
        if let Some(requirement) = requirement(&constraint.value) {
            requirements.push(requirement);
            continue;
        }
        let key = format!("deploy.placement.constraints[{index}]");
        let message = format!("no selection of nodes can express `{}`", constraint.value);
        findings.diagnose(
            subject.at(&codes::PLACEMENT_CONSTRAINT, &key, &constraint.span, message).help(
                "use `node.hostname`, `node.role`, `node.platform.os`, `node.platform.arch` or `node.labels.NAME` \
                 with `==` or `!=`",
            ),
        );
    }
    requirements
}

fn requirement(constraint: &str) -> Option<NodeSelectorRequirement> {
    let (subject, equal, value) = match constraint.split_once("!=") {
        Some((subject, value)) => (subject.trim(), false, value.trim()),
        None => constraint.split_once("==").map(|(subject, value)| (subject.trim(), true, value.trim()))?,
    };
    let operator = |yes: &str, no: &str| if equal { yes.to_owned() } else { no.to_owned() };
    if subject == "node.role" {
        let manager = match value {
            "manager" => equal,
            "worker" => !equal,
            _ => return None,
        };
        let operator = if manager { "Exists" } else { "DoesNotExist" };
        let (key, operator) = (CONTROL_PLANE.to_owned(), operator.to_owned());
        return Some(NodeSelectorRequirement { key, operator, values: None });
    }
    let (key, value) = match subject {
        "node.hostname" => ("kubernetes.io/hostname", value),
        "node.platform.os" => ("kubernetes.io/os", value),
        "node.platform.arch" => ("kubernetes.io/arch", image::architecture(value)),
        _ => (subject.strip_prefix(NODE_LABELS)?, value),
    };
    (names::is_qualified_name(key) && names::is_label_value(value)).then(|| NodeSelectorRequirement {
        key: key.to_owned(),
        operator: operator("In", "NotIn"),
        values: Some(vec![value.to_owned()]),
    })
}

/// `preferences`: node labels over whose values the pods are spread.
pub(super) fn spread_over(subject: &Subject<'_>, findings: &mut Findings) -> Vec<String> {
    let mut keys = Vec::new();
    for (index, preference) in subject.service.deploy.preferences.iter().enumerate() {
        let label = preference.spread.value.strip_prefix(NODE_LABELS);
        if let Some(label) = label.filter(|label| names::is_qualified_name(label)) {
            keys.push(label.to_owned());
            continue;
        }
        let key = format!("deploy.placement.preferences[{index}].spread");
        let message = format!("pods cannot be spread over `{}`", preference.spread.value);
        findings.diagnose(
            subject
                .at(&codes::PLACEMENT_IGNORED, &key, &preference.spread.span, message)
                .help("spread over `node.labels.NAME`"),
        );
    }
    keys.dedup();
    keys
}

/// `max_replicas_per_node`: Kubernetes can keep pods apart, and count no further.
pub(super) fn one_per_node(subject: &Subject<'_>, findings: &mut Findings) -> bool {
    let Some(maximum) = &subject.service.deploy.max_replicas_per_node else { return false };
    if maximum.value > 1 {
        let message = format!("a node may get more than {} pods of the service", maximum.value);
        let key = "deploy.placement.max_replicas_per_node";
        findings.diagnose(
            subject
                .at(&codes::PLACEMENT_IGNORED, key, &maximum.span, message)
                .help("1 is kept: pods can be told to stay apart"),
        );
    }
    maximum.value == 1
}

#[cfg(test)]
mod tests {
    use super::requirement;

    #[test]
    fn constraints_select_nodes() {
        for (text, expected) in [
            ("node.hostname == n1", Some(("kubernetes.io/hostname", "In", Some("n1")))),
            ("node.hostname!=n1", Some(("kubernetes.io/hostname", "NotIn", Some("n1")))),
            ("node.labels.disk==ssd", Some(("disk", "In", Some("ssd")))),
            (
                "node.labels.topology.kubernetes.io/zone == a",
                Some(("topology.kubernetes.io/zone", "In", Some("a"))),
            ),
            ("node.platform.arch==x86_64", Some(("kubernetes.io/arch", "In", Some("amd64")))),
            ("node.platform.os != windows", Some(("kubernetes.io/os", "NotIn", Some("windows")))),
            ("node.role == manager", Some((super::CONTROL_PLANE, "Exists", None))),
            ("node.role != manager", Some((super::CONTROL_PLANE, "DoesNotExist", None))),
            ("node.role == worker", Some((super::CONTROL_PLANE, "DoesNotExist", None))),
            ("node.id == 2ivku8v2gvtg4", None),
            ("engine.labels.os == linux", None),
            ("node.labels.a b == c", None),
            ("node.role = manager", None),
            ("node.role == boss", None),
        ] {
            let found = requirement(text);
            let found = found.as_ref().map(|found| {
                let value = found.values.as_ref().and_then(|values| values.first());
                (found.key.as_str(), found.operator.as_str(), value.map(String::as_str))
            });
            assert_eq!(found, expected, "{text}");
        }
    }
}
