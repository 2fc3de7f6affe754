//! The objects that make up a simulated node: Node, Lease, CSINode, and CSIDriver for the drivers
//! on it. Pure: what they look like, not when they are written.

use super::addresses;
use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{MicroTime, Time},
    jiff::Timestamp,
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};

/// Label and annotation on every simulated Node, with the value `true`; also the key of the taint of
/// those beside a real node, and a label of that one with the value `false`.
pub const SIMULATED: &str = "kompox.dev/simulated";
/// Without it when the Node is created, the attach/detach controller ignores the Node for good.
const CONTROLLER_ATTACHES: &str = "volumes.kubernetes.io/controller-managed-attach-detach";
pub(super) const LEASE_NAMESPACE: &str = "kube-node-lease";
/// As the real kubelet's `nodeLeaseDurationSeconds`.
const LEASE_DURATION: Duration = Duration::from_secs(40);

/// A Node to simulate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSpec {
    /// Name of the Node, also its hostname label.
    pub name: String,
    /// `topology.kubernetes.io/region`.
    pub region: String,
    /// `topology.kubernetes.io/zone`.
    pub zone: String,
    /// `spec.providerID`, such as `aws:///us-west-2a/i-0123456789abcdef0`; none if empty.
    pub provider_id: String,
    /// Labels beyond the well-known ones; these win.
    pub labels: BTreeMap<String, String>,
    /// CPUs, whole ones.
    pub cpu: u32,
    /// Memory in GiB.
    pub memory_gib: u32,
    /// Pods at most. Nothing runs, so hundreds cost little.
    pub pods: u32,
    /// Whether only pods that tolerate the taint [`SIMULATED`] come here: beside a real node, a pod
    /// shall not end up where it does not run by chance.
    pub tainted: bool,
}

impl NodeSpec {
    /// A node without provider, large enough not to be what limits a test: 64 CPUs, 256 GiB, 500 pods.
    pub fn new(name: impl Into<String>, region: impl Into<String>, zone: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            region: region.into(),
            zone: zone.into(),
            provider_id: String::new(),
            labels: BTreeMap::new(),
            cpu: 64,
            memory_gib: 256,
            pods: 500,
            tainted: false,
        }
    }

    /// Three nodes in three zones of AWS' us-west-2, with provider IDs as the AWS cloud provider sets.
    #[must_use]
    pub fn three_aws_zones() -> Vec<Self> {
        ["a", "b", "c"]
            .into_iter()
            .enumerate()
            .map(|(index, letter)| {
                let zone = format!("us-west-2{letter}");
                let provider_id = format!("aws:///{zone}/i-{:017x}", index + 1);
                Self { provider_id, ..Self::new(format!("node-{letter}"), "us-west-2", zone) }
            })
            .collect()
    }

    /// The instance's ID at its provider: what a CSI driver knows the node by.
    fn instance(&self) -> &str {
        self.provider_id.rsplit('/').next().filter(|id| !id.is_empty()).unwrap_or(&self.name)
    }
}

/// Who attaches the volumes of a CSI driver that the nodes seem to have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attacher {
    /// The fake kubelet says that they are attached. It also makes the CSIDriver object.
    Simulated,
    /// A real csi-attacher with a real driver, both not ours. The driver knows a node as `ZONE/NAME`.
    Real,
}

/// A CSI driver that the nodes seem to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsiDriverSpec {
    /// Its name, such as `ebs.csi.aws.com`.
    pub name: String,
    /// Whether its volumes are attached to nodes; network file systems are not.
    pub attach_required: bool,
    /// Its own topology keys; each node gets them as labels with its zone as the value.
    pub topology_keys: Vec<String>,
    /// Volumes of this driver that fit on a node; no limit without.
    pub attach_limit: Option<u32>,
    /// Who attaches them.
    pub attacher: Attacher,
}

impl CsiDriverSpec {
    /// A driver of zonal disks without a limit, known by the well-known zone label only.
    pub fn zonal(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            attach_required: true,
            topology_keys: vec!["topology.kubernetes.io/zone".into()],
            attach_limit: None,
            attacher: Attacher::Simulated,
        }
    }

    /// devcloud's, which is there for real; see [`storage`](crate::storage).
    #[must_use]
    pub fn devcloud() -> Self {
        Self { attacher: Attacher::Real, ..Self::zonal(crate::storage::DRIVER) }
    }

    /// AWS EBS with both of its topology keys.
    #[must_use]
    pub fn aws_ebs() -> Self {
        let mut driver = Self::zonal("ebs.csi.aws.com");
        driver.topology_keys.push("topology.ebs.csi.aws.com/zone".into());
        driver
    }
}

pub(super) fn node(spec: &NodeSpec, drivers: &[CsiDriverSpec]) -> Value {
    let mut labels = BTreeMap::from([
        ("kubernetes.io/hostname".to_owned(), spec.name.clone()),
        ("kubernetes.io/os".to_owned(), "linux".to_owned()),
        ("kubernetes.io/arch".to_owned(), "amd64".to_owned()),
        ("topology.kubernetes.io/region".to_owned(), spec.region.clone()),
        ("topology.kubernetes.io/zone".to_owned(), spec.zone.clone()),
        (SIMULATED.to_owned(), "true".to_owned()),
    ]);
    labels.extend(drivers.iter().flat_map(|d| &d.topology_keys).map(|key| (key.clone(), spec.zone.clone())));
    labels.extend(spec.labels.clone());
    let mut fields = json!({});
    if let Some(fields) = fields.as_object_mut() {
        if !spec.provider_id.is_empty() {
            fields.insert("providerID".into(), json!(spec.provider_id));
        }
        if spec.tainted {
            let taint = json!({ "key": SIMULATED, "value": "true", "effect": "NoSchedule" });
            fields.insert("taints".into(), json!([taint]));
        }
    }
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": {
            "name": spec.name,
            "labels": labels,
            "annotations": { CONTROLLER_ATTACHES: "true", SIMULATED: "true" },
        },
        "spec": fields,
    })
}

