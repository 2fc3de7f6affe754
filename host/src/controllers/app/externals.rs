//! Which objects the Compose files name: external configs and secrets. They stand in no spec, so a change of
//! one of them leads to its apps through what was read last. Losing it is harmless: after a start every app is
//! reconciled, and read.

use kompox_core::app::References;
use kompox_crds::KompoxApp;
use kube::ResourceExt as _;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Names by the app's uid. Apps whose files name nothing have no entry.
#[derive(Debug, Default)]
pub(super) struct Externals(Mutex<HashMap<String, References>>);

impl Externals {
    /// What the app's Compose files name now.
    pub(super) fn remember(&self, app: &KompoxApp, references: References) {
        let Some(uid) = app.uid() else { return };
        if references == References::default() {
            self.known().remove(&uid);
        } else {
            self.known().insert(uid, references);
        }
    }

    /// The app is gone.
    pub(super) fn forget(&self, app: &KompoxApp) {
        self.remember(app, References::default());
    }

    /// Whether the app's Compose files name this ConfigMap.
    pub(super) fn name_config_map(&self, app: &KompoxApp, name: &str) -> bool {
        self.have(app, |references| references.config_maps.contains(name))
    }

    /// Whether the app's Compose files name this Secret.
    pub(super) fn name_secret(&self, app: &KompoxApp, name: &str) -> bool {
        self.have(app, |references| references.secrets.contains(name))
    }

    fn have(&self, app: &KompoxApp, fits: impl Fn(&References) -> bool) -> bool {
        app.metadata.uid.as_ref().and_then(|uid| self.known().get(uid).map(fits)).unwrap_or_default()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<String, References>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(uid: &str) -> KompoxApp {
        let app = serde_json::json!({
            "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp",
            "metadata": { "name": uid, "uid": uid },
            "spec": { "compose": { "configMapRef": { "name": "compose" } } },
        });
        serde_json::from_value(app).unwrap()
    }

    #[test]
    fn what_a_file_names_is_known_until_it_names_it_no_more() {
        let externals = Externals::default();
        let references = References { secrets: ["tls".to_owned()].into(), ..References::default() };
        externals.remember(&app("a"), references);
        assert!(externals.name_secret(&app("a"), "tls"));
        assert!(!externals.name_config_map(&app("a"), "tls") && !externals.name_secret(&app("b"), "tls"));
        externals.forget(&app("a"));
        assert!(!externals.name_secret(&app("a"), "tls"));
    }
}
