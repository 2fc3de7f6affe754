//! KompoxApp: a Compose application with its volumes and routes.
//!
//! The spec's top level; its parts are in `app/*.rs`, the rules in `app/rules.rs`.

mod compose;
mod deployment;
mod ingress;
mod network;
mod rules;
mod status;
mod volumes;

pub use compose::{Compose, ComposeFile, EnvSource, FileMount, Files, KeysRef, ServiceNames};
pub use deployment::{
    Deployment, InheritedMetadata, PodLayout, Toleration, TolerationEffect, TolerationOperator,
};
pub use ingress::{
    CertificateIssuer, Expose, ExposeType, Gateway, Ingress, IngressMode, IngressRule, IssuerKind, ParentRef,
    Protocol, Tls, TlsMode,
};
pub use network::{
    IpBlock, LabelOperator, LabelRequirement, LabelSelector, NetworkPeer, NetworkPolicy, NetworkPolicyMode,
    NetworkPort, NetworkRule,
};
pub use status::{DiagnosticStatus, DiskSwitchStatus, KompoxAppStatus, ServiceStatus, VolumeStatus};
pub use volumes::{
    AppVolume, BindMap, DEFAULT_VOLUME, DiskSwitch, OnDrainTimeout, PreviousDisk, SnapshotBefore,
};

use super::{LocalRef, is_false};
use crate::schema;
use kube::{CustomResource, KubeSchema};
use serde::{Deserialize, Serialize};

/// What the user asks for. No `Default`: there is no app without a Compose file, and a derived one
/// would say `replicas: 0`, which hibernates.
#[derive(CustomResource, Clone, Debug, PartialEq, Deserialize, Serialize, KubeSchema)]
#[kube(
    group = "k8s.kompox.dev",
    version = "v1alpha1",
    kind = "KompoxApp",
    namespaced,
    doc = "A Compose application with its volumes and routes.",
    status = "KompoxAppStatus",
    derive = "PartialEq",
    shortname = "kxa",
    category = "kompox",
    scale(
        spec_replicas_path = ".spec.replicas",
        status_replicas_path = ".status.replicas",
        label_selector_path = ".status.selector"
    ),
    printcolumn(
        name = "Ready",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].status"#
    ),
    printcolumn(
        name = "Reason",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].reason"#
    ),
    printcolumn(name = "Services", type_ = "string", json_path = ".status.servicesReady"),
    printcolumn(name = "URL", type_ = "string", json_path = ".status.urls[0]"),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp"),
    printcolumn(
        name = "Message",
        type_ = "string",
        json_path = r#".status.conditions[?(@.type=="Ready")].message"#,
        priority = 1
    )
)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = rules::bind_map_names_a_volume())]
pub struct KompoxAppSpec {
    /// The Compose file and what it is read with.
    pub compose: Compose,

    /// Content for the files the Compose file names: the operator never reads a local file.
    #[serde(default, skip_serializing_if = "Files::is_empty")]
    pub files: Files,

    /// Absolute host paths of binds, and the place on a volume that takes each one's place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["prefix".into()]))]
    pub bind_map: Vec<BindMap>,

    /// Compose volumes and where they live.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub volumes: Vec<AppVolume>,

    /// How to go from one disk to another when a volume's `diskRef` changes.
    #[serde(default)]
    pub disk_switch: DiskSwitch,

    /// How HTTP traffic comes in.
    #[serde(default)]
    pub ingress: Ingress,

    /// Ports that are not HTTP, made reachable from outside, such as Gitea's SSH.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub expose: Vec<Expose>,

    /// Where and in what shape the pods run.
    #[serde(default)]
    pub deployment: Deployment,

    /// Who may reach the app's pods.
    #[serde(default)]
    pub network_policy: NetworkPolicy,

    /// Secrets with registry credentials, in the same namespace.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub image_pull_secrets: Vec<LocalRef>,

    /// ServiceAccount of the pods, in the same namespace. Absent: `default`, without a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253), regex(pattern = schema::DNS_SUBDOMAIN))]
    pub service_account_name: Option<String>,

    /// Labels and annotations of the generated objects; they get exactly these beside the operator's
    /// own, never the labels of this object.
    #[serde(default, skip_serializing_if = "InheritedMetadata::is_empty")]
    pub inherited_metadata: InheritedMetadata,

    /// 1 (the default) runs the app, 0 hibernates it: the pods go, disks and routes stay.
    #[serde(default = "one")]
    #[schemars(range(min = 0, max = 1))]
    pub replicas: i32,

    /// Stop at the next step boundary and do nothing destructive, finalizer work included. (To stop
    /// the app itself set `replicas: 0`.)
    #[serde(default, skip_serializing_if = "is_false")]
    pub paused: bool,
}

fn one() -> i32 {
    1
}
