//! What services that share a pod ask of it, made one: a rule per member of [`PodPlan`]. A service that
//! has its pod for itself gets what it asks for.

use super::{Candidate, Findings, at};
use crate::app::codes;
use crate::app::validate::{host, resolver};
use crate::app::validated::{PodPlan, WorkloadKind};
use kompox_compose::Project;
use kompox_compose::model::Service;
use std::collections::BTreeMap;

/// The pod's settings but for the host name.
pub(super) fn pods(project: &Project, members: &[Candidate], findings: &mut Findings) -> PodPlan {
    let mut merged = PodPlan::default();
    for member in members {
        let mut merge = Merge { service: project.services.get(&member.service.name), findings };
        // Without `..`: a new member needs a rule.
        let PodPlan {
            hostname: _,
            termination_grace_period_seconds,
            share_process_namespace,
            platform,
            annotations,
            host,
            no_network,
            supplemental_groups,
            sysctls,
            host_aliases,
            dns,
            runtime_class,
            node_requirements,
            spread_over,
            one_per_node,
            workload_annotations,
            // Depends on the kind of the workload.
            rollout: _,
        } = &member.pod;
        merge.longest(
            "stop_grace_period",
            &mut merged.termination_grace_period_seconds,
            *termination_grace_period_seconds,
        );
        merged.share_process_namespace |= share_process_namespace;
        merge.equal("platform", &mut merged.platform.os, platform.os.as_ref());
        merge.equal("platform", &mut merged.platform.arch, platform.arch.as_ref());
        merge.annotations("labels", &mut merged.annotations, annotations);
        merge.annotations("deploy.labels", &mut merged.workload_annotations, workload_annotations);
        merge.equal("dns", &mut merged.dns, dns.as_ref());
        merge.equal("runtime", &mut merged.runtime_class, runtime_class.as_ref());
        merge.sysctls(&mut merged.sysctls, sysctls);
        merged.host.network |= host.network;
        merged.host.pid |= host.pid;
        merged.host.ipc |= host.ipc;
        merged.no_network |= no_network;
        merged.one_per_node |= one_per_node;
        add(&mut merged.supplemental_groups, supplemental_groups);
        add(&mut merged.host_aliases, host_aliases);
        add(&mut merged.node_requirements, node_requirements);
        add(&mut merged.spread_over, spread_over);
    }
    check_sysctls(project, members, &merged, findings);
    check_size(project, members, &merged, findings);
    merged
}

/// What one service shares with the node is no longer the pod's, for its other services either.
fn check_sysctls(project: &Project, members: &[Candidate], merged: &PodPlan, findings: &mut Findings) {
    for member in members {
        let foreign = member.pod.sysctls.keys().filter(|name| host::belongs_to_node(name, merged.host));
        for name in foreign {
            let message = format!(
                "`{name}` belongs to the node: another service of the same pod shares that part of it with the host"
            );
            let service = project.services.get(&member.service.name);
            let diagnostic = at(service, "sysctls", &codes::SYSCTL, message);
            findings.diagnose(diagnostic.help("have it set on the nodes, or share no pod"));
        }
    }
}

/// All annotations of an object together, names and values, in bytes: the API server's 256 KiB
/// (<https://kubernetes.io/docs/concepts/overview/working-with-objects/annotations/>), less what is added here.
const MAX_ANNOTATIONS: usize = (256 - 8) << 10;

fn check_size(project: &Project, members: &[Candidate], merged: &PodPlan, findings: &mut Findings) {
    for (list, annotations) in
        [("labels", &merged.annotations), ("deploy.labels", &merged.workload_annotations)]
    {
        let size: usize = annotations.iter().map(|(key, value)| key.len() + value.len()).sum();
        if size > MAX_ANNOTATIONS {
            let service = members.first().and_then(|member| project.services.get(&member.service.name));
            let message =
                format!("{size} bytes of labels are more than the {MAX_ANNOTATIONS} of annotations");
            let help = "keep long texts in a config, and remove the labels";
            findings.diagnose(at(service, list, &codes::LABELS_SIZE, message).help(help));
        }
    }
}

/// What any of the services asks for, once.
fn add<T: Clone + PartialEq>(merged: &mut Vec<T>, own: &[T]) {
    for item in own {
        if !merged.contains(item) {
            merged.push(item.clone());
        }
    }
}

/// The way to merge, and where to say what came of it.
struct Merge<'a> {
    service: Option<&'a Service>,
    findings: &'a mut Findings,
}

impl Merge<'_> {
    /// What one service asks for holds for all; different wishes are an error.
    fn equal<T: Clone + PartialEq>(&mut self, key: &str, merged: &mut Option<T>, own: Option<&T>) {
        match (merged.as_ref(), own) {
            (Some(others), Some(own)) if others != own => {
                let message = "another service of the same pod asks for something else";
                let diagnostic = at(self.service, key, &codes::POD_SETTING_CLASH, message);
                self.findings.diagnose(diagnostic.help("make the two equal, or share no pod"));
            }
            (None, Some(own)) => *merged = Some(own.clone()),
            _ => {}
        }
    }

    /// A kernel parameter has one value for the whole pod.
    fn sysctls(&mut self, merged: &mut BTreeMap<String, String>, own: &BTreeMap<String, String>) {
        for (name, value) in own {
            if merged.get(name).is_some_and(|others| others != value) {
                let message = format!("another service of the same pod sets `{name}` to something else");
                let diagnostic = at(self.service, "sysctls", &codes::POD_SETTING_CLASH, message);
                self.findings.diagnose(diagnostic.help("make the two equal, or share no pod"));
            }
            merged.insert(name.clone(), value.clone());
        }
    }

    /// The longest time is given to all.
    fn longest(&mut self, key: &str, merged: &mut Option<i64>, own: Option<i64>) {
        if merged.is_some() && own.is_some() && *merged != own {
            let message = "the longest time that a service of the same pod asks for is given to all";
            self.findings.diagnose(at(self.service, key, &codes::POD_SETTING_SHARED, message));
        }
        *merged = (*merged).max(own);
    }

    /// Of two values of one annotation the first stays.
    fn annotations(
        &mut self,
        list: &str,
        merged: &mut BTreeMap<String, String>,
        own: &BTreeMap<String, String>,
    ) {
        for (key, value) in own {
            let kept = merged.entry(key.clone()).or_insert_with(|| value.clone());
            if kept != value {
                let message = format!("the label `{key}` has another value in the same pod, which is kept");
                self.findings.diagnose(at(self.service, list, &codes::POD_SETTING_SHARED, message));
            }
        }
    }
}

/// One host name per pod: that of the service whose pod it is, else the first given.
pub(super) fn hostname(
    root: Option<&String>,
    mut services: Vec<&Service>,
    kind: WorkloadKind,
    findings: &mut Findings,
) -> Option<String> {
    // The root comes first; the sort is stable.
    services.sort_by_key(|service| Some(&service.name.value) != root);
    let mut kept = None;
    for service in services.into_iter().filter(|service| service.hostname.is_some()) {
        let wanted = resolver::hostname(service, kind, findings);
        match (&kept, wanted) {
            (None, wanted) => kept = wanted,
            (Some(kept), Some(wanted)) if *kept != wanted => {
                let message = format!("the host name of its pod is that of another service, {kept}");
                findings.diagnose(at(Some(service), "hostname", &codes::HOSTNAME_CHANGED, message));
            }
            _ => {}
        }
    }
    kept
}
