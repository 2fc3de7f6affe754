//! Is this cluster on AWS with EBS? Pure.

use crate::config::{CSI_ADDON, CSI_AUTO_MODE};
use crate::plan::ZONE_LABEL;
use kompox_driver_sdk::attributes::get;
use kompox_driver_sdk::identity::{Detection, Facts, NodeSample};
use serde::Serialize;

const REGION_LABEL: &str = "topology.kubernetes.io/region";
const COMPUTE_TYPE_LABEL: &str = "eks.amazonaws.com/compute-type";
const CLUSTER_LABEL: &str = "alpha.eksctl.io/cluster-name";

/// What the nodes tell of the configuration, in the order of the names.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Derived {
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    csi_driver: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<String>,
}

/// `identity.detect`: at most one detection, with the configuration that the nodes tell.
#[must_use]
pub fn detect(facts: &Facts) -> Vec<Detection> {
    let has = |name: &str| facts.csi_drivers.iter().any(|driver| driver == name);
    let has_csi = has(CSI_ADDON) || has(CSI_AUTO_MODE);
    let nodes: Vec<&NodeSample> = facts.nodes.iter().filter(|node| can_attach(node)).collect();
    let on_aws = count(&nodes, is_aws);
    let all = count(&nodes, |_| true);
    let mostly_aws = on_aws * 2 > all;
    // A cluster may have the CSI driver of a cloud on which few or none of its nodes are.
    let (score, reason) = match (has_csi, mostly_aws) {
        (true, true) => (90, "the EBS CSI driver is installed and the nodes are on AWS"),
        (true, false) => (50, "the EBS CSI driver is installed"),
        (false, true) => (
            30,
            "the nodes are on AWS, but the EBS CSI driver is not installed: volumes could not be attached",
        ),
        (false, false) => return Vec::new(),
    };
    let derived = derive(&nodes, has(CSI_ADDON), has(CSI_AUTO_MODE));
    let detection = Detection {
        provider_type: "eks".into(),
        score,
        // A struct of texts can always be written.
        config: serde_json::to_string(&derived).unwrap_or_default(),
        reason: reason.into(),
    };
    vec![detection]
}

fn derive(nodes: &[&NodeSample], addon: bool, auto_mode: bool) -> Derived {
    let is_auto = |node: &NodeSample| get(&node.labels, COMPUTE_TYPE_LABEL) == Some("auto");
    let mostly_auto = count(nodes, is_auto) * 2 > count(nodes, |_| true);
    Derived {
        cluster_name: most_frequent(nodes, |node| get(&node.labels, CLUSTER_LABEL).map(str::to_owned)),
        csi_driver: (auto_mode && (mostly_auto || !addon)).then_some(CSI_AUTO_MODE),
        region: most_frequent(nodes, region),
    }
}

/// Fargate and hybrid nodes, virtual nodes and Windows never get an EBS volume of ours.
fn can_attach(node: &NodeSample) -> bool {
    let label = |key: &str| get(&node.labels, key);
    label("kubernetes.io/os").is_none_or(|os| os == "linux")
        && label("type") != Some("virtual-kubelet")
        && !matches!(label(COMPUTE_TYPE_LABEL), Some("fargate" | "hybrid"))
}

fn is_aws(node: &NodeSample) -> bool {
    node.provider_id.as_deref().is_some_and(|id| id.starts_with("aws:///"))
}

fn count(nodes: &[&NodeSample], matches: impl Fn(&NodeSample) -> bool) -> u64 {
    nodes.iter().filter(|node| matches(node)).map(|node| u64::from(node.count)).sum()
}

fn region(node: &NodeSample) -> Option<String> {
    if !is_aws(node) {
        return None;
    }
    let label = get(&node.labels, REGION_LABEL).map(str::to_owned);
    label.or_else(|| region_of_zone(get(&node.labels, ZONE_LABEL)?)).or_else(|| {
        // aws:///us-west-2a/i-0123
        region_of_zone(node.provider_id.as_deref()?.strip_prefix("aws:///")?.split('/').next()?)
    })
}

/// `us-west-2` of `us-west-2a` and of the local zone `us-west-2-lax-1a`.
fn region_of_zone(zone: &str) -> Option<String> {
    let number = zone.find(|character: char| character.is_ascii_digit())?;
    let digits = zone.get(number..)?.bytes().take_while(u8::is_ascii_digit).count();
    zone.get(..number + digits).map(str::to_owned)
}

