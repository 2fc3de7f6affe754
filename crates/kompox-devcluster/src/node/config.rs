//! The configuration of containerd, the kubelet and kube-proxy: what makes the genuine programs run
//! without systemd, without Docker, on either version of cgroups. Pure.

use super::{
    CONTAINERD_SOCKET, KUBELET_HEALTH, KUBELET_ROOT, PROXY_HEALTH, RealNode, addresses::Addresses, dns,
};
use crate::kubelet::SIMULATED;
use serde_json::{Value, json};

/// The image of the first process of every pod; made of our own program when the node starts.
pub(super) const PAUSE_IMAGE: &str = "kompox.dev/pause:1";
pub(super) const KUBELET_PORT: u16 = 10250;

pub(super) const CONTAINERD_FILE: &str = "/var/lib/kompox/containerd.toml";
/// How containerd reaches registries (its `hosts.toml`): the node's own, then what this machine has for containerd.
const REGISTRIES: &str = "/var/lib/kompox/certs.d:/etc/containerd/certs.d:/etc/docker/certs.d";
const NETWORKS: &str = "/var/lib/cni/net.d";
pub(super) const NETWORK_FILE: &str = "/var/lib/cni/net.d/10-kompox.conflist";
pub(super) const CA_FILE: &str = "/var/lib/kompox/ca.crt";
pub(super) const CERTIFICATE_FILE: &str = "/var/lib/kompox/kubelet.crt";
pub(super) const KEY_FILE: &str = "/var/lib/kompox/kubelet.key";
pub(super) const KUBELET_FILE: &str = "/var/lib/kompox/kubelet.json";
pub(super) const KUBELET_KUBECONFIG: &str = "/var/lib/kompox/kubelet.kubeconfig";
pub(super) const RESOLVER_FILE: &str = "/var/lib/kompox/resolv.conf";
pub(super) const PROXY_FILE: &str = "/var/lib/kompox/kube-proxy.json";
pub(super) const PROXY_KUBECONFIG: &str = "/var/lib/kompox/kube-proxy.kubeconfig";
/// Where distributions put the CNI plugins; the first that has them counts.
pub(super) const PLUGIN_DIRECTORIES: [&str; 3] = ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"];

pub(super) fn containerd_arguments() -> Vec<String> {
    vec![format!("--config={CONTAINERD_FILE}")]
}

