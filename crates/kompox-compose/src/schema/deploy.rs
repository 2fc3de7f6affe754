//! The section `deploy` of a service.

use super::Type::{
    Bytes, Choice, Counted, Delay, Duration, Float, Labels, List, Object, Struct, Text, Whole,
};
use super::shared::DEVICE_REQUEST;
use super::{Keys, Unique};

pub(super) static DEPLOY: Keys = Keys::new(&[
    ("endpoint_mode", Text),
    ("labels", Labels),
    ("mode", Text),
    ("placement", Struct(&PLACEMENT)),
    ("replicas", Counted),
    ("resources", Struct(&RESOURCES)),
    ("restart_policy", Object(&RESTART)),
    ("rollback_config", Object(&UPDATE)),
    ("update_config", Object(&UPDATE)),
]);
static PLACEMENT: Keys = Keys::new(&[
    ("constraints", List(&Text, Unique::No)),
    ("max_replicas_per_node", Whole),
    ("preferences", List(&Object(&PREFERENCE), Unique::No)),
]);
static PREFERENCE: Keys = Keys::new(&[("spread", Text)]);
static RESOURCES: Keys = Keys::new(&[("limits", Object(&LIMITS)), ("reservations", Object(&RESERVATIONS))]);
static LIMITS: Keys = Keys::new(&[("cpus", Float), ("memory", Bytes), ("pids", Whole)]);
static RESERVATIONS: Keys = Keys::new(&[
    ("cpus", Float),
    ("devices", List(&Object(&DEVICE_REQUEST), Unique::No)),
    ("generic_resources", List(&Object(&GENERIC), Unique::No)),
    ("memory", Bytes),
]);
static GENERIC: Keys = Keys::new(&[("discrete_resource_spec", Object(&DISCRETE))]);
static DISCRETE: Keys = Keys::new(&[("kind", Text), ("value", Counted)]);
static RESTART: Keys =
    Keys::new(&[("condition", Text), ("delay", Duration), ("max_attempts", Counted), ("window", Duration)]);
static UPDATE: Keys = Keys::new(&[
    ("delay", Delay),
    ("failure_action", Text),
    ("max_failure_ratio", Float),
    ("monitor", Delay),
    ("order", Choice(&["start-first", "stop-first"])),
    ("parallelism", Counted),
]);
