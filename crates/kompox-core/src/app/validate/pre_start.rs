//! `pre_start`: init containers.

use super::hooks::{Variables, variable_name};
use super::subject::Subject;
use super::{Findings, security};
use crate::app::codes;
use crate::app::secret_text::SecretText;
use crate::app::validated::InitContainer;
use crate::naming;
use k8s_openapi::api::core::v1::SecurityContext;
use kompox_compose::model::PreStart;
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;

/// The init containers, in order. `image` and `security` are the service's own.
pub(super) fn validate(
    subject: &Subject<'_>,
    image: &str,
    context: &SecurityContext,
    variables: &mut Variables,
    findings: &mut Findings,
) -> Vec<InitContainer> {
    let mut containers = Vec::new();
    for (index, entry) in subject.service.pre_start.iter().enumerate() {
        note_how_often(subject, index, entry, findings);
        let name = format!("{}-pre-start-{index}", subject.service.name.value);
        containers.push(InitContainer {
            name: naming::bounded(&name, naming::MAX_LABEL),
            image: entry.image.as_ref().map_or_else(|| image.to_owned(), |image| image.value.clone()),
            command: entry.hook.command.value.clone(),
            working_dir: entry.hook.working_dir.as_ref().map(|directory| directory.value.clone()),
            security: rights(subject, index, entry, context, findings),
            variables: own_variables(index, entry, variables),
        });
    }
    containers
}

/// An init container runs whenever a pod is made: with one replica that is once per rollout, and once more
/// when the pod is replaced for another reason.
fn note_how_often(subject: &Subject<'_>, index: usize, entry: &PreStart, findings: &mut Findings) {
    if entry.per_replica {
        return;
    }
    let key = format!("pre_start[{index}].per_replica");
    if subject.service.replicas.as_ref().is_some_and(|replicas| replicas.value > 1) {
        let message = "the command would run in each of the replicas, and at the same time";
        findings.diagnose(
            subject
                .at(&codes::PRE_START_REPLICAS, &key, &entry.hook.span, message)
                .help("run it in a service of its own and wait for its end with `depends_on`"),
        );
        return;
    }
    let message = "the command runs whenever the pod is made, not once per rollout";
    findings.diagnose(subject.at(&codes::PRE_START_ONCE, &key, &entry.hook.span, message));
}

fn rights(
    subject: &Subject<'_>,
    index: usize,
    entry: &PreStart,
    context: &SecurityContext,
    findings: &mut Findings,
) -> SecurityContext {
    let mut context = context.clone();
    if let Some(user) = &entry.hook.user {
        let key = format!("pre_start[{index}].user");
        (context.run_as_user, context.run_as_group) = security::ids(subject, &key, user, findings);
    }
    let privileged = entry.hook.privileged.as_ref().filter(|privileged| privileged.value);
    if let Some(privileged) = privileged {
        let key = format!("pre_start[{index}].privileged");
        let what = "a privileged container";
        if subject.allows(&codes::POLICY_PRIVILEGED, &key, &privileged.span, what, findings) {
            context.privileged = Some(true);
            context.allow_privilege_escalation = None;
        }
    }
    context
}

/// Values stay in the Secret with the service's environment, under other names.
fn own_variables(index: usize, entry: &PreStart, variables: &mut Variables) -> BTreeMap<String, String> {
    let mut own = BTreeMap::new();
    for (name, value) in &entry.hook.environment {
        let key = variable_name("pre_start", index, name);
        variables.insert(key.clone(), SecretText::new(value.expose_secret().as_bytes()));
        own.insert(name.clone(), key);
    }
    own
}
