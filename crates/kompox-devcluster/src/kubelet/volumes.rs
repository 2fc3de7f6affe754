//! Which volumes a pod waits for, read from caches. Writes nothing.

use super::node::CsiDriverSpec;
use k8s_openapi::api::{
    core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod},
    storage::v1::VolumeAttachment,
};
use kube::{
    ResourceExt as _,
    runtime::reflector::{ObjectRef, Store},
};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeSet, fmt::Write as _};

/// The objects between a pod and its disks.
#[derive(Clone)]
pub(super) struct Caches {
    pub(super) claims: Store<PersistentVolumeClaim>,
    pub(super) volumes: Store<PersistentVolume>,
    pub(super) attachments: Store<VolumeAttachment>,
    pub(super) nodes: Store<Node>,
}

/// The object whose change may let a pod start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    Claim { namespace: String, name: String },
    Volume(String),
    Attachment(String),
    Node(String),
}

/// A pod's volumes as its node sees them.
#[derive(Debug, Default)]
pub(super) struct Volumes {
    /// Names of the attachable ones, as in `status.volumesInUse` of the Node.
    pub(super) in_use: BTreeSet<String>,
    /// The first thing that is missing; `None`: all are attached.
    pub(super) missing: Option<Awaited>,
}

impl Caches {
    /// What `pod`, on `node`, needs and still lacks.
    pub(super) fn of(&self, pod: &Pod, node: &str, drivers: &[CsiDriverSpec]) -> Volumes {
        let mut found = Volumes::default();
        for claim in claims(pod) {
            match self.resolve(pod, &claim, node, drivers) {
                Ok(None) => {}
                Ok(Some((name, missing))) => {
                    found.in_use.insert(name);
                    found.missing = found.missing.or(missing);
                }
                Err(missing) => found.missing = found.missing.or(Some(missing)),
            }
        }
        found
    }

    /// The volume's name and what it lacks to be attached; `None` if it is not attached to nodes.
    fn resolve(
        &self,
        pod: &Pod,
        claim: &str,
        node: &str,
        drivers: &[CsiDriverSpec],
    ) -> Result<Option<(String, Option<Awaited>)>, Awaited> {
        let namespace = pod.namespace().unwrap_or_default();
        let awaited = || Awaited::Claim { namespace: namespace.clone(), name: claim.to_owned() };
        let volume_name = self
            .claims
            .get(&ObjectRef::new(claim).within(&namespace))
            .filter(|claim| claim.status.as_ref().and_then(|s| s.phase.as_deref()) == Some("Bound"))
            .and_then(|claim| claim.spec.as_ref()?.volume_name.clone())
            .ok_or_else(awaited)?;
        let volume = self
            .volumes
            .get(&ObjectRef::new(&volume_name))
            .ok_or_else(|| Awaited::Volume(volume_name.clone()))?;
        let Some(csi) = volume.spec.as_ref().and_then(|spec| spec.csi.as_ref()) else { return Ok(None) };
        // Attaching is the default of CSIDriver, also for drivers that have no such object.
        if drivers.iter().any(|driver| driver.name == csi.driver && !driver.attach_required) {
            return Ok(None);
        }
        let name = format!("kubernetes.io/csi/{}^{}", csi.driver, csi.volume_handle);
        let attachment = attachment_name(&csi.volume_handle, &csi.driver, node);
        let missing = if !self.attached(&attachment) {
            Some(Awaited::Attachment(attachment))
        } else if !self.announced(node, &name) {
            Some(Awaited::Node(node.to_owned()))
        } else {
            None
        };
        Ok(Some((name, missing)))
    }

    fn attached(&self, attachment: &str) -> bool {
        self.attachments
            .get(&ObjectRef::new(attachment))
            .and_then(|attachment| attachment.status.as_ref().map(|status| status.attached))
            .unwrap_or(false)
    }

    /// The kubelet mounts only what the controller has put into the Node's status.
    fn announced(&self, node: &str, volume: &str) -> bool {
        self.nodes
            .get(&ObjectRef::new(node))
            .and_then(|node| node.status.as_ref()?.volumes_attached.clone())
            .is_some_and(|attached| attached.iter().any(|entry| entry.name == volume))
    }
}

/// Names of the claims a pod mounts; an ephemeral volume's claim is named after pod and volume.
fn claims(pod: &Pod) -> Vec<String> {
    let volumes = pod.spec.as_ref().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default();
    volumes
        .iter()
        .filter_map(|volume| match (&volume.persistent_volume_claim, &volume.ephemeral) {
            (Some(claim), _) => Some(claim.claim_name.clone()),
            (None, Some(_)) => Some(format!("{}-{}", pod.name_any(), volume.name)),
            (None, None) => None,
        })
        .collect()
}

/// The name that the attach/detach controller gives the attachment
/// (k8s.io/kubernetes/pkg/volume/csi, `getAttachmentName`).
pub(super) fn attachment_name(handle: &str, driver: &str, node: &str) -> String {
    let mut name = "csi-".to_owned();
    for byte in Sha256::digest(format!("{handle}{driver}{node}")) {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::{attachment_name, claims};
    use serde_json::json;

    #[test]
    fn claims_of_a_pod() {
        let pod = serde_json::from_value(
            json!({ "metadata": { "name": "p" }, "spec": { "containers": [], "volumes": [
            { "name": "a", "persistentVolumeClaim": { "claimName": "data" } },
            { "name": "b", "emptyDir": {} },
            { "name": "c", "ephemeral": {} },
        ] } }),
        )
        .unwrap();
        assert_eq!(claims(&pod), ["data", "p-c"]);
    }

    #[test]
    fn attachment_names_are_those_of_kubernetes() {
        // printf vol-1ebs.csi.aws.comnode-a | sha256sum
        let name = attachment_name("vol-1", "ebs.csi.aws.com", "node-a");
        assert_eq!(name, "csi-7ba6b8ed285c3c863d675c3b4567d68ede4307ae1a37202e02bf2c4b9f42f28b");
    }
}
