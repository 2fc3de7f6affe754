//! What the ingress tells the API server: its class, and in every Ingress of the class where it listens.

use std::time::Duration;

use k8s_openapi::api::networking::v1::{Ingress, IngressClass};
use kube::api::{Patch, PatchParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::{Value, json};

use super::view::View;
use super::{CONTROLLER, Error, INGRESS_BANNER, MANAGER, Ports};

/// How often refused statuses are tried again.
const AGAIN: Duration = Duration::from_secs(5);

/// Makes the class, the cluster's default. A class of another controller is left alone.
pub(super) async fn register(client: &Client, name: &str) -> Result<(), Error> {
    let api: Api<IngressClass> = Api::all(client.clone());
    let failed = |source| Error::Class { name: name.to_owned(), source: Box::new(source) };
    let present = api.get_opt(name).await.map_err(failed)?.and_then(|class| class.spec?.controller);
    if let Some(controller) = present.filter(|controller| controller != CONTROLLER) {
        return Err(Error::ClassTaken { name: name.to_owned(), controller });
    }
    let class = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": { "name": name, "annotations": {
            "ingressclass.kubernetes.io/is-default-class": "true",
            "kompox.dev/note": INGRESS_BANNER,
        } },
        "spec": { "controller": CONTROLLER },
    });
    api.patch(name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(class)).await.map_err(failed)?;
    Ok(())
}

/// Keeps the addresses in the Ingresses right; never ends by itself.
pub(super) async fn publish(client: Client, view: View, ports: Ports) {
    let wanted = addresses(ports);
    loop {
        for ingress in view.served().iter().filter(|ingress| published(ingress) != wanted) {
            if let Err(error) = write(&client, ingress, &wanted).await {
                tracing::debug!(%error, ingress = %ingress.name_any(), "the ingress' address is not written yet");
            }
        }
        // The limit is for statuses that were refused, or changed by someone between two looks.
        let _ = tokio::time::timeout(AGAIN, view.changed.notified()).await;
    }
}

/// The hostname and no address: the names below it are loopback too.
fn addresses(ports: Ports) -> Value {
    let port = |port: u16| json!({ "port": port, "protocol": "TCP" });
    json!([{ "hostname": "localhost", "ports": [port(ports.http), port(ports.https)] }])
}

fn published(ingress: &Ingress) -> Value {
    let balancer = ingress.status.as_ref().and_then(|status| status.load_balancer.as_ref());
    balancer.and_then(|balancer| serde_json::to_value(&balancer.ingress).ok()).unwrap_or_default()
}

async fn write(client: &Client, ingress: &Ingress, addresses: &Value) -> kube::Result<()> {
    let api: Api<Ingress> = Api::namespaced(client.clone(), &ingress.namespace().unwrap_or_default());
    let name = ingress.name_any();
    let status = json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": { "name": name },
        "status": { "loadBalancer": { "ingress": addresses } },
    });
    api.patch_status(&name, &PatchParams::apply(MANAGER).force(), &Patch::Apply(status)).await.map(drop)
}
