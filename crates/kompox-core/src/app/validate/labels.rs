//! `labels`, `annotations` and `deploy.labels`: annotations of pods and workloads, whose values may be longer
//! than those of Kubernetes' labels. Labels that speak to other programs are said to have no effect.

use super::subject::Subject;
use super::{Findings, names};
use crate::app::codes;
use kompox_compose::Spanned;
use std::collections::BTreeMap;

/// Labels of kompose (<https://kompose.io/user-guide/#labels>) that have an equivalent, by prefix.
const KOMPOSE: [(&str, &str); 14] = [
    ("kompose.controller.type", "`deploy.mode` and `restart` decide the kind of workload"),
    ("kompose.cronjob.", "run a CronJob beside the app"),
    ("kompose.image-pull-policy", "use `pull_policy`"),
    ("kompose.image-pull-secret", "use `spec.imagePullSecrets` of the KompoxApp"),
    ("kompose.init.containers.", "use `pre_start`"),
    ("kompose.security-context.fsgroup", "volumes keep the owners that their files have"),
    ("kompose.service.expose", "use `spec.ingress` of the KompoxApp"),
    ("kompose.service.external-traffic-policy", "use `spec.expose` of the KompoxApp"),
    ("kompose.service.group", "use `network_mode: service:NAME`"),
    ("kompose.service.nodeport.port", "use `spec.expose` of the KompoxApp"),
    ("kompose.service.type", "use `spec.ingress` or `spec.expose` of the KompoxApp"),
    ("kompose.volume.size", "use the `size` of the KompoxDisk"),
    ("kompose.volume.storage-class-name", "use the `storageClassName` of the KompoxDisk"),
    ("kompose.volume.sub-path", "use `subPath` in `spec.volumes` of the KompoxApp"),
];

/// Annotations of the pod.
pub(super) fn of_pod(subject: &Subject<'_>, findings: &mut Findings) -> BTreeMap<String, String> {
    let service = subject.service;
    let mut kept = keep(subject, "labels", &service.labels, findings);
    kept.extend(keep(subject, "annotations", &service.annotations, findings));
    kept
}

/// Annotations of the workload.
pub(super) fn of_workload(subject: &Subject<'_>, findings: &mut Findings) -> BTreeMap<String, String> {
    keep(subject, "deploy.labels", &subject.service.deploy.labels, findings)
}

fn keep(
    subject: &Subject<'_>,
    list: &str,
    labels: &BTreeMap<String, Spanned<String>>,
    findings: &mut Findings,
) -> BTreeMap<String, String> {
    let mut kept = BTreeMap::new();
    for (key, value) in labels {
        let place = format!("{list}.{key}");
        if key.starts_with("kompose.") {
            note_kompose(subject, &place, key, value, findings);
        } else if key.starts_with("traefik.") {
            let message = format!("the label `{key}` has no effect");
            findings.diagnose(
                subject
                    .at(&codes::TRAEFIK_LABEL, &place, &value.span, message)
                    .help("give host names and paths under `spec.ingress` of the KompoxApp"),
            );
        } else if names::is_qualified_name(key) && !key.contains("kompox.dev/") {
            kept.insert(key.clone(), value.value.clone());
        } else {
            let message = format!("the label `{key}` cannot be an annotation and is left out");
            findings.diagnose(
                subject
                    .at(&codes::LABEL_DROPPED, &place, &value.span, message)
                    .help("remove it, or use at most 63 letters, digits, `-`, `_` and `.`"),
            );
        }
    }
    kept
}

fn note_kompose(
    subject: &Subject<'_>,
    place: &str,
    key: &str,
    value: &Spanned<String>,
    findings: &mut Findings,
) {
    let message = format!("the label `{key}` has no effect");
    let known = KOMPOSE.iter().find(|(prefix, _)| key.starts_with(prefix));
    findings.diagnose(match known {
        Some((_, instead)) => subject.at(&codes::KOMPOSE_LABEL, place, &value.span, message).help(*instead),
        None => subject.at(&codes::KOMPOSE_LABEL_IGNORED, place, &value.span, message).help(
            "express it with the keys of the Compose Specification, such as `healthcheck`, or remove it",
        ),
    });
}
