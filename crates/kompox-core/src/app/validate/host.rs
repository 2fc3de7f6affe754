//! What a pod shares with its node: `network_mode`, `pid`, `ipc`, `uts`, `cgroup`, `userns_mode`, `sysctls`, and
//! the init process. Namespaces shared with other services decide the pods themselves and are not here.

use super::Findings;
use super::subject::Subject;
use crate::app::codes;
use crate::app::validated::HostNamespaces;
use kompox_compose::Spanned;
use kompox_compose::model::{NetworkMode, SharedNamespace};
use std::collections::BTreeMap;

/// Kernel parameters that every kubelet lets pods set
/// (<https://kubernetes.io/docs/tasks/administer-cluster/sysctl-cluster/#safe-and-unsafe-sysctls>).
const SAFE_SYSCTLS: [&str; 12] = [
    "kernel.shm_rmid_forced",
    "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",
    "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",
    "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",
    "net.ipv4.tcp_wmem",
];

/// Beginnings of the parameters that belong to the memory and messages of a pod.
const IPC_SYSCTLS: [&str; 4] = ["kernel.shm", "kernel.msg", "kernel.sem", "fs.mqueue."];

/// Beginning of the parameters that belong to a pod's network.
const NETWORK_SYSCTLS: &str = "net.";

/// The namespaces of the node that the pod uses.
pub(super) fn namespaces(subject: &Subject<'_>, findings: &mut Findings) -> HostNamespaces {
    let service = subject.service;
    note_the_impossible(subject, findings);
    let shares = |namespace: Option<&Spanned<SharedNamespace>>| {
        namespace.filter(|namespace| namespace.value == SharedNamespace::Host).map(|given| given.span.clone())
    };
    let mode = service.network_mode.as_ref().filter(|mode| mode.value == NetworkMode::Host);
    let mut allowed = |code, key, span: Option<_>, what| {
        span.is_some_and(|span| subject.allows(code, key, &span, what, findings))
    };
    let (network, namespace) = (&codes::POLICY_HOST_NETWORK, &codes::POLICY_HOST_NAMESPACE);
    HostNamespaces {
        network: allowed(network, "network_mode", mode.map(|mode| mode.span.clone()), "the host's network"),
        pid: allowed(namespace, "pid", shares(service.pid.as_ref()), "seeing the host's processes"),
        ipc: allowed(namespace, "ipc", shares(service.ipc.as_ref()), "the host's shared memory"),
    }
}

fn note_the_impossible(subject: &Subject<'_>, findings: &mut Findings) {
    let service = subject.service;
    for (key, given) in [("uts", &service.uts), ("cgroup", &service.cgroup)] {
        if let Some(given) = given.as_ref().filter(|given| given.value == "host") {
            let message = format!("no pod can share the `{key}` namespace of its node");
            let diagnostic = subject.at(&codes::HOST_ONLY, key, &given.span, message);
            findings.diagnose(diagnostic.help("remove the key"));
        }
    }
    // `host` is what pods have anyway.
    if let Some(mode) =
        service.userns_mode.as_ref().filter(|mode| !matches!(mode.value.as_str(), "" | "host"))
    {
        let message = "the users of the container are those of the node";
        findings.diagnose(subject.at(&codes::USER_NAMESPACE, "userns_mode", &mode.span, message));
    }
    if let Some(mode) = &service.network_mode
        && let NetworkMode::Other(name) = &mode.value
    {
        let message = format!("the network mode `{name}` has no meaning in a cluster");
        findings.diagnose(
            subject
                .at(&codes::NETWORK_MODE, "network_mode", &mode.span, message)
                .help("remove `network_mode`, or join networks under `networks`"),
        );
    }
}

/// Whether all traffic of the service is denied.
pub(super) fn no_network(subject: &Subject<'_>, findings: &mut Findings) -> bool {
    let mode = subject.service.network_mode.as_ref().filter(|mode| mode.value == NetworkMode::None);
    if let Some(mode) = mode {
        let message = "the pod has a network whose traffic a NetworkPolicy denies";
        findings.diagnose(
            subject
                .at(&codes::NETWORK_NONE, "network_mode", &mode.span, message)
                .help("make sure that the cluster's network plugin enforces NetworkPolicies"),
        );
    }
    mode.is_some()
}

/// Whether the pause process is PID 1. It cannot be where the pod sees all processes of its node.
pub(super) fn init(subject: &Subject<'_>, host: HostNamespaces, findings: &mut Findings) -> bool {
    let Some(init) = subject.service.init.as_ref().filter(|init| init.value) else { return false };
    if host.pid {
        let message = "a service with the host's processes has no init process of its own";
        findings.diagnose(
            subject
                .at(&codes::SECURITY_CONFLICT, "init", &init.span, message)
                .help("remove `init` or `pid: host`"),
        );
    }
    true
}

/// Kernel parameters of the pod.
pub(super) fn sysctls(
    subject: &Subject<'_>,
    host: HostNamespaces,
    findings: &mut Findings,
) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (name, value) in &subject.service.sysctls {
        // The Engine takes both notations.
        let dotted = name.replace('/', ".");
        if is_allowed(subject, &dotted, name, value, host, findings) {
            kept.insert(dotted, value.value.clone());
        }
    }
    kept
}

fn is_allowed(
    subject: &Subject<'_>,
    name: &str,
    written: &str,
    value: &Spanned<String>,
    host: HostNamespaces,
    findings: &mut Findings,
) -> bool {
    let key = format!("sysctls.{written}");
    if belongs_to_node(name, host) {
        let message = format!("no pod can have `{name}` for itself here: it belongs to the node");
        findings.diagnose(
            subject
                .at(&codes::SYSCTL, &key, &value.span, message)
                .help("have it set on the nodes, and remove it here"),
        );
        return false;
    }
    if SAFE_SYSCTLS.contains(&name) {
        return true;
    }
    let what = format!("setting `{name}`");
    let allowed = subject.allows(&codes::POLICY_SYSCTL, &key, &value.span, &what, findings);
    if allowed {
        let message = format!("a node refuses the pod unless its kubelet allows `{name}`");
        findings.diagnose(
            subject
                .at(&codes::SYSCTL_UNSAFE, &key, &value.span, message)
                .help("set `allowedUnsafeSysctls` in the configuration of the kubelets"),
        );
    }
    allowed
}

/// Whether a kernel parameter is not the pod's own, given what the pod shares with its node.
pub(super) fn belongs_to_node(name: &str, host: HostNamespaces) -> bool {
    if name.starts_with(NETWORK_SYSCTLS) {
        return host.network;
    }
    host.ipc || !IPC_SYSCTLS.iter().any(|start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::SAFE_SYSCTLS;

    #[test]
    fn the_list_is_sorted() {
        assert!(SAFE_SYSCTLS.is_sorted());
    }
}
