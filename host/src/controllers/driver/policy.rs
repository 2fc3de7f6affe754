//! What a spec lets a driver do, in the terms of the runtime and the catalog. Pure.

use crate::drivers::Settings;
use kompox_core::quantity;
use kompox_crds::v1alpha1::driver::{Egress, EgressMode, EgressStatus, KompoxDriverSpec, Limits};
use kompox_driver_runtime::{CallBounds, EgressGrant, EgressScope, TrustBundle, WorkloadIdentityGrant};
use std::{collections::BTreeSet, time::Duration};

/// The grant of a driver and how the status shows it. Absent: what a built-in driver declares is open, and
/// a driver that was brought along has no network. `base` is granted to every driver.
pub(super) fn egress(
    spec: Option<&Egress>,
    built_in: bool,
    base: &EgressGrant,
) -> (EgressGrant, EgressStatus) {
    let absent = if built_in { EgressMode::Declared } else { EgressMode::None };
    let mode = spec.map_or(absent, |egress| egress.mode);
    let custom = spec.filter(|_| mode == EgressMode::Custom);
    let sorted =
        |list: &[String]| list.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>();
    let hosts = custom.map(|egress| sorted(&egress.hosts)).unwrap_or_default();
    let cidrs = custom.map(|egress| sorted(&egress.cidrs)).unwrap_or_default();
    let (word, scope) = match mode {
        EgressMode::None => ("None", EgressScope::Closed),
        EgressMode::Declared => ("Declared", EgressScope::Declared),
        EgressMode::Custom => ("Custom", EgressScope::Hosts(hosts.clone())),
    };
    let mut grant = EgressGrant { scope, ..base.clone() };
    // The API server let only blocks of addresses pass; a form that is not known here grants nothing.
    grant.networks.extend(cidrs.iter().filter_map(|cidr| cidr.parse::<ipnet::IpNet>().ok()));
    (grant, EgressStatus { mode: word.to_owned(), hosts, cidrs })
}

/// Whose certificates a driver believes besides those of public authorities.
///
/// # Errors
/// What is wrong with the certificates; the message names the field.
pub(super) fn trust_bundle(spec: Option<&Egress>) -> Result<TrustBundle, String> {
    let bundle = spec.and_then(|egress| egress.trust_bundle.as_deref());
    let read = bundle.map(TrustBundle::from_pem).transpose();
    let unusable =
        |error| format!("spec.egress.trustBundle: {error}; give the certificates of your authorities");
    read.map(Option::unwrap_or_default).map_err(unusable)
}

/// What a driver may do with credentials, and what its calls may use. The operator's own identity is for built-in drivers, which need a
/// KompoxDriver for it: a component that was brought along must not act with the operator's rights.
pub(super) fn credentials(grant: EgressGrant, spec: &KompoxDriverSpec) -> EgressGrant {
    let workload_identity = match spec.source {
        None => WorkloadIdentityGrant::Granted,
        Some(_) => WorkloadIdentityGrant::Denied,
    };
    let reveal_secret_keys = spec.grants.reveal_secret_keys.iter().cloned().collect();
    EgressGrant { reveal_secret_keys, workload_identity, bounds: bounds(&spec.limits), ..grant }
}

/// What the API server let pass always fits; what did not is the operator's default.
fn bounds(limits: &Limits) -> CallBounds {
    let memory = limits.memory.as_ref().and_then(|memory| quantity::bytes(memory).ok());
    CallBounds {
        memory_bytes: memory.and_then(|bytes| usize::try_from(bytes).ok()),
        requests: limits.max_requests_per_call.and_then(|count| u32::try_from(count).ok()),
    }
}

/// What is set for the objects of a driver.
pub(super) fn settings(spec: &KompoxDriverSpec) -> Settings {
    let seconds = spec.limits.call_timeout_seconds.and_then(|seconds| u64::try_from(seconds).ok());
    Settings {
        config: spec.config.clone(),
        credentials: spec.credentials_secret_ref.as_ref().map(|reference| reference.name.clone()),
        tenant_config_keys: spec.grants.tenant_config_keys.iter().cloned().collect(),
        adoption: spec.grants.adoption,
        call_timeout: seconds.map(Duration::from_secs),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompox_driver_runtime::PlainHttp;

    #[test]
    fn keys_are_shown_and_identities_lent_to_whom_the_spec_says() {
        let spec = |spec: serde_json::Value| serde_json::from_value::<KompoxDriverSpec>(spec).unwrap();
        let of = |spec: &KompoxDriverSpec| {
            let grant = credentials(EgressGrant::default(), spec);
            (grant.reveal_secret_keys.into_iter().collect::<Vec<_>>(), grant.workload_identity)
        };
        let built_in = spec(serde_json::json!({}));
        assert_eq!(of(&built_in), (vec![], WorkloadIdentityGrant::Granted));
        let brought = spec(serde_json::json!({
            "source": { "configMap": { "name": "d" }, "digest": format!("sha256:{}", "0".repeat(64)) },
            "grants": { "revealSecretKeys": ["token", "password"] },
            "limits": { "memory": "128Mi", "maxRequestsPerCall": 500 },
        }));
        let bounds = CallBounds { memory_bytes: Some(128 << 20), requests: Some(500) };
        assert_eq!(credentials(EgressGrant::default(), &brought).bounds, bounds);
        assert_eq!(credentials(EgressGrant::default(), &built_in).bounds, CallBounds::default());
        let keys = vec!["password".to_owned(), "token".to_owned()];
        assert_eq!(of(&brought), (keys, WorkloadIdentityGrant::Denied));
    }

    #[test]
    fn a_driver_that_was_brought_along_has_no_network_until_somebody_says_so() {
        let custom = Egress {
            mode: EgressMode::Custom,
            hosts: vec!["b.example".to_owned(), "*.a.example".to_owned()],
            cidrs: vec!["10.0.0.0/8".to_owned()],
            trust_bundle: None,
        };
        let mode = |mode| Some(Egress { mode, hosts: vec![], cidrs: vec![], trust_bundle: None });
        let hosts = EgressScope::Hosts(vec!["*.a.example".to_owned(), "b.example".to_owned()]);
        let cases = [
            (None, true, "Declared", EgressScope::Declared, 1),
            (None, false, "None", EgressScope::Closed, 1),
            (mode(EgressMode::None), true, "None", EgressScope::Closed, 1),
            (mode(EgressMode::Declared), false, "Declared", EgressScope::Declared, 1),
            (Some(custom), false, "Custom", hosts, 2),
        ];
        let base = EgressGrant {
            plain_http: PlainHttp::InGrantedNetworks,
            networks: vec!["127.0.0.0/8".parse().unwrap()],
            ..EgressGrant::default()
        };
        for (spec, built_in, word, scope, networks) in cases {
            let (grant, status) = egress(spec.as_ref(), built_in, &base);
            assert_eq!((status.mode.as_str(), &grant.scope), (word, &scope));
            assert_eq!((grant.networks.len(), grant.plain_http), (networks, PlainHttp::InGrantedNetworks));
        }
    }

    #[test]
    fn a_bundle_that_cannot_be_used_is_named() {
        let text = Some("no certificate".to_owned());
        let spec = Egress { mode: EgressMode::Declared, hosts: vec![], cidrs: vec![], trust_bundle: text };
        let error = trust_bundle(Some(&spec)).unwrap_err();
        assert!(error.starts_with("spec.egress.trustBundle: it holds no certificate"), "{error}");
        assert_eq!(trust_bundle(None), Ok(TrustBundle::default()));
    }
}
