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

/// One sample for each scheme of provider ids among the nodes, with their count.
fn samples(nodes: &[Node]) -> Vec<NodeSample> {
    let mut samples: BTreeMap<String, NodeSample> = BTreeMap::new();
    for node in nodes {
        let provider_id = node.spec.as_ref().and_then(|spec| spec.provider_id.clone());
        let scheme =
            provider_id.as_deref().and_then(|id| id.split(':').next()).unwrap_or_default().to_owned();
        if samples.len() >= SAMPLES && !samples.contains_key(&scheme) {
            continue;
        }
        let sample = samples.entry(scheme).or_insert_with(|| NodeSample {
            provider_id,
            labels: node.labels().clone(),
            annotations: node.annotations().clone(),
            count: 0,
        });
        sample.count = sample.count.saturating_add(1);
    }
    samples.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::api::core::v1::NodeSpec;

    #[test]
    fn nodes_are_grouped_by_the_scheme_of_their_provider_id() {
        let node = |id: Option<&str>| Node {
            spec: Some(NodeSpec { provider_id: id.map(str::to_owned), ..NodeSpec::default() }),
            ..Node::default()
        };
        let nodes =
            [node(Some("aws:///a/i-1")), node(Some("aws:///b/i-2")), node(Some("k3s://n")), node(None)];
        let counts: Vec<u32> = samples(&nodes).iter().map(|sample| sample.count).collect();
        assert_eq!(counts, [1, 2, 1]);
    }
}