/// Version 2 of the format: containerd 1.6, and later ones read it too.
pub(super) fn containerd(snapshotter: &str, plugins: &str) -> String {
    format!(
        r#"version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
# The first would make a directory below /opt, the others look for devices that are not here.
disabled_plugins = [
    "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs",
    "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
    "io.containerd.snapshotter.v1.zfs",
]

[grpc]
address = "{CONTAINERD_SOCKET}"

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{PAUSE_IMAGE}"
# Without CAP_SYS_RESOURCE a value below our own cannot be set, and runc would give up.
restrict_oom_score_adj = true

[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "{snapshotter}"
default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{plugins}"
conf_dir = "{NETWORKS}"

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{REGISTRIES}"

[plugins."io.containerd.nri.v1.nri"]
disable = true
"#
    )
}

/// Each pod has a cable to the node. With a bridge, two pods would talk past the node, and answers from
/// behind a Service would come from an address that nobody asked.
pub(super) fn pod_network(addresses: Addresses) -> String {
    json!({
        "cniVersion": "0.4.0",
        "name": "kompox",
        "plugins": [
            {
                "type": "ptp",
                "ipMasq": false,
                "ipam": {
                    "type": "host-local",
                    // Which pod has which address is not true any more after a boot.
                    "dataDir": "/run/cni",
                    "ranges": [[{ "subnet": addresses.pod_range() }]],
                    "routes": [{ "dst": "0.0.0.0/0" }],
                },
            },
            { "type": "portmap", "capabilities": { "portMappings": true } },
        ],
    })
    .to_string()
}

pub(super) fn kubelet_arguments(node: &RealNode, addresses: Addresses) -> Vec<String> {
    let mut labels = node.labels.clone();
    labels.insert(SIMULATED.into(), "false".into());
    labels.insert("topology.kubernetes.io/region".into(), node.region.clone());
    labels.insert("topology.kubernetes.io/zone".into(), node.zone.clone());
    let labels: Vec<_> = labels.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    vec![
        "kubelet".into(),
        format!("--config={KUBELET_FILE}"),
        format!("--kubeconfig={KUBELET_KUBECONFIG}"),
        format!("--root-dir={KUBELET_ROOT}"),
        format!("--hostname-override={}", node.name),
        format!("--node-ip={}", addresses.node()),
        format!("--node-labels={}", labels.join(",")),
    ]
}

pub(super) fn kubelet(node: &RealNode, addresses: Addresses, cgroup: &str) -> String {
    let mut config = json!({
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": addresses.node(),
        "port": KUBELET_PORT,
        "healthzBindAddress": addresses.node(),
        "healthzPort": KUBELET_HEALTH,
        "authentication": {
            "anonymous": { "enabled": false },
            "webhook": { "enabled": true },
            "x509": { "clientCAFile": CA_FILE },
        },
        "authorization": { "mode": "Webhook" },
        "tlsCertFile": CERTIFICATE_FILE,
        "tlsPrivateKeyFile": KEY_FILE,
        "containerRuntimeEndpoint": format!("unix://{CONTAINERD_SOCKET}"),
        "clusterDNS": [dns::SERVICE_ADDRESS],
        "clusterDomain": dns::DOMAIN,
        "resolvConf": RESOLVER_FILE,
        // Neither systemd nor a hierarchy of cgroups by quality of service is needed to run pods.
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": cgroup,
        "cgroupsPerQOS": false,
        "enforceNodeAllocatable": [],
        "failCgroupV1": false,
        "failSwapOn": false,
        // It finds them set: see filesystem.rs.
        "protectKernelDefaults": true,
        "oomScoreAdj": 0,
        "volumePluginDir": format!("{KUBELET_ROOT}/volumeplugins"),
        // The disk is the developer's, and may be as full as they like.
        "imageGCHighThresholdPercent": 100,
        "evictionHard": { "nodefs.available": "0%", "nodefs.inodesFree": "0%", "imagefs.available": "0%" },
        // Mounted ConfigMaps follow changes sooner than after a minute.
        "syncFrequency": "10s",
        "serializeImagePulls": false,
    });
    if let Some(fields) = config.as_object_mut().filter(|_| !node.provider_id.is_empty()) {
        fields.insert("providerID".into(), Value::from(node.provider_id.as_str()));
    }
    config.to_string()
}

pub(super) fn proxy_arguments() -> Vec<String> {
    vec!["kube-proxy".into(), format!("--config={PROXY_FILE}")]
}

pub(super) fn proxy(node: &RealNode, addresses: Addresses) -> String {
    json!({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "nftables",
        "hostnameOverride": node.name,
        "clientConnection": { "kubeconfig": PROXY_KUBECONFIG },
        "clusterCIDR": addresses.pod_range(),
        "healthzBindAddress": format!("{}:{PROXY_HEALTH}", addresses.node()),
        "metricsBindAddress": "127.0.0.1:10249",
        // These settings are the host's; leave them alone.
        "conntrack": { "maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s" },
        // A Service is to work at once in a cluster of this size.
        "nftables": { "minSyncPeriod": "0s", "syncPeriod": "30s" },
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::{Addresses, RealNode, kubelet, kubelet_arguments};

    #[test]
    fn the_node_is_labelled_as_asked_and_as_not_simulated() {
        let mut node = RealNode::new("real-1", "dev", "dev-a");
        node.labels.insert("kompox.dev/simulated".into(), "true".into());
        node.labels.insert("tier".into(), "1".into());
        let addresses = Addresses::from(7).next().unwrap();
        let arguments = kubelet_arguments(&node, addresses).join(" ");
        assert!(
            arguments.contains(
                "--node-labels=kompox.dev/simulated=false,tier=1,\
                 topology.kubernetes.io/region=dev,topology.kubernetes.io/zone=dev-a"
            ),
            "{arguments}"
        );
        let config = |node: &RealNode| -> serde_json::Value {
            serde_json::from_str(&kubelet(node, addresses, "/c")).unwrap()
        };
        assert!(config(&node).get("providerID").is_none());
        node.provider_id = "devcloud:///dev-a/n1".into();
        assert_eq!(config(&node)["providerID"], "devcloud:///dev-a/n1");
    }
}
