//! The objects that make a driver of a cluster: the KompoxDriver, and the ConfigMap that carries its component.

use std::collections::BTreeMap;

use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ConfigMap;
use kompox_crds::names::{self, labels};
use kompox_driver_runtime::pack;
use kube::ResourceExt;
use kube::api::{Api, DeleteParams, ListParams};
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::console::note;
use crate::failure::Failure;

/// Key of the component in its ConfigMap.
const KEY: &str = "driver.wasm.zst";
/// Most bytes of a ConfigMap's values (Kubernetes, core/v1 `MaxSecretSize`), less what the object needs itself.
const MOST: usize = (1 << 20) - (16 << 10);

/// A driver as the user asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Driver {
    /// Name of the KompoxDriver.
    pub(crate) name: String,
    /// Its labels.
    pub(crate) labels: BTreeMap<String, String>,
    /// Where its component comes from.
    pub(crate) source: Source,
    /// `spec.egress.mode`.
    pub(crate) egress: Option<&'static str>,
    /// `spec.config`.
    pub(crate) config: BTreeMap<String, String>,
    /// `spec.credentialsSecretRef`.
    pub(crate) credentials_secret: Option<String>,
}

/// Where a component comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// From us, in a ConfigMap.
    Component {
        /// Its digest.
        digest: String,
        /// Its bytes, packed.
        packed: Vec<u8>,
    },
    /// From a registry.
    Registry {
        /// `spec.source.oci.reference`.
        reference: String,
        /// `spec.source.digest`.
        digest: Option<String>,
        /// `spec.source.oci.pullSecretRef`.
        pull_secret: Option<String>,
        /// `spec.source.oci.verify`.
        signer: Option<Signer>,
    },
}

/// Who must have signed an artifact.
#[derive(Clone, Debug)]
pub(crate) enum Signer {
    /// The holder of a key, whose public half is in a Secret.
    Key {
        /// Name of the Secret.
        secret: String,
        /// Key in it.
        key: String,
    },
    /// Whoever could show this identity.
    Identity {
        /// Subject of the certificate.
        subject: String,
        /// Issuer of the identity token.
        issuer: String,
    },
}

/// The component as it travels in a ConfigMap.
///
/// # Errors
/// When it is too large for one even packed; the text says what to do.
pub(crate) fn packed(component: &[u8]) -> Result<Vec<u8>, String> {
    let packed = pack(component).map_err(|error| format!("failed to pack it: {error}"))?;
    if packed.len() > MOST {
        return Err(format!(
            "packed it has {} bytes, and a ConfigMap takes {MOST}; push it to a registry (kompoxops driver push) and install oci://REFERENCE",
            packed.len()
        ));
    }
    Ok(packed)
}

/// The objects, in the order in which they are applied.
///
/// # Errors
/// When an object has no JSON form.
pub(crate) fn of(driver: &Driver, namespace: &str) -> Result<Vec<Value>, Failure> {
    let mut objects = Vec::new();
    if let Source::Component { digest, packed } = &driver.source {
        let data = serde_json::to_value(ByteString(packed.clone()))
            .map_err(|error| Failure::Output(error.to_string()))?;
        objects.push(json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": config_map_name(&driver.name, digest),
                "namespace": namespace,
                "labels": { labels::MANAGED_BY: labels::MANAGED_BY_KOMPOX, labels::DRIVER: driver.name },
            },
            "immutable": true,
            "binaryData": { KEY: data },
        }));
    }
    objects.push(json!({
        "apiVersion": names::API_VERSION,
        "kind": "KompoxDriver",
        "metadata": { "name": driver.name, "labels": driver.labels },
        "spec": spec(driver),
    }));
    Ok(objects)
}

fn spec(driver: &Driver) -> Value {
    let mut spec = json!({ "source": source(driver) });
    let mut set = |key: &str, value: Value| {
        if let Some(members) = spec.as_object_mut() {
            members.insert(key.to_owned(), value);
        }
    };
    if let Some(mode) = driver.egress {
        set("egress", json!({ "mode": mode }));
    }
    if !driver.config.is_empty() {
        set("config", json!(driver.config));
    }
    if let Some(name) = &driver.credentials_secret {
        set("credentialsSecretRef", json!({ "name": name }));
    }
    spec
}

fn source(driver: &Driver) -> Value {
    match &driver.source {
        Source::Component { digest, .. } => json!({
            "configMapRef": { "name": config_map_name(&driver.name, digest), "key": KEY },
            "digest": digest,
        }),
        Source::Registry { reference, digest, pull_secret, signer } => {
            let mut oci = BTreeMap::from([("reference", json!(reference))]);
            if let Some(name) = pull_secret {
                oci.insert("pullSecretRef", json!({ "name": name }));
            }
            if let Some(signer) = signer {
                oci.insert("verify", verify(signer));
            }
            let mut source = BTreeMap::from([("oci", json!(oci))]);
            if let Some(digest) = digest {
                source.insert("digest", json!(digest));
            }
            json!(source)
        }
    }
}

