//! Waiting for an object of ours: every change of a condition is shown; the end is Ready, Stalled, or the time
//! given.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use futures::{StreamExt as _, pin_mut};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kompox_crds::{KompoxApp, KompoxDriver};
use kube::api::Api;
use kube::runtime::{WatchStreamExt as _, watcher};
use serde::de::DeserializeOwned;

use crate::console::{Activity, note};
use crate::failure::Failure;

/// What is said while the operator has not written a status.
const UNSEEN: &str = "the operator has not looked at it yet; is kompox-operator running?";

/// A kind whose status has the conditions of ours.
pub(super) trait Conditioned:
    kube::Resource + Clone + Debug + DeserializeOwned + Send + 'static
{
    /// How it is called in messages.
    const WORD: &'static str;

    /// `status.observedGeneration`; 0 where there is none.
    fn observed_generation(&self) -> i64;

    /// `status.conditions`.
    fn conditions(&self) -> &[Condition];
}

impl Conditioned for KompoxApp {
    const WORD: &'static str = "app";

    fn observed_generation(&self) -> i64 {
        self.status.as_ref().and_then(|status| status.observed_generation).unwrap_or_default()
    }

    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }
}

impl Conditioned for KompoxDriver {
    const WORD: &'static str = "driver";

    fn observed_generation(&self) -> i64 {
        self.status.as_ref().and_then(|status| status.observed_generation).unwrap_or_default()
    }

    fn conditions(&self) -> &[Condition] {
        self.status.as_ref().map_or(&[], |status| &status.conditions)
    }
}

/// `90s`, `5m`, `1h`, or a number of seconds.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds = match text.get(digits.len()..) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        _ => 0,
    };
    let number = digits.parse::<u64>().ok().and_then(|number| number.checked_mul(seconds));
    match number {
        Some(number) if number > 0 => Ok(Duration::from_secs(number)),
        _ => Err("must be a positive time such as 90s, 5m or 1h".into()),
    }
}

/// What a status means for someone who waits.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    /// Ready for the generation we applied.
    Ready,
    /// Never without a change; reason and message of the condition.
    Stalled(String, String),
    /// Not yet; one line about the state.
    Waiting(String),
}

/// What is waited for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Awaited<'a> {
    /// The object's name.
    pub(super) name: &'a str,
    /// What was applied: older statuses do not count.
    pub(super) generation: i64,
    /// How long to wait.
    pub(super) limit: Duration,
}

/// Follows the object until it is Ready in its generation or a later one, and gives it back.
///
/// # Errors
/// When it is Stalled, gone, or not Ready in time.
pub(super) async fn until_ready<K>(api: Api<K>, awaited: Awaited<'_>) -> Result<K, Failure>
where
    K: Conditioned<DynamicType = ()>,
{
    let what = format!("{} {}", K::WORD, awaited.name);
    let mut activity = Activity::start(&format!("waiting for {what}"));
    let mut state = UNSEEN.to_owned();
    let follow = follow(api, awaited, &what, &mut activity, &mut state);
    let outcome = tokio::time::timeout(awaited.limit, follow).await;
    drop(activity);
    let ready = outcome
        .unwrap_or_else(|_| Err(Failure::Timeout { what: what.clone(), after: awaited.limit, state }))?;
    note(format!("{what} is Ready"));
    Ok(ready)
}

async fn follow<K>(
    api: Api<K>,
    awaited: Awaited<'_>,
    what: &str,
    activity: &mut Activity,
    state: &mut String,
) -> Result<K, Failure>
where
    K: Conditioned<DynamicType = ()>,
{
    let changes = watcher::watch_object(api, awaited.name).default_backoff();
    pin_mut!(changes);
    let mut seen = BTreeMap::new();
    while let Some(change) = changes.next().await {
        let object = match change {
            Ok(Some(object)) => object,
            // Deleted while we wait, or not yet in a watch that just began.
            Ok(None) => continue,
            Err(error) => {
                activity.set(&format!("the watch broke and is opened again: {error}"));
                continue;
            }
        };
        news(object.conditions(), &mut seen).iter().for_each(|line| activity.log(line));
        match judge(&object, awaited.generation) {
            Verdict::Ready => return Ok(object),
            Verdict::Stalled(reason, message) => {
                return Err(Failure::Stalled { object: what.to_owned(), reason, message });
            }
            Verdict::Waiting(text) => {
                activity.set(&format!("waiting for {what}: {text}"));
                *state = text;
            }
        }
    }
    Err(Failure::Missing { object: what.to_owned(), remedy: "run the command again".into() })
}

/// Conditions of an older generation say nothing about what was just applied.
fn judge(object: &impl Conditioned, generation: i64) -> Verdict {
    if object.observed_generation() < generation {
        return Verdict::Waiting(UNSEEN.into());
    }
    let condition = |kind| object.conditions().iter().find(|condition| condition.type_ == kind);
    if let Some(stalled) = condition("Stalled").filter(|condition| condition.status == "True") {
        return Verdict::Stalled(stalled.reason.clone(), stalled.message.clone());
    }
    match condition("Ready") {
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
fn news(conditions: &[Condition], seen: &mut BTreeMap<String, String>) -> Vec<String> {
    let mut lines = Vec::new();
    for condition in conditions {
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
    fn times_are_read_as_in_kubectl() {
        assert_eq!(duration("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("5m").unwrap(), Duration::from_secs(300));
        assert_eq!(duration("1h").unwrap(), Duration::from_secs(3600));
        assert_eq!(duration("7").unwrap(), Duration::from_secs(7));
        for bad in ["", "0s", "m", "5d", "-1s", "1h30m", "99999999999999999999s", "18446744073709551615h"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
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
            news(app(1, &[("Ready", "False", "A")]).conditions(), &mut seen),
            ["  Ready                False (A: m)"]
        );
        assert!(news(app(1, &[("Ready", "False", "A")]).conditions(), &mut seen).is_empty());
        assert_eq!(news(app(1, &[("Ready", "True", "B")]).conditions(), &mut seen).len(), 1);
    }
}
