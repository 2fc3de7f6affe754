//! The app controller: reads what an app refers to, hands its disks over, applies its objects wave by
//! wave, and says how it stands. The steps are the files below; what they decide is in
//! `kompox_core::app`.

mod apply;
mod cleanup;
mod dereference;
mod disks;
mod externals;
mod relations;
mod update_status;

use super::{Controller, Error};
use crate::{
    context::{Context, Scope},
    shutdown::Shutdown,
    watches,
};
use dereference::Dereferenced;
use externals::Externals;
use k8s_openapi::{
    api::{
        apps::v1::{DaemonSet, Deployment, StatefulSet},
        batch::v1::Job,
        core::v1::{ConfigMap, Namespace, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service},
        networking::v1::{Ingress, NetworkPolicy},
    },
    apimachinery::pkg::apis::meta::v1::ObjectMeta,
};
use kompox_core::{
    app::{
        AppIdentity, build, observe,
        status::{Outcome, Round, status},
        validate,
        volume::Take,
        waves,
    },
    cloud::{Problem, Retry},
    labels,
};
use kompox_crds::{
    KompoxApp, KompoxDisk, Reason,
    names::{field_managers, finalizers},
};
use kube::runtime::controller::Action;
use std::{collections::BTreeSet, sync::Arc, time::Duration};

/// The controller's name in logs, metrics and events.
pub const NAME: &str = "app";

/// Pause while waiting for an attachment to go: nothing that is watched tells.
const DETACH_POLL: Duration = Duration::from_secs(2);

/// Runs the controller until `shutdown`.
pub async fn run(context: Arc<Context>, shutdown: Shutdown) {
    let ours = watches::labelled(relations::MANAGED);
    let externals = Arc::new(Externals::default());
    let (of_maps, of_secrets) = (Arc::clone(&externals), Arc::clone(&externals));
    let controller = Controller::<KompoxApp>::new(&context, NAME);
    // Whoever looks after one namespace may not be allowed to watch namespaces: there a change of its label is
    // seen when the app is looked at next.
    let controller = match context.scope {
        Scope::Cluster => {
            controller.relates::<Namespace>(context.all(), watches::config(), relations::of_namespace)
        }
        Scope::Namespace(_) => controller,
    };
    controller
        .owns::<StatefulSet>(context.watched(), ours.clone())
        .owns::<Deployment>(context.watched(), ours.clone())
        .owns::<DaemonSet>(context.watched(), ours.clone())
        .owns::<Job>(context.watched(), ours.clone())
        .owns::<Service>(context.watched(), ours.clone())
        .owns::<Ingress>(context.watched(), ours.clone())
        .owns::<NetworkPolicy>(context.watched(), ours.clone())
        .relates::<ConfigMap>(context.watched(), watches::config(), move |map, apps| {
            relations::of_config_map(map, apps, &of_maps)
        })
        .relates::<Secret>(context.watched(), watches::config(), move |secret, apps| {
            relations::of_secret(secret, apps, &of_secrets)
        })
        .relates::<KompoxDisk>(context.watched(), watches::config(), relations::of_disk)
        .relates::<Pod>(context.watched(), ours.clone(), relations::of_labelled)
        .relates::<PersistentVolumeClaim>(context.watched(), ours.clone(), relations::of_labelled)
        .relates::<PersistentVolume>(context.all(), ours, relations::of_volume)
        .run(
            move |app, context| {
                let externals = Arc::clone(&externals);
                async move { reconcile(&app, &context, &externals).await }
            },
            &shutdown,
        )
        .await;
}

async fn reconcile(app: &KompoxApp, context: &Context, externals: &Externals) -> Result<Action, Error> {
    if app.spec.paused {
        update_status::paused(app, context).await?;
        return Ok(Action::await_change());
    }
    if app.metadata.deletion_timestamp.is_some() {
        externals.forget(app);
        return cleanup::run(app, context).await;
    }
    let api = context.namespaced::<KompoxApp>(namespace(&app.metadata));
    let app = context.writes.add_finalizer(&api, app, finalizers::APP, field_managers::APP).await?;
    match advance(&app, context, externals).await {
        Err(error) if !error.is_race() => {
            update_status::failed(&app, &error, context).await?;
            Err(error)
        }
        other => other,
    }
}

/// From what is read to the status.
async fn advance(app: &KompoxApp, context: &Context, externals: &Externals) -> Result<Action, Error> {
    let seen = dereference::run(app, context).await?;
    externals.remember(app, seen.externals.clone());
    let validation = validate(app, &seen.facts, &context.apps);
    let Some(validated) = &validation.app else {
        let round = Round { app, validation: &validation, outcome: None };
        update_status::run(app, status(&round, context.now()), context).await?;
        return Ok(Action::await_change());
    };
    let disks = disks::take_all(validated, context).await?;
    let ready: BTreeSet<_> = disks
        .iter()
        .filter(|(_, take)| matches!(take, Take::Ready { .. }))
        .map(|(name, _)| name.clone())
        .collect();
    let states = observe::service_states(&seen.workloads, validated);
    let admissions = waves::admit(validated, &states, &ready);
    let finished = states.iter().filter(|(_, state)| state.completed).map(|(name, _)| name.clone()).collect();
    let prepared = build(validated, &finished);
    let Dereferenced { owned, workloads, .. } = seen;
    let applied = apply::run(prepared, &owned, &admissions, context, &validated.identity).await?;
    let kept: BTreeSet<_> = validated.disks.keys().cloned().collect();
    let leaving = disks::give_back_except(&validated.identity, &kept, context).await?;
    let states = observe::service_states(&applied.workloads(workloads.pods), validated);
    let outcome = Outcome {
        app: validated,
        disks: &disks,
        admissions: &admissions,
        states: &states,
        applied: &applied,
        leaving: &leaving,
    };
    let round = Round { app, validation: &validation, outcome: Some(outcome) };
    update_status::run(app, status(&round, context.now()), context).await?;
    Ok(if leaving.is_empty() && !disks::is_draining(&disks) {
        Action::await_change()
    } else {
        Action::requeue(DETACH_POLL)
    })
}

/// The namespace of an object of a namespaced kind that was read.
fn namespace(metadata: &ObjectMeta) -> &str {
    metadata.namespace.as_deref().unwrap_or_default()
}

/// The selector of everything made for the app.
fn selector(app: &AppIdentity) -> String {
    let labels = labels::app_selector(&app.name);
    labels.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(",")
}

/// Something that is waited for although nothing watched tells when it is there.
fn waiting() -> Action {
    Action::requeue(DETACH_POLL)
}

/// The error of a hand-over that does not come to rest.
fn restless() -> Error {
    let message = "the hand-over of a disk takes more steps than it has";
    Problem::passing(Reason::OperatorError, message, Retry::TRANSIENT).into()
}
