//! Every name that is part of the API beside the types: group, labels, annotations, finalizers, field
//! managers, label values, namespaces. Constants and the rule of app namespaces; no object is built here.

use sha2::{Digest, Sha256};

/// API group of the CRDs.
pub const GROUP: &str = "k8s.kompox.dev";
/// Version served and stored.
pub const VERSION: &str = "v1alpha1";
/// `apiVersion` of the objects.
pub const API_VERSION: &str = "k8s.kompox.dev/v1alpha1";
/// Domain of our labels, annotations and finalizers.
pub const DOMAIN: &str = "kompox.dev";

/// Namespace of the operator, unless configured otherwise.
pub const OPERATOR_NAMESPACE: &str = "k4x-system";
/// Namespace of Traefik, unless configured otherwise.
pub const TRAEFIK_NAMESPACE: &str = "k4x-traefik";

/// Label keys of generated objects. Selectors use only those of `kompox.dev`: the others may change.
pub mod labels {
    /// Name of the KompoxApp.
    pub const APP: &str = "kompox.dev/app";
    /// Id of the app: see [`super::app_id`].
    pub const APP_ID: &str = "kompox.dev/app-id";
    /// Name of the Compose service.
    pub const SERVICE: &str = "kompox.dev/service";
    /// Name of the Compose project.
    pub const PROJECT: &str = "kompox.dev/project";
    /// Workspace an app namespace belongs to.
    pub const TENANT: &str = "kompox.dev/tenant";
    /// Name of the KompoxDisk a volume or claim belongs to.
    pub const DISK: &str = "kompox.dev/disk";
    /// UID of the KompoxDisk a volume or claim belongs to.
    pub const DISK_UID: &str = "kompox.dev/disk-uid";
    /// `true` on a ConfigMap that carries a driver component.
    pub const DRIVER: &str = "kompox.dev/driver";
    /// Node pool, on nodes.
    pub const NODE_POOL: &str = "kompox.dev/node-pool";

    /// Recommended label: name of the service.
    pub const NAME: &str = "app.kubernetes.io/name";
    /// Recommended label: name of the app.
    pub const INSTANCE: &str = "app.kubernetes.io/instance";
    /// Recommended label: role inside the app.
    pub const COMPONENT: &str = "app.kubernetes.io/component";
    /// Recommended label: name of the app.
    pub const PART_OF: &str = "app.kubernetes.io/part-of";
    /// Recommended label: version of the image.
    pub const APP_VERSION: &str = "app.kubernetes.io/version";
    /// Recommended label: [`MANAGED_BY_KOMPOX`].
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// Value of [`MANAGED_BY`] on everything the operator makes.
    pub const MANAGED_BY_KOMPOX: &str = "kompox";

    /// Zone of a node, as Kubernetes defines it.
    pub const ZONE: &str = "topology.kubernetes.io/zone";
}

/// Annotation keys.
pub mod annotations {
    /// Set by users: no destructive step on this object.
    pub const PROTECT: &str = "kompox.dev/protect";
    /// Set by users: any new value asks for a reconcile now; answered in `status.lastHandledReconcileAt`.
    pub const RECONCILE_REQUESTED_AT: &str = "kompox.dev/reconcile-requested-at";
    /// Set by users: any new value restarts the pods.
    pub const RESTARTED_AT: &str = "kompox.dev/restarted-at";
    /// Set by users: adopt the existing cloud resource that carries this object's names.
    pub const ADOPT: &str = "kompox.dev/adopt";
    /// Pod template: hash of the service's environment, so that a change rolls the pods exactly once.
    pub const ENV_HASH: &str = "kompox.dev/env-hash";
    /// Workload: hash of the Compose input it was made from.
    pub const COMPOSE_HASH: &str = "kompox.dev/compose-hash";
    /// Prefix of a workload's annotations with the fencing number of each volume: `<prefix><volume>`.
    pub const EPOCH_PREFIX: &str = "kompox.dev/epoch.";
}

/// Finalizers. Only the operator sets and removes them.
pub mod finalizers {
    /// On KompoxDisks.
    pub const DISK: &str = "kompox.dev/disk";
    /// On KompoxSnapshots.
    pub const SNAPSHOT: &str = "kompox.dev/snapshot";
    /// On KompoxApps.
    pub const APP: &str = "kompox.dev/app";
    /// On PersistentVolumes of our disks.
    pub const VOLUME: &str = "kompox.dev/volume";
    /// On PersistentVolumeClaims of our disks.
    pub const CLAIM: &str = "kompox.dev/claim";
    /// In the pod template of StatefulSets that write to a disk: the pod object stays until every
    /// container is known to have ended.
    pub const WRITER: &str = "kompox.dev/writer";
}

