//! Names of the objects made for an app: functions of the app's and the service's name alone, so that
//! every reconcile finds the same objects. No name is ever chosen by what is free.

use crate::hash;

/// The longest name a StatefulSet may have: its pods carry the label
/// `controller-revision-hash=<name>-<10 characters>`, at most 63 characters. A longer name is accepted
/// and never makes a pod.
pub const MAX_WORKLOAD_NAME: usize = 52;

/// The longest DNS label, and so the longest name of a Service.
pub const MAX_LABEL: usize = 63;

/// The longest name of most objects (RFC 1123 subdomain).
pub const MAX_NAME: usize = 253;

/// The suffix of the Service with a service's published ports.
pub const PUBLISH_SUFFIX: &str = "-pub";

/// `name`, or its beginning and 8 hexadecimal digits of its hash when it is longer than `max`.
#[must_use]
pub fn bounded(name: &str, max: usize) -> String {
    if name.len() <= max {
        return name.to_owned();
    }
    let room = max.saturating_sub(9);
    let start = name.get(..name.floor_char_boundary(room)).unwrap_or_default();
    format!("{}-{}", start.trim_end_matches(['-', '.']), hash::suffix(name))
}

/// `text` as a DNS label of at most `max` characters. What had to change is made unique by a hash.
#[must_use]
pub fn slug(text: &str, max: usize) -> String {
    let lower: String = text
        .chars()
        .map(|c| match c {
            'a'..='z' | '0'..='9' => c,
            'A'..='Z' => c.to_ascii_lowercase(),
            _ => '-',
        })
        .collect();
    let trimmed = lower.trim_matches('-');
    if trimmed == text && text.len() <= max {
        return lower;
    }
    let start = trimmed.get(..trimmed.len().min(max.saturating_sub(9))).unwrap_or_default();
    let start = start.trim_end_matches('-');
    if start.is_empty() {
        format!("x-{}", hash::suffix(text))
    } else {
        format!("{start}-{}", hash::suffix(text))
    }
}

/// The StatefulSet or Deployment of a service.
#[must_use]
pub fn workload(app: &str, service: &str) -> String {
    bounded(&label_of(&format!("{app}-{service}")), MAX_WORKLOAD_NAME)
}

/// The Job of a one-shot service. A Job's template cannot change, so `digest` is part of the name: a
/// changed service is a new Job.
#[must_use]
pub fn job(app: &str, service: &str, digest: &str) -> String {
    let short: String = digest.chars().take(8).collect();
    let base = bounded(&label_of(&format!("{app}-{service}")), MAX_WORKLOAD_NAME - 1 - short.len());
    format!("{base}-{short}")
}

/// The Secret with a service's environment.
#[must_use]
pub fn environment_secret(app: &str, service: &str) -> String {
    bounded(&format!("{app}-{service}-env"), MAX_NAME)
}

/// The Secret with the variables of a service whose names cannot be keys: apart from the others, which all
/// become variables under the names of their keys.
#[must_use]
pub fn named_environment_secret(app: &str, service: &str) -> String {
    bounded(&format!("{app}-{service}-env-named"), MAX_NAME)
}

/// The NetworkPolicy that cuts a workload off.
#[must_use]
pub fn no_network(app: &str, workload: &str) -> String {
    bounded(&format!("{app}-{workload}-no-network"), MAX_NAME)
}

/// The Service with the published ports of a service.
#[must_use]
pub fn publish_service(service: &str) -> String {
    format!("{service}{PUBLISH_SUFFIX}")
}

/// The ConfigMap with the content of a top-level `configs` entry.
#[must_use]
pub fn config(app: &str, name: &str) -> String {
    bounded(&format!("{app}-config-{}", slug(name, MAX_LABEL)), MAX_NAME)
}

/// The Secret with the content of a top-level `secrets` entry.
#[must_use]
pub fn secret(app: &str, name: &str) -> String {
    bounded(&format!("{app}-secret-{}", slug(name, MAX_LABEL)), MAX_NAME)
}

/// The claim through which the owner with `owner_uid` uses `disk`. The uid keeps an app that is made
/// again under its old name away from the claim of its predecessor.
#[must_use]
pub fn claim(disk: &str, owner_uid: &str) -> String {
    format!("kd-{}-{}", bounded(disk, MAX_NAME - 12), hash::suffix(owner_uid))
}

/// The name part of the label that marks the pods that use `disk`.
#[must_use]
pub fn disk_label(disk: &str) -> String {
    format!("disk-{}", bounded(disk, MAX_LABEL - 5))
}

/// The name part of the label that marks the pods on a network.
#[must_use]
pub fn network_label(network: &str) -> String {
    format!("net-{}", slug(network, MAX_LABEL - 4))
}

/// The NetworkPolicy of a network.
#[must_use]
pub fn network_policy(app: &str, network: &str) -> String {
    bounded(&format!("{app}-{}", network_label(network)), MAX_NAME)
}

/// Names of apps may contain dots (RFC 1123 subdomain), names of pods' label values and Jobs' pods
/// may, hostnames may not: a workload's name is kept free of them.
fn label_of(name: &str) -> String {
    if name.contains('.') { slug(name, MAX_NAME) } else { name.to_owned() }
}

/// RFC 1035 label, as Services need it.
pub(crate) fn is_service_name(name: &str) -> bool {
    name.len() <= MAX_LABEL
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_stay_and_long_ones_are_cut_and_marked() {
        assert_eq!(workload("app1", "web"), "app1-web");
        let long = workload(&"a".repeat(60), "web");
        assert_eq!(long.len(), MAX_WORKLOAD_NAME);
        assert_ne!(long, workload(&"a".repeat(60), "db"));
        assert!(job(&"a".repeat(60), "web", "0123456789abcdef").len() <= MAX_WORKLOAD_NAME);
        assert_eq!(disk_label(&"d".repeat(253)).len(), MAX_LABEL);
        assert!(claim(&"d".repeat(253), "u").len() <= MAX_NAME);
    }

    #[test]
    fn the_claim_depends_on_the_owner() {
        assert_eq!(claim("default", "abc"), "kd-default-ba7816bf");
        assert_ne!(claim("default", "abc"), claim("default", "abd"));
    }

    #[test]
    fn slugs_are_labels_and_stay_apart() {
        for text in ["db_data", "DB-data", "-", "a.b", "_", "é"] {
            let slug = slug(text, 20);
            assert!(
                slug.len() <= 20 && slug.chars().all(|c| matches!(c, 'a'..='z' | '0'..='9' | '-')),
                "{slug}"
            );
            assert!(slug.starts_with(|c: char| c.is_ascii_alphanumeric()), "{slug}");
        }
        assert_eq!(slug("data", 20), "data");
        assert_ne!(slug("db_data", 20), slug("db-data", 20));
        assert_eq!(workload("a.b", "c"), workload("a.b", "c"));
        assert!(!workload("a.b", "c").contains('.'));
    }
}
