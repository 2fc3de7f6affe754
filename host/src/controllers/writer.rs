//! Releases the pods of services with disks. Their finalizer keeps a pod's object, and with it the
//! successor, until every container has ended; here is who takes it off. Pods whose StatefulSet or app is
//! gone are released too: draining a node and deleting a namespace wait for it.

use super::{Controller, Error};
use crate::{context::Context, shutdown::Shutdown, writes::has_finalizer};
use k8s_openapi::api::core::v1::Pod;
use kompox_core::app::observe::has_ended;
use kompox_crds::names::{field_managers, finalizers};
use kube::{ResourceExt as _, runtime::controller::Action};
use std::sync::Arc;

/// The controller's name in logs, metrics and events.
pub const NAME: &str = "writer";

/// Selects the pods of apps.
const PODS: &str = "app.kubernetes.io/managed-by=kompox";

/// Runs the controller until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    Controller::<Pod>::of_labelled(&context, NAME, PODS)
        .run(|pod, context| async move { reconcile(&pod, &context).await }, &shutdown)
        .await;
}

/// The cached pod is enough: a container that has ended does not begin again, and the removal names the
/// version that was judged.
async fn reconcile(pod: &Pod, context: &Context) -> Result<Action, Error> {
    let going = pod.metadata.deletion_timestamp.is_some();
    if going && has_finalizer(pod, finalizers::WRITER) && has_ended(pod) {
        let api = context.namespaced::<Pod>(pod.metadata.namespace.as_deref().unwrap_or_default());
        context.writes.remove_finalizer(&api, pod, finalizers::WRITER, field_managers::APP).await?;
        tracing::info!(pod = pod.name_any(), "the pod's containers have ended; it is released");
    }
    Ok(Action::await_change())
}
