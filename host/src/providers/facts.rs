//! What drivers are told of the cluster when an object says `provider.type: auto`.

use crate::reads;
use k8s_openapi::api::{
    core::v1::Node,
    storage::v1::{CSIDriver, StorageClass},
};
use kompox_core::driver::{Facts, NodeSample};
use kube::{Api, Client, ResourceExt, api::ListParams};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How long the facts stand.
const KEPT: Duration = Duration::from_secs(60);
/// Kinds of nodes that are told apart at most.
const SAMPLES: usize = 64;

/// The facts read in the last minute.
#[derive(Default)]
pub(super) struct FactsCache(Mutex<Option<(Instant, Arc<Facts>)>>);

impl FactsCache {
    /// The facts, read live when they are older than a minute.
    pub(super) async fn read(&self, client: &Client) -> Result<Arc<Facts>, reads::Error> {
        if let Some((since, facts)) = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
            && since.elapsed() < KEPT
        {
            return Ok(facts);
        }
        let facts = Arc::new(gather(client).await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), Arc::clone(&facts)));
        Ok(facts)
    }
}

async fn gather(client: &Client) -> Result<Facts, reads::Error> {
    let all = ListParams::default();
    let nodes = reads::list(&Api::<Node>::all(client.clone()), &all).await?;
    let csi_drivers = reads::list(&Api::<CSIDriver>::all(client.clone()), &all).await?;
    let classes = reads::list(&Api::<StorageClass>::all(client.clone()), &all).await?;
    let mut provisioners: Vec<String> = classes.into_iter().map(|class| class.provisioner).collect();
    provisioners.sort();
    provisioners.dedup();
    // The version is a hint among others; a server that does not tell it is not an error.
    let version = client.apiserver_version().await.map(|info| info.git_version).unwrap_or_default();
    Ok(Facts {
        kubernetes_version: version,
        csi_drivers: csi_drivers.iter().map(ResourceExt::name_any).collect(),
        provisioners,
        nodes: samples(&nodes),
        attributes: BTreeMap::new(),
    })
}

/// Labels by which drivers tell nodes apart that cannot have a disk, or lie elsewhere (Windows, virtual nodes, Fargate
/// and hybrid nodes of EKS): nodes that differ in one of them are not one kind.
const TELLING: [&str; 4] =
    ["kubernetes.io/os", "type", "eks.amazonaws.com/compute-type", "topology.kubernetes.io/region"];

/// One sample for each kind of nodes, with their count. Nodes that take no pods at the moment count only where all are
/// such.
fn samples(nodes: &[Node]) -> Vec<NodeSample> {
    let takes_pods = |node: &&Node| {
        node.spec.as_ref().and_then(|spec| spec.unschedulable).is_none_or(|cordoned| !cordoned)
    };
    let open: Vec<&Node> = nodes.iter().filter(takes_pods).collect();
    let counted = if open.is_empty() { nodes.iter().collect() } else { open };
    let mut samples: BTreeMap<Vec<String>, NodeSample> = BTreeMap::new();
    for node in counted {
        let kind = kind(node);
        if samples.len() >= SAMPLES && !samples.contains_key(&kind) {
            continue;
        }
        let sample = samples.entry(kind).or_insert_with(|| NodeSample {
            provider_id: node.spec.as_ref().and_then(|spec| spec.provider_id.clone()),
            labels: node.labels().clone(),
            annotations: node.annotations().clone(),
            count: 0,
        });
        sample.count = sample.count.saturating_add(1);
    }
    samples.into_values().collect()
}

/// What nodes of one kind have in common: the scheme of their provider id and the telling labels.
fn kind(node: &Node) -> Vec<String> {
    let id = node.spec.as_ref().and_then(|spec| spec.provider_id.as_deref()).unwrap_or_default();
    // Oracle's ids have no scheme: `ocid1.instance.oc1.…`.
    let scheme = id.split([':', '.']).next().unwrap_or_default();
    let label = |key: &&str| node.labels().get(*key).cloned().unwrap_or_default();
    std::iter::once(scheme.to_owned()).chain(TELLING.iter().map(label)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::NodeSpec;

    fn node(id: &str, labels: &[(&str, &str)], unschedulable: bool) -> Node {
        let mut node = Node {
            spec: Some(NodeSpec {
                provider_id: (!id.is_empty()).then(|| id.to_owned()),
                unschedulable: Some(unschedulable),
                ..NodeSpec::default()
            }),
            ..Node::default()
        };
        let labels = labels.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        node.metadata.labels = Some(labels.collect());
        node
    }

    fn counts(nodes: &[Node]) -> Vec<(String, u32)> {
        let scheme = |sample: &NodeSample| {
            sample
                .provider_id
                .as_deref()
                .unwrap_or_default()
                .split([':', '.'])
                .next()
                .unwrap_or_default()
                .to_owned()
        };
        samples(nodes).iter().map(|sample| (scheme(sample), sample.count)).collect()
    }

    #[test]
    fn nodes_are_grouped_by_what_drivers_tell_them_apart_by() {
        let nodes = [
            node("aws:///a/i-1", &[], false),
            node("aws:///b/i-2", &[], false),
            node("k3s://n", &[], false),
            node("", &[], false),
            node("ocid1.instance.oc1.a.x", &[], false),
            node("ocid1.instance.oc1.a.y", &[], false),
        ];
        let expected = [("", 1), ("aws", 2), ("k3s", 1), ("ocid1", 2)].map(|(s, n)| (s.to_owned(), n));
        assert_eq!(counts(&nodes), expected);
    }

    /// A Fargate node that happens to come first must not speak for the nodes that can have disks.
    #[test]
    fn nodes_that_cannot_have_disks_are_counted_apart() {
        let fargate = [("eks.amazonaws.com/compute-type", "fargate")];
        let region = [("topology.kubernetes.io/region", "us-west-2")];
        let nodes = [
            node("aws:///a/fargate-1", &fargate, false),
            node("aws:///a/i-1", &region, false),
            node("aws:///a/i-2", &region, false),
            node("azure://vk", &[("type", "virtual-kubelet")], false),
            node("azure:///i", &[("kubernetes.io/os", "windows")], false),
        ];
        let mut found = counts(&nodes);
        found.sort();
        let expected = [("aws", 1), ("aws", 2), ("azure", 1), ("azure", 1)].map(|(s, n)| (s.to_owned(), n));
        assert_eq!(found, expected);
        assert!(samples(&nodes).iter().any(|s| s.count == 2 && s.labels.contains_key(region[0].0)));
    }

    #[test]
    fn cordoned_nodes_count_only_where_all_are() {
        let nodes = |aws: bool| [node("aws:///a/i-1", &[], aws), node("k3s://n", &[], true)];
        assert_eq!(counts(&nodes(false)), [("aws".to_owned(), 1)]);
        assert_eq!(counts(&nodes(true)).len(), 2);
    }
}