fn verify(signer: &Signer) -> Value {
    match signer {
        Signer::Key { secret, key } => json!({ "keySecretRef": { "name": secret, "key": key } }),
        Signer::Identity { subject, issuer } => {
            json!({ "keyless": { "issuer": issuer, "subject": subject } })
        }
    }
}

/// `kompox-driver-acme-3b0c44298fc1`: another component is another ConfigMap.
fn config_map_name(driver: &str, digest: &str) -> String {
    let hex = digest.trim_start_matches("sha256:");
    format!("kompox-driver-{driver}-{}", hex.get(..12).unwrap_or(hex))
}

/// Removes the ConfigMaps of versions that the KompoxDriver no longer names.
///
/// # Errors
/// When the server refuses to list or to delete.
pub(super) async fn prune(cluster: &Cluster, driver: &Driver, namespace: &str) -> Result<(), Failure> {
    let kept = match &driver.source {
        Source::Component { digest, .. } => Some(config_map_name(&driver.name, digest)),
        Source::Registry { .. } => None,
    };
    remove_config_maps(cluster, &driver.name, namespace, kept.as_deref()).await
}

/// Removes the ConfigMaps that carried the driver's components, except `kept`.
///
/// # Errors
/// When the server refuses to list or to delete.
pub(super) async fn remove_config_maps(
    cluster: &Cluster,
    driver: &str,
    namespace: &str,
    kept: Option<&str>,
) -> Result<(), Failure> {
    let api: Api<ConfigMap> = Api::namespaced(cluster.client.clone(), namespace);
    let selector =
        format!("{}={driver},{}={}", labels::DRIVER, labels::MANAGED_BY, labels::MANAGED_BY_KOMPOX);
    let found = api
        .list_metadata(&ListParams::default().labels(&selector))
        .await
        .map_err(Failure::request("list", format!("configmaps in namespace {namespace}")))?;
    for name in found.iter().map(ResourceExt::name_any).filter(|name| Some(name.as_str()) != kept) {
        match api.delete(&name, &DeleteParams::default()).await {
            Ok(_) => note(format!("configmap/{name} (namespace {namespace}) deleted")),
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            Err(error) => return Err(Failure::request("delete", format!("ConfigMap/{name}"))(error)),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn driver(source: Source) -> Driver {
        let config = [("region".to_owned(), "eu-1".to_owned())].into();
        let credentials_secret = Some("cloud".to_owned());
        let labels = [("team".to_owned(), "a".to_owned())].into();
        Driver { name: "acme".into(), labels, source, egress: Some("Declared"), config, credentials_secret }
    }

    #[test]
    fn a_component_travels_in_a_config_map_named_and_pinned_by_its_digest() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let source = Source::Component { digest: digest.clone(), packed: b"abc".to_vec() };
        let objects = of(&driver(source), "k4x-system").unwrap();
        let [config_map, driver] = objects.as_slice() else { panic!("{objects:?}") };
        let name = "kompox-driver-acme-abababababab";
        assert_eq!(config_map["metadata"]["name"], name);
        assert_eq!(
            (&config_map["immutable"], &config_map["binaryData"][KEY]),
            (&json!(true), &json!("YWJj"))
        );
        assert_eq!(driver["metadata"], json!({ "name": "acme", "labels": { "team": "a" } }));
        assert_eq!(
            driver["spec"],
            json!({
                "source": { "configMapRef": { "name": name, "key": KEY }, "digest": digest },
                "egress": { "mode": "Declared" },
                "config": { "region": "eu-1" },
                "credentialsSecretRef": { "name": "cloud" },
            })
        );
    }

    #[test]
    fn a_reference_needs_no_config_map() {
        let source = Source::Registry {
            reference: "registry.example.com/acme:1".into(),
            digest: None,
            pull_secret: Some("registry".into()),
            signer: Some(Signer::Key { secret: "cosign".into(), key: "cosign.pub".into() }),
        };
        let objects = of(&driver(source), "k4x-system").unwrap();
        let [driver] = objects.as_slice() else { panic!("{objects:?}") };
        assert_eq!(
            driver["spec"]["source"],
            json!({ "oci": {
                "reference": "registry.example.com/acme:1",
                "pullSecretRef": { "name": "registry" },
                "verify": { "keySecretRef": { "name": "cosign", "key": "cosign.pub" } },
            } })
        );
    }

    #[test]
    fn what_no_config_map_takes_is_refused_with_another_way() {
        let noise: Vec<u8> =
            (0_u32..(2 << 20)).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        assert!(packed(&noise).unwrap_err().contains("kompoxops driver push"));
        assert!(packed(&[0; 1 << 20]).is_ok());
    }
}
