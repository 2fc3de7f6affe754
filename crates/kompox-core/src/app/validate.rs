//! `validate`: spec, Compose file and referenced facts → an app that can be built, or what is in the way.
//!
//! Parses, so that nothing has to be checked again: a [`ValidatedApp`] is convertible. Nothing here
//! builds an object. Whatever of spec or file is not carried out is a finding, never silence.

mod command;
mod environment;
mod healthcheck;
mod hooks;
mod host;
mod image;
mod ingress;
mod labels;
mod mounts;
mod names;
mod network;
mod placement;
mod ports;
mod pre_start;
mod rename;
mod resolver;
mod resources;
mod rollout;
mod seconds;
mod security;
mod security_opt;
mod service;
mod source;
mod spec;
mod subject;
mod topology;
mod workload;

pub use mounts::external_references;

use self::subject::Subject;
use crate::app::codes;
use crate::app::facts::{Facts, Settings};
use crate::app::problem::Problem;
use crate::app::validated::{Activity, AppIdentity, ValidatedApp};
use kompox_compose::{Diagnostic, Model, Project, Severity};
use kompox_crds::v1alpha1::app::ServiceNames;
use kompox_crds::{KompoxApp, Reason};
use rename::Renames;

/// What came of validation.
#[derive(Clone)]
pub struct Validation {
    /// The app; absent if and only if there is a problem that stands in the way.
    pub app: Option<ValidatedApp>,
    /// What stands in the way, sorted.
    pub problems: Vec<Problem>,
    /// What is asked for and not done although the rest is: the app runs without it.
    pub shortfalls: Vec<Problem>,
    /// Findings in the Compose file, in the order of its text.
    pub diagnostics: Vec<Diagnostic>,
    /// All that was read of the file, for [`crate::app::report`]; `None` when there was nothing to read.
    pub model: Option<Model>,
}

/// Collects findings while the parts are looked at.
#[derive(Default)]
struct Findings {
    problems: Vec<Problem>,
    shortfalls: Vec<Problem>,
    diagnostics: Vec<Diagnostic>,
    model: Option<Model>,
}

impl Findings {
    fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    fn diagnose(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Turns errors of the Compose file into one problem, and sorts everything.
    fn finish(mut self, app: &KompoxApp, validated: Option<ValidatedApp>) -> Validation {
        self.diagnostics.sort_by(|a, b| (&a.span, a.code.id, &a.path).cmp(&(&b.span, b.code.id, &b.path)));
        // A volume's own findings are met at each of its mounts.
        self.diagnostics.dedup();
        self.problems.extend(compose_problem(app, &self.diagnostics));
        self.problems.sort();
        self.problems.dedup();
        Validation {
            app: validated.filter(|_| self.problems.is_empty()),
            problems: self.problems,
            shortfalls: self.shortfalls,
            diagnostics: self.diagnostics,
            model: self.model,
        }
    }
}

fn compose_problem(app: &KompoxApp, diagnostics: &[Diagnostic]) -> Option<Problem> {
    // A volume without a place is a problem of the spec, and stated as one.
    let of_the_file = |d: &&Diagnostic| d.severity == Severity::Error && *d.code != codes::VOLUME_NOT_MAPPED;
    let errors: Vec<_> = diagnostics.iter().filter(of_the_file).collect();
    let first = errors.first()?;
    let more = match errors.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let reference = &app.spec.compose.config_map_ref;
    let remedy = first.help.clone().unwrap_or_else(|| "correct the file at that line".to_owned());
    Some(
        Problem::with_object(
            Reason::ComposeInvalid,
            format!("ConfigMap/{}", reference.name),
            format!("{first}{more}"),
            remedy,
        )
        .at(reference.key.clone()),
    )
}

/// What the functions per key look at.
struct Given<'a> {
    app: &'a KompoxApp,
    facts: &'a Facts,
    settings: &'a Settings,
    project: &'a Project,
    renames: &'a Renames,
}

/// Checks everything and says all that is wrong at once.
#[must_use]
pub fn validate(app: &KompoxApp, facts: &Facts, settings: &Settings) -> Validation {
    let mut findings = Findings::default();
    spec::check(app, &mut findings);
    let Some(mut project) = source::read(app, facts, &mut findings) else {
        return findings.finish(app, None);
    };
    let renames = match app.spec.compose.service_names {
        ServiceNames::Reject => Renames::new(),
        ServiceNames::Rename => rename::apply(&mut project, &mut findings),
    };
    let given = Given { app, facts, settings, project: &project, renames: &renames };
    let validated = assemble(&given, &mut findings);
    findings.diagnostics.iter_mut().for_each(|found| rename::restore_path(&mut found.path, &renames));
    findings.finish(app, Some(validated))
}

fn assemble(given: &Given<'_>, findings: &mut Findings) -> ValidatedApp {
    let Given { app, facts, settings, project, .. } = *given;
    let identity = AppIdentity::of(app);
    let mut aliases = names::check(project, given.renames, findings);
    let contents = mounts::contents(app, facts, project, findings);
    let subject =
        |service| Subject { service, namespace: &identity.namespace, pod_security: facts.pod_security };
    let services = project.services.values();
    let mut services: Vec<_> =
        services.map(|service| service::validate(given, &contents, &subject(service), findings)).collect();
    for candidate in &mut services {
        candidate.service.aliases = aliases.remove(&candidate.service.name).unwrap_or_default();
    }
    let workloads = topology::assemble(app.spec.deployment.pod_layout, project, services, findings);
    let disks = mounts::disk_uses(&identity, &workloads);
    mounts::check_switch(app, &disks, findings);
    let ingress = ingress::validate(app, settings, &workloads, findings);
    ValidatedApp {
        activity: if app.spec.replicas == 0 { Activity::Hibernated } else { Activity::Running },
        inherited: spec::inherited(app),
        scheduling: spec::scheduling(app),
        network_policy: network::validate(given, findings),
        compose_hash: source::hash(app, facts),
        restarted_at: spec::restarted_at(app),
        identity,
        workloads,
        disks,
        files: contents.generated,
        ingress,
    }
}
