//! `render`: the objects of an app without a cluster, for people who want to see them first.

use crate::app::build::{AppResources, build};
use crate::app::facts::{Facts, Settings};
use crate::app::validate::{Validation, validate};
use crate::resources::Prepared;
use kompox_crds::KompoxApp;
use std::collections::BTreeSet;

/// Stands for the uid that only a cluster gives. Names of claims are computed from it, so that they
/// differ from those in a cluster.
pub const PLACEHOLDER_UID: &str = "00000000-0000-0000-0000-000000000000";

/// Stands for the namespace of an app that names none.
pub const PLACEHOLDER_NAMESPACE: &str = "default";

/// What would be made of an app.
pub struct Rendered {
    /// The objects; absent if there are problems.
    pub resources: Option<AppResources<Prepared>>,
    /// What validation found.
    pub validation: Validation,
}

/// Renders an app as it is before anything of it exists. The objects have no owner references: applied
/// by hand, objects whose owner does not exist would be collected as garbage. Claims are not among
/// them: they are handed over by the operator, step by step.
#[must_use]
pub fn render(app: &KompoxApp, facts: &Facts, settings: &Settings) -> Rendered {
    let mut app = app.clone();
    app.metadata.uid.get_or_insert_with(|| PLACEHOLDER_UID.to_owned());
    app.metadata.namespace.get_or_insert_with(|| PLACEHOLDER_NAMESPACE.to_owned());
    let validation = validate(&app, facts, settings);
    let resources = validation.app.as_ref().map(|validated| {
        let mut resources = build(validated, &BTreeSet::new());
        resources.for_each_metadata(|metadata| metadata.owner_references = None);
        resources
    });
    Rendered { resources, validation }
}