/// Field managers of server-side apply, one for each controller.
pub mod field_managers {
    /// The disk controller.
    pub const DISK: &str = "kompox-operator-disk";
    /// The snapshot controller.
    pub const SNAPSHOT: &str = "kompox-operator-snapshot";
    /// The app controller.
    pub const APP: &str = "kompox-operator-app";
    /// The driver controller.
    pub const DRIVER: &str = "kompox-operator-driver";
    /// The lock in a disk's status. Of its own, since an apply by the manager of `usedBy` that leaves
    /// it out releases the lock.
    pub const LOCK: &str = "kompox-operator-lock";
}

/// Longest name of a namespace.
const NAMESPACE_MAX: usize = 63;
/// Hex digits of an app's id: 40 bits.
const APP_ID_DIGITS: usize = 10;

/// A workspace or app that cannot be part of a namespace's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "failed to name the namespace: '{name}' is not a DNS label (lower-case letters, digits and '-', at most 63)"
)]
pub struct InvalidName {
    /// What was given.
    pub name: String,
}

/// The id of an app: 10 hex digits of the SHA-256 of workspace and app name. Any machine computes the
/// same one.
pub fn app_id(workspace: &str, app: &str) -> String {
    // A zero byte cannot occur in either, so no two pairs give the same input.
    let digest = Sha256::new().chain_update(workspace).chain_update([0]).chain_update(app).finalize();
    let mut id: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    id.truncate(APP_ID_DIGITS);
    id
}

/// The namespace of an app: `k4x-<workspace>-app-<id>`. A long workspace is cut to fit into 63
/// characters; the id still tells two such workspaces apart.
///
/// # Errors
/// When `workspace` or `app` is not a DNS label.
pub fn app_namespace(workspace: &str, app: &str) -> Result<String, InvalidName> {
    for name in [workspace, app] {
        if !is_dns_label(name) {
            return Err(InvalidName { name: name.to_owned() });
        }
    }
    let id = app_id(workspace, app);
    let room = NAMESPACE_MAX - "k4x-".len() - "-app-".len() - id.len();
    let short: String = workspace.chars().take(room).collect();
    Ok(format!("k4x-{}-app-{id}", short.trim_end_matches('-')))
}

/// Whether `name` is an RFC 1123 label.
fn is_dns_label(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let edge = |c: Option<char>| c.is_some_and(|c| c != '-');
    name.len() <= NAMESPACE_MAX
        && name.chars().all(inner)
        && edge(name.chars().next())
        && edge(name.chars().last())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_deterministic_and_told_apart() {
        assert_eq!(app_id("acme", "gitea"), app_id("acme", "gitea"));
        assert_ne!(app_id("acme", "gitea"), app_id("acmeg", "itea"));
        assert_eq!(
            app_namespace("acme", "gitea").unwrap(),
            format!("k4x-acme-app-{}", app_id("acme", "gitea"))
        );
    }

    /// The id is in the names of namespaces that exist: it may never change.
    #[test]
    fn the_id_of_a_known_app_stays() {
        assert_eq!(app_id("acme", "gitea"), "9785b19289");
    }

    #[test]
    fn a_long_workspace_is_cut_and_still_a_label() {
        let long = format!("{}-{}", "a".repeat(43), "b".repeat(19));
        let namespace = app_namespace(&long, "gitea").unwrap();
        assert!(namespace.len() <= 63 && is_dns_label(&namespace), "{namespace}");
        assert_ne!(namespace, app_namespace(&format!("{long:.62}"), "gitea").unwrap());
    }

    #[test]
    fn names_that_are_no_labels_are_refused() {
        for name in ["", "-a", "a-", "A", "a.b", "a_b", &"a".repeat(64)] {
            assert_eq!(app_namespace(name, "app"), Err(InvalidName { name: name.to_owned() }));
            assert_eq!(app_namespace("acme", name), Err(InvalidName { name: name.to_owned() }));
        }
    }

    #[test]
    fn group_and_version_agree_with_the_types() {
        assert_eq!(API_VERSION, format!("{GROUP}/{VERSION}"));
        for crd in crate::all() {
            assert_eq!(crd.spec.group, GROUP);
            assert_eq!(crd.spec.versions.iter().map(|v| v.name.as_str()).collect::<Vec<_>>(), [VERSION]);
        }
    }
}
