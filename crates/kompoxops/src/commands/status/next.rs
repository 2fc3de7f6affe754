//! What a person can do about what `status` shows: one line for each object that needs something.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::ResourceExt;

use super::Found;

/// The steps, apps first. Nothing for what is Ready, but the address of an app that has one.
pub(super) fn steps(found: &Found) -> Vec<String> {
    let apps = found.apps.iter().filter_map(|app| {
        let status = app.status.as_ref();
        let url = status.and_then(|status| status.urls.first()).map(|url| format!("open {url}"));
        step("app", "kxa", app, status.map_or(&[], |status| &status.conditions)).or(url)
    });
    let disks = found.disks.iter().filter_map(|disk| {
        step("disk", "kxd", disk, disk.status.as_ref().map_or(&[], |status| &status.conditions))
    });
    let snapshots = found.snapshots.iter().filter_map(|snapshot| {
        step("snapshot", "kxs", snapshot, snapshot.status.as_ref().map_or(&[], |status| &status.conditions))
    });
    apps.chain(disks).chain(snapshots).collect()
}

/// Stalled comes first: it is what waits for the reader.
fn step(kind: &str, short: &str, object: &impl ResourceExt, conditions: &[Condition]) -> Option<String> {
    let name = object.name_any();
    let namespace = object.namespace().unwrap_or_default();
    let holds = |wanted: &str, status: &str| {
        conditions.iter().find(|condition| condition.type_ == wanted && condition.status == status)
    };
    if conditions.is_empty() {
        return Some(format!(
            "{kind} {name}: the operator has not looked at it yet; see that kompox-operator is running (`kubectl -n k4x-system get pods`, or `kompoxops dev status`)"
        ));
    }
    if let Some(stalled) = holds("Stalled", "True") {
        return Some(format!("{kind} {name} waits for you: {}: {}", stalled.reason, stalled.message));
    }
    if holds("Ready", "True").is_some() {
        return None;
    }
    let why = holds("Ready", "False").or_else(|| holds("Ready", "Unknown"));
    let why = why.map_or_else(String::new, |ready| format!(" ({}: {})", ready.reason, ready.message));
    Some(format!("{kind} {name} is not Ready{why}; events: kubectl -n {namespace} describe {short} {name}"))
}
