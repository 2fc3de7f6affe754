//! Which services share a pod: `network_mode`, `pid` and `ipc` with `service:` or with `container:` and
//! the container name of a service.

use super::Findings;
use crate::app::codes;
use crate::app::validated::ValidatedWorkload;
use kompox_compose::model::{NetworkMode, Service, SharedNamespace};
use kompox_compose::{Diagnostic, Project, Span};
use kompox_crds::v1alpha1::app::PodLayout;
use std::collections::BTreeSet;

/// Services of one pod.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Group {
    /// Name of the workload.
    pub(super) name: String,
    /// The service whose network and host name the pod has; absent: none in particular.
    pub(super) root: Option<String>,
    /// The members.
    pub(super) services: BTreeSet<String>,
    /// Who joins whom: what is joined starts first.
    pub(super) joins: BTreeSet<(String, String)>,
    /// The services that join another's network, or whose network is joined.
    network: BTreeSet<String>,
    /// Whether they see each other's processes.
    pub(super) shares_processes: bool,
}

impl Group {
    /// Whether there are several services.
    pub(super) fn is_shared(&self) -> bool {
        self.services.len() > 1
    }

    /// Whether a member shares its network because the file says so.
    pub(super) fn shares_network(&self, service: &str) -> bool {
        self.network.contains(service)
    }
}

/// The keys with which a service joins another.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Network,
    Pid,
    Ipc,
}

impl Key {
    fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network_mode",
            Self::Pid => "pid",
            Self::Ipc => "ipc",
        }
    }
}

/// One service joining another.
struct Join<'a> {
    from: &'a Service,
    to: &'a str,
    key: Key,
    span: &'a Span,
}

/// The groups; each service is in exactly one.
pub(super) fn find(layout: PodLayout, project: &Project, findings: &mut Findings) -> Vec<Group> {
    let mut joins: Vec<Join<'_>> = Vec::new();
    for service in project.services.values() {
        joins.extend(joins_of(project, service, findings));
    }
    let alone = |name: &String| Group { services: BTreeSet::from([name.clone()]), ..Group::default() };
    let mut groups: Vec<Group> = project.services.keys().map(alone).collect();
    for join in &joins {
        unite(&mut groups, join);
    }
    if layout == PodLayout::SinglePod {
        let all = groups.into_iter().reduce(absorb);
        let named = all.map(|group| Group { name: ValidatedWorkload::SINGLE_POD.to_owned(), ..group });
        return named.into_iter().collect();
    }
    for group in &groups {
        note_shared_networks(&joins, group, findings);
    }
    groups.into_iter().map(with_root).collect()
}

fn unite(groups: &mut Vec<Group>, join: &Join<'_>) {
    let from = join.from.name.value.as_str();
    let touched = |group: &Group| group.services.contains(from) || group.services.contains(join.to);
    let (together, apart): (Vec<_>, Vec<_>) = std::mem::take(groups).into_iter().partition(touched);
    *groups = apart;
    let Some(mut group) = together.into_iter().reduce(absorb) else { return };
    group.shares_processes |= join.key == Key::Pid;
    if join.key == Key::Network {
        group.network.extend([from.to_owned(), join.to.to_owned()]);
    }
    group.joins.insert((from.to_owned(), join.to.to_owned()));
    groups.push(group);
}

fn absorb(mut group: Group, other: Group) -> Group {
    group.services.extend(other.services);
    group.joins.extend(other.joins);
    group.network.extend(other.network);
    group.shares_processes |= other.shares_processes;
    group
}

/// The pod is that of the first service that joins no other.
fn with_root(group: Group) -> Group {
    let joins_none = |name: &&String| !group.joins.iter().any(|(from, _)| from == *name);
    let root = group.services.iter().find(joins_none).or_else(|| group.services.first()).cloned();
    Group { name: root.clone().unwrap_or_default(), root, ..group }
}

fn joins_of<'a>(project: &'a Project, service: &'a Service, findings: &mut Findings) -> Vec<Join<'a>> {
    let network = service.network_mode.as_ref().and_then(|mode| match &mode.value {
        NetworkMode::Service(name) => Some((Key::Network, Ok(name), &mode.span)),
        NetworkMode::Container(name) => Some((Key::Network, Err(name), &mode.span)),
        _ => None,
    });
    let shared = |key, mode: &'a Option<kompox_compose::Spanned<SharedNamespace>>| {
        let mode = mode.as_ref()?;
        match &mode.value {
            SharedNamespace::Service(name) => Some((key, Ok(name), &mode.span)),
            SharedNamespace::Container(name) => Some((key, Err(name), &mode.span)),
            SharedNamespace::Host | SharedNamespace::Own(_) => None,
        }
    };
    let modes = [network, shared(Key::Pid, &service.pid), shared(Key::Ipc, &service.ipc)];
    let mut joins = Vec::new();
    for (key, target, span) in modes.into_iter().flatten() {
        let to = match target {
            Ok(name) => project.services.get(name),
            Err(container) => of_container(project, container),
        };
        match to {
            // A service that joins itself says nothing.
            Some(to) if to.name.value == service.name.value => {}
            Some(to) => joins.push(Join { from: service, to: &to.name.value, key, span }),
            None => findings.diagnose(foreign(service, key, span)),
        }
    }
    joins
}

fn of_container<'a>(project: &'a Project, container: &str) -> Option<&'a Service> {
    let named =
        |service: &&Service| service.container_name.as_ref().is_some_and(|name| name.value == container);
    project.services.values().find(named)
}

fn foreign(service: &Service, key: Key, span: &Span) -> Diagnostic {
    let message = format!("`{}` names no service of this project", key.as_str());
    Diagnostic::new(&codes::FOREIGN_CONTAINER, message)
        .at(span)
        .path(format!("services.{}.{}", service.name.value, key.as_str()))
        .help("use `service:` and the name of a service of this file")
}

/// Containers of one pod have one network, whatever else they were meant to share.
fn note_shared_networks(joins: &[Join<'_>], group: &Group, findings: &mut Findings) {
    let own = joins.iter().filter(|join| group.services.contains(&join.from.name.value));
    for join in own.filter(|join| join.key != Key::Network) {
        let name = &join.from.name.value;
        if group.shares_network(name) && group.shares_network(join.to) {
            continue;
        }
        let message = format!("it runs in the pod of {}, and so shares its network too", join.to);
        findings.diagnose(
            Diagnostic::new(&codes::SHARES_MORE, message)
                .at(join.span)
                .path(format!("services.{name}.{}", join.key.as_str())),
        );
    }
}
