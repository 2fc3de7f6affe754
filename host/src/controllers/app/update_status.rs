//! Writing an app's status, and the event that goes with a change of it. What it says is computed in
//! `kompox_core::app::status`.

use super::namespace;
use crate::{context::Context, controllers::Error, events::Event};
use kompox_core::conditions::{Conditions, Outlook, Status, Summary, find};
use kompox_crds::{
    KompoxApp, Reason,
    conditions::{DEGRADED, PAUSED, READY},
    names::field_managers,
    v1alpha1::KompoxAppStatus,
};

/// Writes the status if it says anything new.
pub(super) async fn run(app: &KompoxApp, status: KompoxAppStatus, context: &Context) -> Result<(), Error> {
    announce(app, &status, context);
    let api = context.namespaced::<KompoxApp>(namespace(&app.metadata));
    context.writes.update_status(&api, app, status, field_managers::APP).await?;
    Ok(())
}

/// Says that the operator holds still.
pub(super) async fn paused(app: &KompoxApp, context: &Context) -> Result<(), Error> {
    let message = "spec.paused holds the operator back; remove it to go on";
    with(app, context, |conditions| {
        conditions.set(PAUSED, Status::True, Reason::Paused, message);
    })
    .await
}

/// Says what holds the deletion back.
pub(super) async fn deleting(
    app: &KompoxApp,
    reason: Reason,
    message: String,
    context: &Context,
) -> Result<(), Error> {
    with(app, context, |conditions| {
        conditions.summary(&Summary::Progressing { reason, message });
    })
    .await
}

/// Says why a round failed. It is tried again.
pub(super) async fn failed(app: &KompoxApp, error: &Error, context: &Context) -> Result<(), Error> {
    let reason = error.reason();
    let message = format!("{error}. Remedy: {}", reason.remedy());
    let summary = Summary::Degraded { reason, message, outlook: Outlook::Retrying };
    with(app, context, |conditions| {
        conditions.summary(&summary);
    })
    .await
}

async fn with(app: &KompoxApp, context: &Context, change: impl FnOnce(&mut Conditions)) -> Result<(), Error> {
    let generation = app.metadata.generation.unwrap_or(0);
    let mut status = app.status.clone().unwrap_or_default();
    let mut conditions = Conditions::new(&status.conditions, context.now(), generation);
    change(&mut conditions);
    status.conditions = conditions.finish();
    status.observed_generation = Some(generation);
    run(app, status, context).await
}

/// One event per change of the reason of `Ready`.
fn announce(app: &KompoxApp, status: &KompoxAppStatus, context: &Context) {
    let before = app.status.as_ref().and_then(|status| find(&status.conditions, READY));
    let Some(ready) = find(&status.conditions, READY) else { return };
    if before.is_some_and(|before| before.reason == ready.reason && before.message == ready.message) {
        return;
    }
    let Some(reason) = Reason::find(&ready.reason) else { return };
    let degraded = find(&status.conditions, DEGRADED).is_some_and(|degraded| degraded.status == "True");
    let event = if degraded {
        Event::warning(reason, "Reconcile", ready.message.clone())
    } else if before.is_some_and(|before| before.reason == ready.reason) {
        // Progress that only counts pods is not worth an event each time.
        return;
    } else {
        Event::normal(reason, "Reconcile", ready.message.clone())
    };
    context.events.publish(app, event);
}
