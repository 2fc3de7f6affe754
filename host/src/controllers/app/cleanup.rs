//! Deletion of an app: workloads first, then, once nothing can write any more, claims and locks; the
//! finalizer last. Depends on no validation and makes nothing new, so that it works in a namespace that
//! is being deleted too.

use super::{dereference, disks, selector, update_status, waiting};
use crate::{
    context::Context,
    controllers::Error,
    writes::{Deletion, Kind},
};
use k8s_openapi::NamespaceResourceScope;
use kompox_core::app::{AppIdentity, Problem};
use kompox_crds::{
    KompoxApp, Reason,
    names::{annotations::PROTECT, field_managers, finalizers},
};
use kube::{Resource, ResourceExt as _, runtime::controller::Action};
use std::collections::BTreeSet;

/// One round of the deletion.
pub(super) async fn run(app: &KompoxApp, context: &Context) -> Result<Action, Error> {
    if !app.finalizers().iter().any(|name| name == finalizers::APP) {
        return Ok(Action::await_change());
    }
    if app.annotations().contains_key(PROTECT) {
        let message = format!("the annotation {PROTECT} holds the deletion back; remove it to go on");
        update_status::deleting(app, Reason::Protected, message, context).await?;
        return Ok(Action::await_change());
    }
    let identity = AppIdentity::of(app);
    if let Some(message) = stop_workloads(&identity, context).await? {
        update_status::deleting(app, Reason::Deleting, message, context).await?;
        return Ok(waiting());
    }
    let left = disks::give_back_except(&identity, &BTreeSet::new(), context).await?;
    if !left.is_empty() {
        let message = left.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ");
        update_status::deleting(app, Reason::Deleting, message, context).await?;
        return Ok(waiting());
    }
    let api = context.namespaced::<KompoxApp>(&identity.namespace);
    context.writes.remove_finalizer(&api, app, finalizers::APP, field_managers::APP).await?;
    Ok(Action::await_change())
}

/// Deletes the workloads; says what is still there of them and their pods.
async fn stop_workloads(app: &AppIdentity, context: &Context) -> Result<Option<String>, Error> {
    let owned = dereference::owned(app, context).await?;
    let mut left = Vec::new();
    delete_all(&owned.stateful_sets, app, context, &mut left).await?;
    delete_all(&owned.deployments, app, context, &mut left).await?;
    delete_all(&owned.daemon_sets, app, context, &mut left).await?;
    delete_all(&owned.jobs, app, context, &mut left).await?;
    let pods = dereference::pods(app, context).await?;
    left.extend(pods.iter().map(|pod| format!("pod {}", pod.name_any())));
    Ok((!left.is_empty())
        .then(|| format!("waits for the end of {} (selector {})", left.join(", "), selector(app))))
}

async fn delete_all<K>(
    objects: &[K],
    app: &AppIdentity,
    context: &Context,
    left: &mut Vec<String>,
) -> Result<(), Error>
where
    K: Kind + Resource<Scope = NamespaceResourceScope>,
{
    for object in objects {
        let going = object.meta().deletion_timestamp.is_some();
        let gone = !going
            && context.writes.delete(&context.namespaced(&app.namespace), object).await? == Deletion::Absent;
        if !gone {
            left.push(format!("{} {}", K::kind(&()), object.name_any()));
        }
    }
    Ok(())
}
