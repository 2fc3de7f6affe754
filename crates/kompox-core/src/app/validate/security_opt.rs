//! `security_opt` (<https://docs.docker.com/reference/cli/docker/container/run/#security-opt>): options of the
//! Engine in the terms of a container's security context.

use super::Findings;
use super::subject::Subject;
use crate::app::{PodSecurity, codes};
use k8s_openapi::api::core::v1::{AppArmorProfile, SELinuxOptions, SeccompProfile, SecurityContext};
use kompox_compose::model::SecurityOption;

/// The list in the file.
const KEY: &str = "security_opt";

/// SELinux types that the baseline Pod Security Standard lets a container have.
const BASELINE_TYPES: [&str; 4] =
    ["container_engine_t", "container_init_t", "container_kvm_t", "container_t"];

/// The SELinux type of a container that is not confined.
const UNCONFINED_TYPE: &str = "spc_t";

/// Carries the options over.
pub(super) fn apply(subject: &Subject<'_>, context: &mut SecurityContext, findings: &mut Findings) {
    for option in &subject.service.security_opt {
        match option.name.as_str() {
            "no-new-privileges" => no_new_privileges(subject, option, context, findings),
            "seccomp" => seccomp(subject, option, context, findings),
            "apparmor" => app_armor(subject, option, context, findings),
            "label" => label(subject, option, context, findings),
            _ => refuse(subject, option, "remove it: no pod can have it", findings),
        }
    }
}

fn refuse(subject: &Subject<'_>, option: &SecurityOption, help: &str, findings: &mut Findings) {
    let value = option.value.as_ref().map(|value| format!("={value}")).unwrap_or_default();
    let message = format!("no pod can have the security option `{}{value}`", option.name);
    findings.diagnose(subject.at(&codes::SECURITY_OPTION, KEY, &option.span, message).help(help));
}

fn allows(subject: &Subject<'_>, option: &SecurityOption, findings: &mut Findings) -> bool {
    let value = option.value.as_deref().unwrap_or_default();
    let what = format!("the security option `{}={value}`", option.name);
    subject.allows(&codes::POLICY_SECURITY_OPTION, KEY, &option.span, &what, findings)
}

/// The API server refuses it for privileged containers.
fn no_new_privileges(
    subject: &Subject<'_>,
    option: &SecurityOption,
    context: &mut SecurityContext,
    findings: &mut Findings,
) {
    let wanted = match option.value.as_deref() {
        None | Some("" | "true") => true,
        Some("false") => false,
        Some(_) => return refuse(subject, option, "write `no-new-privileges:true`", findings),
    };
    let privileged = subject.service.privileged.as_ref().is_some_and(|privileged| privileged.value);
    if wanted && privileged {
        let message = "a privileged container cannot be kept from new privileges";
        findings.diagnose(
            subject
                .at(&codes::SECURITY_CONFLICT, KEY, &option.span, message)
                .help("remove `privileged` or `no-new-privileges`"),
        );
    }
    context.allow_privilege_escalation = wanted.then_some(false);
}

/// The runtime's profile is set for every pod; only its absence has to be said.
fn seccomp(
    subject: &Subject<'_>,
    option: &SecurityOption,
    context: &mut SecurityContext,
    findings: &mut Findings,
) {
    match option.value.as_deref() {
        Some("builtin") => {}
        Some("unconfined") => {
            if allows(subject, option, findings) {
                let type_ = "Unconfined".to_owned();
                context.seccomp_profile = Some(SeccompProfile { type_, localhost_profile: None });
            }
        }
        _ => refuse(subject, option, "remove it: the runtime's own profile applies", findings),
    }
}

/// A kubelet without AppArmor refuses pods that name a profile, again and again; one without a name it takes.
fn app_armor(
    subject: &Subject<'_>,
    option: &SecurityOption,
    context: &mut SecurityContext,
    findings: &mut Findings,
) {
    match option.value.as_deref() {
        Some("docker-default" | "runtime/default") => {}
        Some("unconfined") => {
            if allows(subject, option, findings) {
                let type_ = "Unconfined".to_owned();
                context.app_armor_profile = Some(AppArmorProfile { type_, localhost_profile: None });
            }
        }
        _ => refuse(subject, option, "remove it: the runtime's own profile applies", findings),
    }
}

/// `label=disable`, `label=type:T`, `label=level:L`, `label=user:U`, `label=role:R`.
fn label(
    subject: &Subject<'_>,
    option: &SecurityOption,
    context: &mut SecurityContext,
    findings: &mut Findings,
) {
    let value = option.value.as_deref().unwrap_or_default();
    let (name, text) = value.split_once(':').unwrap_or((value, ""));
    let baseline = name == "level" || (name == "type" && BASELINE_TYPES.contains(&text));
    let known = name == "disable" || (matches!(name, "type" | "level" | "user" | "role") && !text.is_empty());
    if !known {
        return refuse(
            subject,
            option,
            "write `label=type:TYPE`, `label=level:LEVEL` or `label=disable`",
            findings,
        );
    }
    if name == "disable" && subject.pod_security != PodSecurity::Privileged {
        return still_confined(subject, option, findings);
    }
    if !baseline && !allows(subject, option, findings) {
        return;
    }
    let options = context.se_linux_options.get_or_insert_with(SELinuxOptions::default);
    let text = Some(text.to_owned());
    match name {
        "disable" => options.type_ = Some(UNCONFINED_TYPE.to_owned()),
        "type" => options.type_ = text,
        "level" => options.level = text,
        "user" => options.user = text,
        _ => options.role = text,
    }
}

/// Most nodes have no SELinux, and there the option changes nothing: the service runs with less than it asked for.
fn still_confined(subject: &Subject<'_>, option: &SecurityOption, findings: &mut Findings) {
    let message = "`label=disable` is left out: where nodes enforce SELinux, it confines the service";
    let help = "label the namespace `pod-security.kubernetes.io/enforce=privileged` if the service needs it";
    findings.diagnose(subject.at(&codes::SELINUX_CONFINED, KEY, &option.span, message).help(help));
}
