//! The flags of each part: what makes the real programs a development cluster. Pure.
//!
//! Paths are relative: every part runs in the cluster's directory. That also keeps the socket's path
//! below the 107 bytes that a socket address holds, however deep the directory lies.

use crate::part::PartName;
use serde_json::json;
use std::net::SocketAddrV4;

/// etcd listens here and nowhere else: no port to race for, and the directory keeps others out.
/// The name ends like a port because etcd refuses to advertise a socket without one.
pub(super) const ETCD_SOCKET: &str = "etcd.sock:0";
const ETCD_PEER_SOCKET: &str = "etcd-peer.sock:0";
pub(super) const CA: &str = "pki/ca.crt";
pub(super) const SERVING_CERTIFICATE: &str = "pki/serving.crt";
pub(super) const SERVING_KEY: &str = "pki/serving.key";
pub(super) const ACCOUNT_KEY: &str = "pki/service-accounts.key";
pub(super) const ACCOUNT_PUBLIC_KEY: &str = "pki/service-accounts.pub";
pub(super) const TOKENS: &str = "pki/tokens.csv";
/// With which the API server proves itself to the real node's kubelet.
pub(super) const KUBELET_CLIENT_CERTIFICATE: &str = "pki/kubelet-client.crt";
pub(super) const KUBELET_CLIENT_KEY: &str = "pki/kubelet-client.key";
/// The addresses of Services; the first one is the API server's, the tenth the name server's.
pub(crate) const SERVICE_RANGE: &str = "10.96.0.0/16";
pub(super) const SCHEDULER_CONFIG: &str = "kube-scheduler.json";
/// Of each client of the control plane itself; the default of 20 binds 3.6 claims a second.
const QPS: u32 = 500;
const BURST: u32 = 1000;

/// The kubeconfig of a part that is a client of the API server.
pub(super) fn kubeconfig(part: PartName) -> String {
    format!("{}.kubeconfig", part.program())
}

/// The flags of `part`, which serves at `socket`; the API server also has to know of a real node.
pub(super) fn of(part: PartName, socket: SocketAddrV4, real_node: bool) -> Vec<String> {
    match part {
        PartName::Etcd => etcd(),
        PartName::ApiServer if real_node => [api_server(socket), real_node_flags()].concat(),
        PartName::ApiServer => [api_server(socket), loopback_flags()].concat(),
        PartName::ControllerManager => controller_manager(socket),
        PartName::Scheduler => scheduler(socket),
        // Those of the node and of the storage are their own business.
        _ => Vec::new(),
    }
}

fn etcd() -> Vec<String> {
    let client = format!("unix://{ETCD_SOCKET}");
    vec![
        "--data-dir=etcd".into(),
        format!("--listen-client-urls={client}"),
        format!("--advertise-client-urls={client}"),
        format!("--listen-peer-urls=unix://{ETCD_PEER_SOCKET}"),
        // A development cluster outlives a killed process, not a power cut.
        "--unsafe-no-fsync".into(),
        // Zero would log every request.
        "--warning-unary-request-duration=300ms".into(),
        "--log-level=warn".into(),
        // The default of 2 GiB is met by a day of tests that nobody compacts in time.
        "--quota-backend-bytes=8589934592".into(),
    ]
}

fn api_server(socket: SocketAddrV4) -> Vec<String> {
    let mut flags = serving(socket);
    flags.extend([
        format!("--etcd-servers=unix://{ETCD_SOCKET}"),
        format!("--advertise-address={}", socket.ip()),
        // A kubelet may only do what its node and the pods on it need.
        "--authorization-mode=Node,RBAC".into(),
        "--enable-admission-plugins=NodeRestriction".into(),
        format!("--token-auth-file={TOKENS}"),
        "--service-account-issuer=https://kubernetes.default.svc".into(),
        format!("--service-account-key-file={ACCOUNT_PUBLIC_KEY}"),
        format!("--service-account-signing-key-file={ACCOUNT_KEY}"),
        format!("--service-cluster-ip-range={SERVICE_RANGE}"),
        "--allow-privileged=true".into(),
    ]);
    flags
}

/// It refuses to publish a loopback address as the endpoint of the `kubernetes` Service.
fn loopback_flags() -> Vec<String> {
    vec!["--endpoint-reconciler-type=none".into()]
}

/// Logs, exec and port-forward: the API server calls the kubelet, by address, for there is no name.
/// Its own address is the one behind the `kubernetes` Service.
fn real_node_flags() -> Vec<String> {
    vec![
        "--endpoint-reconciler-type=lease".into(),
        "--kubelet-preferred-address-types=InternalIP".into(),
        format!("--kubelet-certificate-authority={CA}"),
        format!("--kubelet-client-certificate={KUBELET_CLIENT_CERTIFICATE}"),
        format!("--kubelet-client-key={KUBELET_CLIENT_KEY}"),
    ]
}

fn controller_manager(socket: SocketAddrV4) -> Vec<String> {
    let mut flags = serving(socket);
    flags.extend(client(PartName::ControllerManager));
    flags.extend([
        format!("--kubeconfig={}", kubeconfig(PartName::ControllerManager)),
        "--leader-elect=false".into(),
        "--use-service-account-credentials=true".into(),
        format!("--service-account-private-key-file={ACCOUNT_KEY}"),
        format!("--root-ca-file={CA}"),
        format!("--kube-api-qps={QPS}"),
        format!("--kube-api-burst={BURST}"),
    ]);
    flags
}

fn scheduler(socket: SocketAddrV4) -> Vec<String> {
    let mut flags = serving(socket);
    flags.extend(client(PartName::Scheduler));
    flags.push(format!("--config={SCHEDULER_CONFIG}"));
    flags
}

/// The scheduler takes its client and leader election from a file only.
pub(super) fn scheduler_config() -> String {
    json!({
        "apiVersion": "kubescheduler.config.k8s.io/v1",
        "kind": "KubeSchedulerConfiguration",
        "leaderElection": { "leaderElect": false },
        "clientConnection": {
            "kubeconfig": kubeconfig(PartName::Scheduler), "qps": QPS, "burst": BURST,
        },
        // A pod waits for its disk for seconds here, not for minutes.
        "podMaxBackoffSeconds": 2,
    })
    .to_string()
}

fn serving(socket: SocketAddrV4) -> Vec<String> {
    vec![
        format!("--bind-address={}", socket.ip()),
        format!("--secure-port={}", socket.port()),
        format!("--tls-cert-file={SERVING_CERTIFICATE}"),
        format!("--tls-private-key-file={SERVING_KEY}"),
    ]
}

/// Their own health and metrics endpoints ask the API server who calls.
fn client(part: PartName) -> Vec<String> {
    ["authentication", "authorization"].map(|what| format!("--{what}-kubeconfig={}", kubeconfig(part))).into()
}
