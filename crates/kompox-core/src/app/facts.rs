//! What an app refers to: which objects must be read, and what was read of them.

use crate::app::secret_text::SecretText;
use kompox_crds::KompoxApp;
use kompox_crds::v1alpha1::app::{FileMount, KeysRef};
use std::collections::{BTreeMap, BTreeSet};

/// Names of the objects whose content an app needs, all of the app's namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct References {
    /// ConfigMaps.
    pub config_maps: BTreeSet<String>,
    /// Secrets.
    pub secrets: BTreeSet<String>,
    /// KompoxDisks.
    pub disks: BTreeSet<String>,
}

/// The content of one ConfigMap or Secret, by key.
pub type Content = BTreeMap<String, SecretText>;

/// What was read. An object that is absent here does not exist.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// ConfigMaps by name; `data` and `binaryData` together.
    pub config_maps: BTreeMap<String, Content>,
    /// Secrets by name.
    pub secrets: BTreeMap<String, Content>,
    /// What the app's namespace lets pods do.
    pub pod_security: PodSecurity,
}

/// The Pod Security Standard that a namespace enforces
/// (<https://kubernetes.io/docs/concepts/security/pod-security-admission/>): how far pods may go.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PodSecurity {
    /// `baseline`, `restricted`, no label at all, or an unknown value: nothing of the host.
    #[default]
    Baseline,
    /// `privileged`: the host's namespaces, any capability.
    Privileged,
}

impl PodSecurity {
    /// The label of namespaces that says it.
    pub const LABEL: &'static str = "pod-security.kubernetes.io/enforce";

    /// The level that the labels of a namespace ask for. A namespace without the label was never meant for
    /// pods that can take over their node.
    #[must_use]
    pub fn of_labels(labels: &BTreeMap<String, String>) -> Self {
        match labels.get(Self::LABEL).map(String::as_str) {
            Some("privileged") => Self::Privileged,
            _ => Self::Baseline,
        }
    }
}

/// What the operator's administrator has set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// IngressClass of apps that name none; absent: the cluster's default.
    pub default_ingress_class: Option<String>,
    /// Namespaces in which ingress controllers run.
    pub ingress_namespaces: Vec<String>,
    /// Whether pods may mount images (`volumes[].image`, beta and off by default before Kubernetes 1.35;
    /// the container runtime must know it too).
    pub image_volumes: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            default_ingress_class: None,
            ingress_namespaces: vec![kompox_crds::names::TRAEFIK_NAMESPACE.to_owned()],
            image_volumes: false,
        }
    }
}

/// Every object that the spec names.
#[must_use]
pub fn references(app: &KompoxApp) -> References {
    let mut found = References::default();
    let spec = &app.spec;
    found.config_maps.insert(spec.compose.config_map_ref.name.clone());
    for source in &spec.compose.env_from {
        found.config_maps.extend(source.config_map_ref.iter().map(|object| object.name.clone()));
        found.secrets.extend(source.secret_ref.iter().map(|object| object.name.clone()));
    }
    for mount in &spec.files.mounts {
        found.config_maps.extend(mount.config_map_ref.iter().map(|object| object.name.clone()));
        found.secrets.extend(mount.secret_ref.iter().map(|object| object.name.clone()));
    }
    found.disks.extend(spec.volumes.iter().filter_map(|volume| Some(volume.disk_ref.as_ref()?.name.clone())));
    found
}

/// One of the two kinds of objects that carry content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Carrier {
    /// A ConfigMap.
    ConfigMap,
    /// A Secret.
    Secret,
}

impl Carrier {
    /// The kind in the Kubernetes API.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        }
    }

    pub(crate) fn content<'a>(self, facts: &'a Facts, name: &str) -> Option<&'a Content> {
        match self {
            Self::ConfigMap => facts.config_maps.get(name),
            Self::Secret => facts.secrets.get(name),
        }
    }
}

/// The object behind an entry of `files.mounts`.
pub(crate) fn carrier(mount: &FileMount) -> Option<(Carrier, &KeysRef)> {
    match (&mount.config_map_ref, &mount.secret_ref) {
        (Some(object), _) => Some((Carrier::ConfigMap, object)),
        (None, Some(object)) => Some((Carrier::Secret, object)),
        (None, None) => None,
    }
}
