//! `validate`: spec, Compose file and referenced facts → an app that can be built, or what is in the way.
//!
//! Parses, so that nothing has to be checked again: a [`ValidatedApp`] is convertible. Nothing here
//! builds an object. Whatever of spec or file is not carried out is a finding, never silence.

mod command;
mod environment;
mod ingress;
mod mounts;
mod names;
mod network;
mod ports;
mod security;
mod service;
mod source;
mod spec;
mod workload;

use crate::app::codes;
use crate::app::facts::{Facts, Settings};
use crate::app::problem::Problem;
use crate::app::validated::{Activity, AppIdentity, ValidatedApp, ValidatedService};
use kompox_compose::{Diagnostic, Project, Severity};
use kompox_crds::{KompoxApp, Reason};

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
}

/// Collects findings while the parts are looked at.
#[derive(Default)]
struct Findings {
    problems: Vec<Problem>,
    shortfalls: Vec<Problem>,
    diagnostics: Vec<Diagnostic>,
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
        self.problems.extend(compose_problem(app, &self.diagnostics));
        self.problems.sort();
        self.problems.dedup();
        Validation {
            app: validated.filter(|_| self.problems.is_empty()),
            problems: self.problems,
            shortfalls: self.shortfalls,
            diagnostics: self.diagnostics,
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

/// Checks everything and says all that is wrong at once.
#[must_use]
pub fn validate(app: &KompoxApp, facts: &Facts, settings: &Settings) -> Validation {
    let mut findings = Findings::default();
    spec::check(app, &mut findings);
    let Some(project) = source::read(app, facts, &mut findings) else {
        return findings.finish(app, None);
    };
    let validated = assemble(app, facts, settings, &project, &mut findings);
    findings.finish(app, Some(validated))
}

fn assemble(
    app: &KompoxApp,
    facts: &Facts,
    settings: &Settings,
    project: &Project,
    findings: &mut Findings,
) -> ValidatedApp {
    let identity = AppIdentity::of(app);
    names::check(project, findings);
    let services: Vec<ValidatedService> =
        project.services.values().map(|service| service::validate(app, project, service, findings)).collect();
    let disks = mounts::disk_uses(&identity, &services);
    mounts::check_switch(app, &disks, findings);
    let ingress = ingress::validate(app, settings, &services, findings);
    ValidatedApp {
        activity: if app.spec.replicas == 0 { Activity::Hibernated } else { Activity::Running },
        inherited: spec::inherited(app),
        scheduling: spec::scheduling(app),
        network_policy: network::validate(app, settings),
        compose_hash: source::hash(app, facts),
        restarted_at: spec::restarted_at(app),
        identity,
        services,
        disks,
        ingress,
    }
}
