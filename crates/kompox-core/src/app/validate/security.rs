//! User, capabilities and the root file system.

use super::Findings;
use crate::app::codes;
use k8s_openapi::api::core::v1::{Capabilities, SecurityContext};
use kompox_compose::model::Service;
use kompox_compose::{Diagnostic, Spanned};

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

/// The kernel's other capabilities (capabilities(7)): they can be dropped.
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

/// The container's security context.
pub(super) fn validate(service: &Service, findings: &mut Findings) -> SecurityContext {
    let (run_as_user, run_as_group) = user(service, findings);
    SecurityContext {
        capabilities: capabilities(service, findings),
        read_only_root_filesystem: service
            .read_only
            .as_ref()
            .filter(|read_only| read_only.value)
            .map(|_| true),
        run_as_user,
        run_as_group,
        ..SecurityContext::default()
    }
}

/// The numeric user, where the file gives one other than root.
pub(super) fn runs_as_other_than_root(service: &Service) -> bool {
    service.user.as_ref().is_some_and(|user| {
        let name = user.value.split(':').next().unwrap_or_default();
        name != "root" && name.parse() != Ok(0)
    })
}

fn user(service: &Service, findings: &mut Findings) -> (Option<i64>, Option<i64>) {
    let Some(given) = &service.user else { return (None, None) };
    let (user, group) =
        given.value.split_once(':').map_or((given.value.as_str(), None), |(user, group)| (user, Some(group)));
    match (id(user), group.map(id)) {
        (Some(user), None) => (Some(user), None),
        (Some(user), Some(Some(group))) => (Some(user), Some(group)),
        _ => {
            let message = format!("`{}` names a user or group that only the image knows", given.value);
            findings.diagnose(
                Diagnostic::new(&codes::NUMERIC_USER_NEEDED, message)
                    .at(&given.span)
                    .path(format!("services.{}.user", service.name.value))
                    .help("give numbers, such as `1000:1000`"),
            );
            (None, None)
        }
    }
}

fn id(name: &str) -> Option<i64> {
    if name == "root" { Some(0) } else { name.parse::<u32>().ok().map(i64::from) }
}

fn capabilities(service: &Service, findings: &mut Findings) -> Option<Capabilities> {
    let add = list(service, "cap_add", &service.cap_add, &[&BASELINE], findings);
    let drop = list(service, "cap_drop", &service.cap_drop, &[&BASELINE, &BEYOND, &["ALL"]], findings);
    (add.is_some() || drop.is_some()).then_some(Capabilities { add, drop })
}

/// The runtime ignores unknown capabilities in silence; so they are checked here.
fn list(
    service: &Service,
    key: &str,
    given: &[Spanned<String>],
    allowed: &[&[&str]],
    findings: &mut Findings,
) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for capability in given {
        let upper = capability.value.to_ascii_uppercase();
        let name = upper.strip_prefix("CAP_").unwrap_or(&upper).to_owned();
        if !allowed.iter().any(|list| list.contains(&name.as_str())) {
            let message = format!("the capability `{}` is unknown, or not allowed here", capability.value);
            findings.diagnose(
                Diagnostic::new(&codes::CAPABILITY, message)
                    .at(&capability.span)
                    .path(format!("services.{}.{key}", service.name.value))
                    .help(format!("allowed are {}", BASELINE.join(", "))),
            );
        }
        names.push(name);
    }
    names.sort();
    names.dedup();
    (!names.is_empty()).then_some(names)
}