/// The whole status, as the kubelet at `index` reports it.
pub(super) fn status(spec: &NodeSpec, index: usize, version: &str, now: Timestamp) -> Value {
    let capacity = json!({
        "cpu": spec.cpu.to_string(),
        "memory": format!("{}Gi", spec.memory_gib),
        "pods": spec.pods.to_string(),
        "ephemeral-storage": "1Ti",
    });
    let condition = |name: &str, status: &str, reason: &str| {
        json!({ "type": name, "status": status, "reason": reason, "message": crate::BANNER,
            "lastHeartbeatTime": Time(now), "lastTransitionTime": Time(now) })
    };
    json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": spec.name },
        "status": {
            "capacity": capacity,
            "allocatable": capacity,
            "addresses": [
                { "type": "InternalIP", "address": addresses::of_node(index).to_string() },
                { "type": "Hostname", "address": spec.name },
            ],
            "conditions": [
                condition("MemoryPressure", "False", "KubeletHasSufficientMemory"),
                condition("DiskPressure", "False", "KubeletHasNoDiskPressure"),
                condition("PIDPressure", "False", "KubeletHasSufficientPID"),
                condition("Ready", "True", "KubeletReady"),
            ],
            "nodeInfo": {
                "architecture": "amd64", "operatingSystem": "linux", "osImage": crate::BANNER,
                "kernelVersion": "simulated", "containerRuntimeVersion": "simulated://0",
                "kubeletVersion": version, "kubeProxyVersion": "", "bootID": "", "machineID": "",
                "systemUUID": "",
            },
        },
    })
}

/// The heartbeat: the controller manager takes a Node for lost when it is not renewed.
pub(super) fn lease(name: &str, uid: &str, now: Timestamp) -> Value {
    json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease",
        "metadata": { "name": name, "namespace": LEASE_NAMESPACE, "ownerReferences": [owner(name, uid)] },
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_DURATION.as_secs(),
            "renewTime": MicroTime(now),
        },
    })
}

pub(super) fn csi_node(spec: &NodeSpec, uid: &str, drivers: &[CsiDriverSpec]) -> Value {
    let drivers: Vec<_> = drivers
        .iter()
        .map(|driver| {
            let mut entry =
                json!({ "name": driver.name, "nodeID": node_id(spec, driver), "topologyKeys": driver.topology_keys });
            if let (Some(fields), Some(count)) = (entry.as_object_mut(), driver.attach_limit) {
                fields.insert("allocatable".into(), json!({ "count": count }));
            }
            entry
        })
        .collect();
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "CSINode",
        "metadata": { "name": spec.name, "ownerReferences": [owner(&spec.name, uid)] },
        "spec": { "drivers": drivers },
    })
}

fn node_id(spec: &NodeSpec, driver: &CsiDriverSpec) -> String {
    match driver.attacher {
        Attacher::Simulated => spec.instance().to_owned(),
        Attacher::Real => format!("{}/{}", spec.zone, spec.name),
    }
}

pub(super) fn csi_driver(driver: &CsiDriverSpec) -> Value {
    json!({
        "apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver",
        "metadata": { "name": driver.name, "annotations": { SIMULATED: "true" } },
        "spec": {
            "attachRequired": driver.attach_required,
            "podInfoOnMount": false,
            "volumeLifecycleModes": ["Persistent"],
        },
    })
}

fn owner(name: &str, uid: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "Node", "name": name, "uid": uid })
}

#[cfg(test)]
mod tests {
    use super::{CsiDriverSpec, NodeSpec, csi_node, node};

    #[test]
    fn labels_and_annotations_of_a_new_node() {
        let spec = NodeSpec::three_aws_zones().remove(1);
        let node = node(&spec, &[CsiDriverSpec::aws_ebs()]);
        let label = |name: &str| node["metadata"]["labels"][name].as_str().unwrap_or_default().to_owned();
        for (name, want) in [
            ("topology.kubernetes.io/zone", "us-west-2b"),
            ("topology.kubernetes.io/region", "us-west-2"),
            ("topology.ebs.csi.aws.com/zone", "us-west-2b"),
            ("kubernetes.io/hostname", "node-b"),
            ("kubernetes.io/os", "linux"),
            ("kompox.dev/simulated", "true"),
        ] {
            assert_eq!(label(name), want, "{name}");
        }
        let annotations = &node["metadata"]["annotations"];
        assert_eq!(annotations["volumes.kubernetes.io/controller-managed-attach-detach"], "true");
        assert_eq!(node["spec"]["providerID"], "aws:///us-west-2b/i-00000000000000002");
    }

    #[test]
    fn csi_drivers_know_the_instance() {
        let spec = NodeSpec::three_aws_zones().remove(0);
        let limited = CsiDriverSpec { attach_limit: Some(25), ..CsiDriverSpec::zonal("d") };
        let object = csi_node(&spec, "u", &[limited]);
        assert_eq!(object["spec"]["drivers"][0]["nodeID"], "i-00000000000000001");
        assert_eq!(object["spec"]["drivers"][0]["allocatable"]["count"], 25);
        let plain = NodeSpec::new("n", "r", "z");
        assert_eq!(csi_node(&plain, "u", &[CsiDriverSpec::zonal("d")])["spec"]["drivers"][0]["nodeID"], "n");
        assert_eq!(
            csi_node(&plain, "u", &[CsiDriverSpec::devcloud()])["spec"]["drivers"][0]["nodeID"],
            "z/n"
        );
    }
}
