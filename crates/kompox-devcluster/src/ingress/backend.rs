//! From the backend of a rule to the addresses of its pods: Service port → EndpointSlices → ready endpoints. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Service, ServicePort};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use k8s_openapi::api::networking::v1::{IngressBackend, ServiceBackendPort};
use kube::ResourceExt as _;

use crate::kubelet::SIMULATED;

/// The label by which a slice names its Service.
const SERVICE_LABEL: &str = "kubernetes.io/service-name";

/// Why no pod can be asked. Its text is shown to whoever asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unavailable {
    #[error("the rule's backend is no Service, and the development ingress serves no other")]
    NoService,
    #[error("there is no Service {0}")]
    Unknown(String),
    #[error("the Service {0} is of the type ExternalName, which the development ingress does not serve")]
    External(String),
    #[error("the Service {service} has no port {port}")]
    NoPort { service: String, port: String },
    #[error("no pod of the Service {service} is ready; it has {endpoints} endpoints")]
    NotReady { service: String, endpoints: usize },
    #[error(
        "the pods of the Service {0} are simulated: no containers run on this cluster's nodes, so nobody answers"
    )]
    Simulated(String),
}

/// What the cluster has at the moment.
#[derive(Clone, Debug, Default)]
pub(super) struct Objects {
    /// The Service of the backend, if it is there.
    pub(super) service: Option<Arc<Service>>,
    /// The slices of its namespace.
    pub(super) slices: Vec<Arc<EndpointSlice>>,
    pub(super) nodes: Vec<Arc<Node>>,
}

/// Addresses that take requests, sorted; never none.
pub(super) fn addresses(backend: &IngressBackend, objects: &Objects) -> Result<Vec<SocketAddr>, Unavailable> {
    let wanted = backend.service.as_ref().ok_or(Unavailable::NoService)?;
    let name = wanted.name.clone();
    let service = objects.service.as_deref().ok_or_else(|| Unavailable::Unknown(name.clone()))?;
    let spec = service.spec.clone().unwrap_or_default();
    if spec.type_.as_deref() == Some("ExternalName") {
        return Err(Unavailable::External(name));
    }
    let port =
        service_port(spec.ports.as_deref().unwrap_or_default(), wanted.port.as_ref()).ok_or_else(|| {
            Unavailable::NoPort { service: name.clone(), port: port_text(wanted.port.as_ref()) }
        })?;
    let simulated: BTreeSet<_> =
        objects.nodes.iter().filter(|node| is_simulated(node)).map(|node| node.name_any()).collect();
    let (mut real, mut ready, mut endpoints) = (BTreeSet::new(), 0, 0);
    for slice in objects.slices.iter().filter(|slice| slice.labels().get(SERVICE_LABEL) == Some(&name)) {
        let number = slice_port(slice, port.name.as_deref().unwrap_or_default());
        for endpoint in slice.endpoints.iter().flatten() {
            endpoints += 1;
            // Absent means ready (EndpointSlice API, `conditions.ready`).
            let is_ready =
                endpoint.conditions.as_ref().and_then(|conditions| conditions.ready).unwrap_or(true);
            let Some(number) = number.filter(|_| is_ready) else { continue };
            ready += 1;
            if endpoint.node_name.as_ref().is_none_or(|node| !simulated.contains(node)) {
                let parsed = endpoint.addresses.iter().filter_map(|address| address.parse::<IpAddr>().ok());
                real.extend(parsed.map(|address| SocketAddr::new(address, number)));
            }
        }
    }
    match (real.is_empty(), ready) {
        (false, _) => Ok(real.into_iter().collect()),
        (true, 0) => Err(Unavailable::NotReady { service: name, endpoints }),
        (true, _) => Err(Unavailable::Simulated(name)),
    }
}

fn service_port<'a>(
    ports: &'a [ServicePort],
    wanted: Option<&ServiceBackendPort>,
) -> Option<&'a ServicePort> {
    let wanted = wanted?;
    ports.iter().find(|port| match &wanted.name {
        Some(name) => port.name.as_ref() == Some(name),
        None => Some(port.port) == wanted.number,
    })
}

/// Slices bear the names of the Service's ports; a single port may have none.
fn slice_port(slice: &EndpointSlice, name: &str) -> Option<u16> {
    let ports = slice.ports.as_deref().unwrap_or_default();
    let found = ports.iter().find(|port| port.name.as_deref().unwrap_or_default() == name)?;
    found.port.and_then(|port| u16::try_from(port).ok())
}

fn port_text(port: Option<&ServiceBackendPort>) -> String {
    let text = |port: &ServiceBackendPort| {
        port.name.clone().or_else(|| port.number.map(|number| number.to_string()))
    };
    port.and_then(text).unwrap_or_else(|| "(none given)".to_owned())
}

fn is_simulated(node: &Node) -> bool {
    let labels: &BTreeMap<_, _> = node.labels();
    labels.get(SIMULATED).map(String::as_str) == Some("true")
}

#[cfg(test)]
mod tests;
