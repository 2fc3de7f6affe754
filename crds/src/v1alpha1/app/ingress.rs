//! How traffic reaches a KompoxApp: HTTP routes, certificates, and ports that are not HTTP.

use super::rules;
use crate::{
    schema,
    v1alpha1::{
        LocalRef,
        rules::{at_most_one_of, only_with_mode},
    },
};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How HTTP traffic comes in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = at_most_one_of(&["certResolver", "tls"]),
    validation = only_with_mode("gateway", "Gateway"),
    validation = rules::ports_are_unique()
)]
pub struct Ingress {
    /// Which kind of object carries the routes: `Ingress` (the default), `Gateway` (HTTPRoute) or
    /// `None`.
    #[serde(default)]
    pub mode: IngressMode,

    /// IngressClass. Absent: the operator's default; what is used is in `status.ingressClassName`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub class_name: Option<String>,

    /// Annotations of the generated route objects.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::strings::<64, 4096>")]
    pub annotations: BTreeMap<String, String>,

    /// Domain under which every rule also gets a host of its own. Absent: only the hosts of the rules.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub domain: Option<String>,

    /// Certificate resolver of the ingress controller: short for `tls` with mode `Resolver`. Not
    /// together with `tls`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub cert_resolver: Option<String>,

    /// Where the certificates come from. Absent: `certResolver`, else no TLS. Not together with
    /// `certResolver`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<Tls>,

    /// The Gateways to attach to; if and only if `mode` is `Gateway`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,

    /// Published Compose ports and the hosts that lead to them. `port` and `path` together are unique.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub rules: Vec<IngressRule>,
}

/// Which kind of object carries the routes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum IngressMode {
    /// Ingress objects.
    #[default]
    Ingress,
    /// HTTPRoute objects of the Gateway API.
    Gateway,
    /// No routes.
    None,
}

/// Where the certificates come from: each member if and only if its mode.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(
    validation = only_with_mode("resolver", "Resolver"),
    validation = only_with_mode("secretRef", "Secret"),
    validation = only_with_mode("issuerRef", "CertManager")
)]
pub struct Tls {
    /// `None`, `Resolver` (the ingress controller's), `Secret` (an existing one) or `CertManager`.
    pub mode: TlsMode,

    /// Name of the ingress controller's certificate resolver, with mode `Resolver`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63))]
    pub resolver: Option<String>,

    /// Secret of type `kubernetes.io/tls`, with mode `Secret`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalRef>,

    /// Issuer of cert-manager, with mode `CertManager`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer_ref: Option<CertificateIssuer>,
}

/// Where the certificates come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum TlsMode {
    /// No TLS, although a default may say otherwise.
    None,
    /// The ingress controller's own resolver.
    Resolver,
    /// An existing Secret.
    Secret,
    /// cert-manager.
    CertManager,
}

/// An issuer of cert-manager.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub struct CertificateIssuer {
    /// Name of the issuer.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub name: String,

    /// `Issuer` (the default), in the same namespace, or `ClusterIssuer`.
    #[serde(default)]
    pub kind: IssuerKind,
}

/// Kind of a cert-manager issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum IssuerKind {
    /// Of the same namespace.
    #[default]
    Issuer,
    /// Of the cluster.
    ClusterIssuer,
}

/// The Gateways to attach to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
pub struct Gateway {
    /// As in `HTTPRoute.spec.parentRefs`; at least one.
    #[schemars(length(min = 1, max = 8))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub parent_refs: Vec<ParentRef>,
}

/// A Gateway or a listener of it. The only reference of this API that may leave the namespace: the
/// Gateway itself says which namespaces it admits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ParentRef {
    /// Name of the Gateway.
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub name: String,

    /// Its namespace. Absent: that of the app.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 63), regex(pattern = schema::DNS_LABEL))]
    pub namespace: Option<String>,

    /// Name of one listener. Absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub section_name: Option<String>,

    /// Port of the listeners. Absent: all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub port: Option<i32>,
}

/// One route.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IngressRule {
    /// Name of the entry: at most 15 lower-case letters, digits and dashes.
    #[schemars(length(min = 1, max = 15), regex(pattern = schema::ENTRY_NAME))]
    pub name: String,

    /// Published port of a Compose service: the left number of `ports`.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: i32,

    /// Hosts that lead here; the first label may be `*`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "schema::hosts::<32>")]
    pub hosts: Vec<String>,

    /// Path prefix. Absent: `/`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 1024), regex(pattern = "^/"))]
    pub path: Option<String>,

    /// Secret with the certificate of these hosts. Absent: as `ingress.tls` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_secret_ref: Option<LocalRef>,
}

/// A port that is not HTTP, made reachable from outside.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Expose {
    /// Name of the entry: at most 15 lower-case letters, digits and dashes.
    #[schemars(length(min = 1, max = 15), regex(pattern = schema::ENTRY_NAME))]
    pub name: String,

    /// Published port of a Compose service: the left number of `ports`.
    #[schemars(range(min = 1, max = 65_535))]
    pub port: i32,

    /// `TCP` or `UDP`. Absent: `TCP`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol: Option<Protocol>,

    /// `LoadBalancer` or `NodePort`. Absent: `LoadBalancer`.
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<ExposeType>,

    /// Port outside. Absent: `port` for a LoadBalancer, chosen by the cluster for a NodePort.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65_535))]
    pub external_port: Option<i32>,

    /// Annotations of the generated Service, for the cloud's load balancer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "schema::strings::<64, 4096>")]
    pub annotations: BTreeMap<String, String>,
}

/// Transport protocol of a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    /// TCP.
    #[default]
    Tcp,
    /// UDP.
    Udp,
}

/// Type of the Service that exposes a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum ExposeType {
    /// A load balancer of the cloud.
    #[default]
    LoadBalancer,
    /// A port on every node.
    NodePort,
}
