//! User and groups, capabilities, privileges and the root file system.

use super::subject::Subject;
use super::{Findings, security_opt};
use crate::app::codes;
use k8s_openapi::api::core::v1::{Capabilities, SecurityContext};
use kompox_compose::model::Service;
use kompox_compose::{Code, Spanned};

/// What the baseline Pod Security Standard lets a container add
/// (<https://kubernetes.io/docs/concepts/security/pod-security-standards/#baseline>).
const BASELINE: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// The kernel's other capabilities (capabilities(7)).
const BEYOND: [&str; 28] = [
    "AUDIT_CONTROL",
    "AUDIT_READ",
    "BLOCK_SUSPEND",
    "BPF",
    "CHECKPOINT_RESTORE",
    "DAC_READ_SEARCH",
    "IPC_LOCK",
    "IPC_OWNER",
    "LEASE",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "NET_ADMIN",
    "NET_BROADCAST",
    "NET_RAW",
    "PERFMON",
    "SYSLOG",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_NICE",
    "SYS_PACCT",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "WAKE_ALARM",
];

/// Every capability at once.
const ALL: &str = "ALL";

/// The largest user or group id of the Kubernetes API.
const MAX_ID: i64 = i32::MAX as i64;

/// The container's security context.
pub(super) fn validate(subject: &Subject<'_>, findings: &mut Findings) -> SecurityContext {
    let service = subject.service;
    let (run_as_user, run_as_group) = user(subject, findings);
    let mut context = SecurityContext {
        capabilities: capabilities(subject, findings),
        privileged: privileged(subject, findings).then_some(true),
        read_only_root_filesystem: service
            .read_only
            .as_ref()
            .filter(|read_only| read_only.value)
            .map(|_| true),
        run_as_user,
        run_as_group,
        ..SecurityContext::default()
    };
    security_opt::apply(subject, &mut context, findings);
    context
}

/// The numeric user, where the file gives one other than root.
pub(super) fn runs_as_other_than_root(service: &Service) -> bool {
    service.user.as_ref().is_some_and(|user| {
        let name = user.value.split(':').next().unwrap_or_default();
        name != "root" && name.parse() != Ok(0)
    })
}

/// Further groups of every process of the pod.
pub(super) fn supplemental_groups(subject: &Subject<'_>, findings: &mut Findings) -> Vec<i64> {
    let mut groups = Vec::new();
    for group in &subject.service.group_add {
        match id(&group.value) {
            Some(id) => groups.push(id),
            None => numeric_needed(subject, "group_add", group, findings),
        }
    }
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn user(subject: &Subject<'_>, findings: &mut Findings) -> (Option<i64>, Option<i64>) {
    subject.service.user.as_ref().map_or((None, None), |given| ids(subject, "user", given, findings))
}

/// The ids of `user[:group]` at `key`; none of them, and an error, where one is a name.
pub(super) fn ids(
    subject: &Subject<'_>,
    key: &str,
    given: &Spanned<String>,
    findings: &mut Findings,
) -> (Option<i64>, Option<i64>) {
    let (user, group) =
        given.value.split_once(':').map_or((given.value.as_str(), None), |(user, group)| (user, Some(group)));
    match (id(user), group.map(id)) {
        (Some(user), None) => (Some(user), None),
        (Some(user), Some(Some(group))) => (Some(user), Some(group)),
        _ => {
            numeric_needed(subject, key, given, findings);
            (None, None)
        }
    }
}

fn numeric_needed(subject: &Subject<'_>, key: &str, given: &Spanned<String>, findings: &mut Findings) {
    let message = format!("`{}` names a user or group that only the image knows", given.value);
    let help = match key {
        "group_add" => "give a number, such as `1000`",
        _ => "give numbers, such as `1000:1000`",
    };
    findings.diagnose(subject.at(&codes::NUMERIC_USER_NEEDED, key, &given.span, message).help(help));
}

fn id(name: &str) -> Option<i64> {
    if name == "root" {
        return Some(0);
    }
    let digits = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
    name.parse().ok().filter(|id| digits && *id <= MAX_ID)
}

fn privileged(subject: &Subject<'_>, findings: &mut Findings) -> bool {
    let Some(privileged) = subject.service.privileged.as_ref().filter(|privileged| privileged.value) else {
        return false;
    };
    let what = "a privileged container";
    subject.allows(&codes::POLICY_PRIVILEGED, "privileged", &privileged.span, what, findings)
}

fn capabilities(subject: &Subject<'_>, findings: &mut Findings) -> Option<Capabilities> {
    let service = subject.service;
    let mut add = Vec::new();
    for capability in &service.cap_add {
        let Some(name) = capability_name(subject, "cap_add", capability, findings) else { continue };
        let what = format!("the capability `{name}`");
        let code: &'static Code = &codes::POLICY_CAPABILITY;
        if BASELINE.contains(&name.as_str())
            || subject.allows(code, "cap_add", &capability.span, &what, findings)
        {
            add.push(name);
        }
    }
    let dropped = service.cap_drop.iter();
    let drop = dropped.filter_map(|capability| capability_name(subject, "cap_drop", capability, findings));
    let drop: Vec<_> = drop.collect();
    let (add, drop) = (sorted(add), sorted(drop));
    (add.is_some() || drop.is_some()).then_some(Capabilities { add, drop })
}

/// The kernel's name. The runtime ignores unknown ones in silence; so they are checked here.
fn capability_name(
    subject: &Subject<'_>,
    key: &str,
    capability: &Spanned<String>,
    findings: &mut Findings,
) -> Option<String> {
    let upper = capability.value.to_ascii_uppercase();
    let name = upper.strip_prefix("CAP_").unwrap_or(&upper);
    if name == ALL || BASELINE.contains(&name) || BEYOND.contains(&name) {
        return Some(name.to_owned());
    }
    let message = format!("the kernel has no capability `{}`", capability.value);
    findings.diagnose(
        subject
            .at(&codes::CAPABILITY, key, &capability.span, message)
            .help("use a name of capabilities(7), such as `NET_BIND_SERVICE`"),
    );
    None
}

fn sorted(mut names: Vec<String>) -> Option<Vec<String>> {
    names.sort();
    names.dedup();
    (!names.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::{BASELINE, BEYOND, id};

    #[test]
    fn users_are_numbers_or_root() {
        for (name, expected) in [
            ("root", Some(0)),
            ("0", Some(0)),
            ("1000", Some(1000)),
            ("2147483647", Some(2_147_483_647)),
            ("2147483648", None),
            ("-1", None),
            ("+1", None),
            ("", None),
            ("www-data", None),
        ] {
            assert_eq!(id(name), expected, "{name}");
        }
    }

    #[test]
    fn the_kernel_has_41_capabilities() {
        assert!(BASELINE.is_sorted() && BEYOND.is_sorted());
        assert_eq!(BASELINE.len() + BEYOND.len(), 41);
    }
}
