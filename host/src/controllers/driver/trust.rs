//! Whether a component may have what needs a pin: keys shown to it, and types of built-in drivers. Those are granted to
//! what the spec names, not to whatever worked before. Pure but for its memory.

use kompox_crds::v1alpha1::driver::{DriverSource, Grants, KompoxDriverSpec};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// Which component came out of which source, by the driver's name.
#[derive(Debug, Default)]
pub(super) struct Accepted(Mutex<BTreeMap<String, (String, Option<DriverSource>)>>);

impl Accepted {
    /// Remembers that `digest` passed every check of the spec.
    pub(super) fn remember(&self, driver: &str, digest: &str, spec: &KompoxDriverSpec) {
        let entry = (digest.to_owned(), spec.source.clone());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(driver.to_owned(), entry);
    }

    /// Forgets a driver that is gone.
    pub(super) fn forget(&self, driver: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(driver);
    }

    /// The spec as it holds for a component: without what needs a pin if the component is neither the one that is
    /// pinned nor came out of this very source. After a restart only the pin tells.
    pub(super) fn spec_for(&self, driver: &str, digest: &str, spec: &KompoxDriverSpec) -> KompoxDriverSpec {
        if self.trusts(driver, digest, spec) {
            return spec.clone();
        }
        let grants = Grants {
            reveal_secret_keys: Vec::new(),
            replace_built_in_types: Vec::new(),
            ..spec.grants.clone()
        };
        KompoxDriverSpec { grants, ..spec.clone() }
    }

    fn trusts(&self, driver: &str, digest: &str, spec: &KompoxDriverSpec) -> bool {
        let pin = spec.source.as_ref().and_then(|source| source.digest.as_deref());
        if pin.is_some() {
            return pin == Some(digest);
        }
        let accepted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.get(driver).is_some_and(|(known, source)| known == digest && *source == spec.source)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn spec(source: &serde_json::Value) -> KompoxDriverSpec {
        let grants =
            json!({ "revealSecretKeys": ["token"], "replaceBuiltInTypes": ["eks"], "adoption": "Any" });
        serde_json::from_value(json!({ "source": source, "grants": grants })).unwrap()
    }

    fn signed_by(key: &str) -> KompoxDriverSpec {
        let verify = json!({ "keySecretRef": { "name": key, "key": "cosign.pub" } });
        spec(&json!({ "oci": { "reference": "registry.example/driver:1", "verify": verify } }))
    }

    #[test]
    fn what_worked_before_has_no_privileges_under_another_pin_or_key() {
        let accepted = Accepted::default();
        let (old, new) = (format!("sha256:{}", "a".repeat(64)), format!("sha256:{}", "b".repeat(64)));
        let privileged = |digest: &str, spec: &KompoxDriverSpec| {
            let given = accepted.spec_for("d", digest, spec).grants;
            assert!(given.adoption.is_some(), "what needs no pin stays");
            assert_eq!(given.reveal_secret_keys.is_empty(), given.replace_built_in_types.is_empty());
            !given.reveal_secret_keys.is_empty()
        };
        let pinned = spec(&json!({ "configMapRef": { "name": "d" }, "digest": new }));
        assert!(privileged(&new, &pinned) && !privileged(&old, &pinned));
        assert!(!privileged(&old, &signed_by("mine")), "nothing is remembered yet");
        accepted.remember("d", &old, &signed_by("mine"));
        assert!(privileged(&old, &signed_by("mine")));
        assert!(!privileged(&old, &signed_by("other")) && !privileged(&new, &signed_by("mine")));
        accepted.forget("d");
        assert!(!privileged(&old, &signed_by("mine")));
    }
}
