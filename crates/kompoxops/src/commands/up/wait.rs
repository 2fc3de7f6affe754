//! Waiting for an app: every change of a condition is shown; the end is Ready, Stalled, or the time given.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt as _, pin_mut};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kompox_crds::KompoxApp;
use kube::api::Api;
use kube::runtime::{WatchStreamExt as _, watcher};

use crate::cluster::Cluster;
use crate::console::{Activity, note};
use crate::failure::Failure;

/// What an app's status means for someone who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// Ready for the generation we applied.
    Ready,
    /// Never without a change; reason and message of the condition.
    Stalled(String, String),
    /// Not yet; one line about the state.
    Waiting(String),
}

/// Follows the app until it is Ready in `generation` or later.
///
/// # Errors
/// When it is Stalled, gone, or not Ready in time.
pub(super) async fn until_ready(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    generation: i64,
    limit: Duration,
) -> Result<(), Failure> {
    let mut activity = Activity::start(&format!("waiting for app {name}"));
    let mut state = "the operator has not looked at it yet; is kompox-operator running?".to_owned();
    let follow = follow(cluster, namespace, name, generation, &mut activity, &mut state);
    let outcome = tokio::time::timeout(limit, follow).await;
    drop(activity);
    match outcome {
        Ok(Ok(urls)) => {
            note(format!("app {name} is Ready"));
            urls.iter().for_each(|url| note(format!("open {url}")));
            Ok(())
        }
        Ok(Err(failure)) => Err(failure),
        Err(_) => Err(Failure::Timeout { what: format!("app {name}"), after: limit, state }),
    }
}

async fn follow(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
    generation: i64,
    activity: &mut Activity,
    state: &mut String,
) -> Result<Vec<String>, Failure> {
    let api: Api<KompoxApp> = Api::namespaced(cluster.client.clone(), namespace);
    let changes = watcher::watch_object(api, name).default_backoff();
    pin_mut!(changes);
    let mut seen = BTreeMap::new();
    while let Some(change) = changes.next().await {
        let app = match change {
            Ok(Some(app)) => app,
            // Deleted while we wait, or not yet in a watch that just began.
            Ok(None) => continue,
            Err(error) => {
                activity.set(&format!("the watch broke and is opened again: {error}"));
                continue;
            }
        };
        news(&app, &mut seen).iter().for_each(|line| activity.log(line));
        match judge(&app, generation) {
            Verdict::Ready => return Ok(app.status.map(|status| status.urls).unwrap_or_default()),
            Verdict::Stalled(reason, message) => {
                return Err(Failure::Stalled { object: format!("app {name}"), reason, message });
            }
            Verdict::Waiting(text) => {
                activity.set(&format!("waiting for app {name}: {text}"));
                *state = text;
            }
        }
    }
    Err(Failure::Missing { object: format!("KompoxApp/{name}"), remedy: "run `kompoxops up` again".into() })
}

fn conditions(app: &KompoxApp) -> &[Condition] {
    app.status.as_ref().map_or(&[], |status| &status.conditions)
}

fn condition<'a>(app: &'a KompoxApp, kind: &str) -> Option<&'a Condition> {
    conditions(app).iter().find(|condition| condition.type_ == kind)
}

/// Conditions of an older generation say nothing about what was just applied.
fn judge(app: &KompoxApp, generation: i64) -> Verdict {
    let observed = app.status.as_ref().and_then(|status| status.observed_generation).unwrap_or_default();
    if observed < generation {
        return Verdict::Waiting("the operator has not looked at it yet; is kompox-operator running?".into());
    }
    if let Some(stalled) = condition(app, "Stalled").filter(|condition| condition.status == "True") {
        return Verdict::Stalled(stalled.reason.clone(), stalled.message.clone());
    }
    match condition(app, "Ready") {
        Some(ready) if ready.status == "True" => Verdict::Ready,
        Some(ready) => Verdict::Waiting(text(ready)),
        None => Verdict::Waiting("no Ready condition yet".into()),
    }
}

fn text(condition: &Condition) -> String {
    match condition.message.as_str() {
        "" => condition.reason.clone(),
        message => format!("{}: {message}", condition.reason),
    }
}

/// A line for each condition that is not as it was.
fn news(app: &KompoxApp, seen: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut lines = Vec::new();
    for condition in conditions(app) {
        let now = format!("{} ({})", condition.status, text(condition));
        let before = seen.insert(condition.type_.clone(), now.clone());
        if before.as_ref() != Some(&now) {
            lines.push(format!("  {:<20} {now}", condition.type_));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn app(observed: i64, conditions: &[(&str, &str, &str)]) -> KompoxApp {
        let conditions: Vec<_> = conditions
            .iter()
            .map(|(kind, status, reason)| {
                json!({"type": kind, "status": status, "reason": reason, "message": "m",
                       "lastTransitionTime": "2026-01-01T00:00:00Z"})
            })
            .collect();
        serde_json::from_value(json!({
            "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp", "metadata": {"name": "a"},
            "spec": {"compose": {"configMapRef": {"name": "a-compose"}}},
            "status": {"observedGeneration": observed, "conditions": conditions},
        }))
        .unwrap()
    }

    #[test]
    fn only_conditions_of_our_generation_count() {
        let ready = app(2, &[("Ready", "True", "Ready")]);
        assert_eq!(judge(&ready, 2), Verdict::Ready);
        assert!(matches!(judge(&ready, 3), Verdict::Waiting(_)));
        let stalled = app(2, &[("Ready", "False", "X"), ("Stalled", "True", "ComposeInvalid")]);
        assert_eq!(judge(&stalled, 2), Verdict::Stalled("ComposeInvalid".into(), "m".into()));
        assert!(matches!(judge(&stalled, 3), Verdict::Waiting(_)));
        assert_eq!(
            judge(&app(1, &[("Ready", "False", "Waiting")]), 1),
            Verdict::Waiting("Waiting: m".into())
        );
    }

    #[test]
    fn a_condition_is_told_once_until_it_changes() {
        let mut seen = BTreeMap::new();
        assert_eq!(
            news(&app(1, &[("Ready", "False", "A")]), &mut seen),
            ["  Ready                False (A: m)"]
        );
        assert!(news(&app(1, &[("Ready", "False", "A")]), &mut seen).is_empty());
        assert_eq!(news(&app(1, &[("Ready", "True", "B")]), &mut seen).len(), 1);
    }
}
