//! Names of Services and pods: CoreDNS as a process of the node, behind a Service made by hand.
//!
//! It knows the cluster's names only. Every other one does not exist, at once: containers reach nothing
//! outside, and a resolver that waits would make each of them slow.

use super::Error;
use k8s_openapi::{
    ClusterResourceScope, NamespaceResourceScope,
    api::{
        core::v1::Service,
        discovery::v1::EndpointSlice,
        rbac::v1::{ClusterRole, ClusterRoleBinding},
    },
};
use kube::{
    Api, Client, Resource,
    api::{Patch, PatchParams},
};
use serde_json::{Value, json};
use std::{fmt::Debug, net::Ipv4Addr, time::Duration};

/// Who it is for the API server.
pub(crate) const USER: &str = "system:kompox-dev-dns";
/// The tenth address of the range of Services, as everywhere in the field.
pub(super) const SERVICE_ADDRESS: &str = "10.96.0.10";
pub(super) const DOMAIN: &str = "cluster.local";
pub(super) const READY_PORT: u16 = 8181;
pub(super) const CONFIG_FILE: &str = "/var/lib/kompox/Corefile";
pub(super) const KUBECONFIG: &str = "/var/lib/kompox/coredns.kubeconfig";
const ROLE: &str = "kompox-dev-dns";
const NAMESPACE: &str = "kube-system";
const SERVICE: &str = "kube-dns";
const MANAGER: &str = "kompox-devcluster";
const RETRY: Duration = Duration::from_millis(100);

pub(super) fn arguments() -> Vec<String> {
    vec![format!("-conf={CONFIG_FILE}")]
}

/// One server for the cluster's names, one for all others. Records live for 5 s: names follow pods.
pub(super) fn config(address: Ipv4Addr) -> String {
    format!(
        "{DOMAIN} in-addr.arpa ip6.arpa {{
    bind {address}
    errors
    ready {address}:{READY_PORT}
    kubernetes {DOMAIN} in-addr.arpa ip6.arpa {{
        kubeconfig {KUBECONFIG}
        pods insecure
        ttl 5
    }}
}}
. {{
    bind {address}
    errors
    template ANY ANY {{
        rcode NXDOMAIN
    }}
}}
"
    )
}

/// Makes the objects that lead to it; right after its start the API server may lack the namespace.
pub(super) async fn install(client: &Client, address: Ipv4Addr, limit: Duration) -> Result<(), Error> {
    let deadline = tokio::time::Instant::now() + limit;
    loop {
        match apply_all(client, address).await {
            Err(Error::Write { source, .. })
                if is_early(&source) && tokio::time::Instant::now() < deadline =>
            {
                tokio::time::sleep(RETRY).await;
            }
            result => return result,
        }
    }
}

/// No namespace yet, or none of the built-in rights.
fn is_early(error: &kube::Error) -> bool {
    matches!(error, kube::Error::Api(status) if matches!(status.code, 403 | 404))
}

async fn apply_all(client: &Client, address: Ipv4Addr) -> Result<(), Error> {
    apply(&cluster::<ClusterRole>(client), "ClusterRole", ROLE, role()).await?;
    apply(&cluster::<ClusterRoleBinding>(client), "ClusterRoleBinding", ROLE, binding()).await?;
    apply(&namespaced::<Service>(client), "Service", SERVICE, service()).await?;
    apply(&namespaced::<EndpointSlice>(client), "EndpointSlice", SERVICE, endpoints(address)).await
}

fn role() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
        "rules": [
            { "apiGroups": [""], "resources": ["services", "pods", "namespaces"], "verbs": ["list", "watch"] },
            { "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"], "verbs": ["list", "watch"] },
        ],
    })
}

fn binding() -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRoleBinding",
        "roleRef": { "apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": ROLE },
        "subjects": [{ "apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": USER }],
    })
}

/// Without a selector: its only endpoint is no pod.
fn service() -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "labels": { "k8s-app": "kube-dns", "kubernetes.io/name": "CoreDNS" } },
        "spec": {
            "clusterIP": SERVICE_ADDRESS,
            "ports": [
                { "name": "dns", "port": 53, "protocol": "UDP" },
                { "name": "dns-tcp", "port": 53, "protocol": "TCP" },
            ],
        },
    })
}

fn endpoints(address: Ipv4Addr) -> Value {
    json!({
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": { "labels": {
            "kubernetes.io/service-name": SERVICE,
            "endpointslice.kubernetes.io/managed-by": MANAGER,
        } },
        "addressType": "IPv4",
        "endpoints": [{ "addresses": [address], "conditions": { "ready": true } }],
        "ports": [
            { "name": "dns", "port": 53, "protocol": "UDP" },
            { "name": "dns-tcp", "port": 53, "protocol": "TCP" },
        ],
    })
}

fn cluster<K>(client: &Client) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = ClusterResourceScope>,
{
    Api::all(client.clone())
}

fn namespaced<K>(client: &Client) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    Api::namespaced(client.clone(), NAMESPACE)
}

async fn apply<K>(api: &Api<K>, kind: &'static str, name: &str, object: Value) -> Result<(), Error>
where
    K: Clone + Debug + serde::de::DeserializeOwned,
{
    let params = PatchParams::apply(MANAGER).force();
    let applied = api.patch(name, &params, &Patch::Apply(named(object, name))).await;
    applied.map(drop).map_err(|source| Error::Write { kind, name: name.to_owned(), source: Box::new(source) })
}

fn named(mut object: Value, name: &str) -> Value {
    if let Some(fields) = object.as_object_mut() {
        let metadata = fields.entry("metadata").or_insert_with(|| json!({}));
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("name".into(), json!(name));
        }
    }
    object
}

#[cfg(test)]
mod tests {
    use super::config;

    #[test]
    fn the_name_server_listens_on_the_node_and_nowhere_else() {
        let text = config([10, 243, 7, 2].into());
        assert_eq!(text.matches("bind 10.243.7.2\n").count(), 2);
        assert_eq!(text.matches("bind").count(), 2);
        assert!(!text.contains("forward"), "{text}");
    }
}
