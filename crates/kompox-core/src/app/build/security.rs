//! The security context of a pod: Docker's defaults, and what the file sets beside them.

use super::some_if_any;
use crate::app::validated::PodPlan;
use k8s_openapi::api::core::v1::{PodSecurityContext, SeccompProfile, Sysctl};
use std::collections::BTreeMap;

/// Kernel parameters that Docker sets for every container; both count as safe for the kubelet.
const DEFAULT_SYSCTLS: [(&str, &str); 2] =
    [("net.ipv4.ip_unprivileged_port_start", "0"), ("net.ipv4.ping_group_range", "0 2147483647")];

/// Never `fsGroup`: it rewrites owners and modes on the disk, and servers that check their files' modes
/// then refuse to start.
pub(super) fn build(plan: &PodPlan) -> PodSecurityContext {
    let sysctls: Vec<_> =
        sysctls(plan).into_iter().map(|(name, value)| Sysctl { name: name.to_owned(), value }).collect();
    PodSecurityContext {
        seccomp_profile: Some(SeccompProfile { type_: "RuntimeDefault".to_owned(), localhost_profile: None }),
        supplemental_groups: some_if_any(plan.supplemental_groups.clone()),
        sysctls: some_if_any(sysctls),
        ..PodSecurityContext::default()
    }
}

/// The host's network has the host's parameters: the API server refuses others.
fn sysctls(plan: &PodPlan) -> BTreeMap<&str, String> {
    let mut sysctls = BTreeMap::new();
    if !plan.host.network {
        sysctls.extend(DEFAULT_SYSCTLS.map(|(name, value)| (name, value.to_owned())));
    }
    sysctls.extend(plan.sysctls.iter().map(|(name, value)| (name.as_str(), value.clone())));
    sysctls
}