/// The value that most nodes have; of equals the first in order.
fn most_frequent(nodes: &[&NodeSample], value: fn(&NodeSample) -> Option<String>) -> Option<String> {
    let votes = |wanted: &str| count(nodes, |node| value(node).as_deref() == Some(wanted));
    let values = nodes.iter().filter_map(|node| value(node));
    values.max_by(|a, b| votes(a).cmp(&votes(b)).then_with(|| b.cmp(a)))
}

#[cfg(test)]
mod tests {
    use super::{detect, region_of_zone};
    use kompox_driver_sdk::identity::{Facts, NodeSample};

    fn node(provider_id: &str, labels: &[(&str, &str)], count: u32) -> NodeSample {
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        NodeSample { provider_id: Some(provider_id.into()), labels, annotations: vec![], count }
    }

    fn facts(csi: &[&str], nodes: Vec<NodeSample>) -> Facts {
        let csi_drivers = csi.iter().map(|name| (*name).to_owned()).collect();
        Facts {
            kubernetes_version: "v1.33.0".into(),
            csi_drivers,
            provisioners: vec![],
            nodes,
            attributes: vec![],
        }
    }

    #[test]
    fn the_disks_follow_the_csi_driver() {
        let aws = |count| node("aws:///us-west-2a/i-1", &[], count);
        let gce = node("gce://p/z/i", &[], 3);
        let fargate =
            node("aws:///us-west-2a/fargate-ip-1", &[("eks.amazonaws.com/compute-type", "fargate")], 9);
        for (facts, score) in [
            (facts(&["ebs.csi.aws.com"], vec![aws(3)]), Some(90)),
            (facts(&["ebs.csi.eks.amazonaws.com"], vec![aws(3)]), Some(90)),
            (facts(&["ebs.csi.aws.com"], vec![aws(1), gce.clone()]), Some(50)),
            (facts(&["ebs.csi.aws.com"], vec![]), Some(50)),
            (facts(&[], vec![aws(1)]), Some(30)),
            (facts(&[], vec![fargate]), None),
            (facts(&["pd.csi.storage.gke.io"], vec![gce]), None),
            (facts(&[], vec![]), None),
        ] {
            assert_eq!(detect(&facts).first().map(|detection| detection.score), score, "{facts:?}");
        }
    }

    #[test]
    fn the_configuration_is_derived_from_the_nodes() {
        let auto = ("eks.amazonaws.com/compute-type", "auto");
        for (csi, nodes, expected) in [
            (
                vec!["ebs.csi.aws.com"],
                vec![
                    node("aws:///us-west-2a/i-1", &[("alpha.eksctl.io/cluster-name", "prod")], 2),
                    node("aws:///eu-north-1a/i-2", &[], 1),
                ],
                r#"{"clusterName":"prod","region":"us-west-2"}"#,
            ),
            (
                vec!["ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com"],
                vec![node("aws:///x/i-1", &[("topology.kubernetes.io/region", "us-east-1"), auto], 2)],
                r#"{"csiDriver":"ebs.csi.eks.amazonaws.com","region":"us-east-1"}"#,
            ),
            (
                vec!["ebs.csi.aws.com", "ebs.csi.eks.amazonaws.com"],
                vec![node("aws:///us-east-1b/i-1", &[], 2), node("aws:///us-east-1b/i-1", &[auto], 1)],
                r#"{"region":"us-east-1"}"#,
            ),
            (vec!["ebs.csi.eks.amazonaws.com"], vec![], r#"{"csiDriver":"ebs.csi.eks.amazonaws.com"}"#),
        ] {
            assert_eq!(detect(&facts(&csi, nodes))[0].config, expected);
        }
    }

    #[test]
    fn zones_tell_their_region() {
        for (zone, expected) in [
            ("us-west-2a", Some("us-west-2")),
            ("us-west-2-lax-1a", Some("us-west-2")),
            ("eusc-de-east-1a", Some("eusc-de-east-1")),
            ("none", None),
        ] {
            assert_eq!(region_of_zone(zone).as_deref(), expected);
        }
    }
}
