//! How images are built, and what happens to a service in development.

use super::Type::{
    Bytes, Choice, Environment, Flag, Hosts, Labels, List, Long, Named, Object, Printed, Struct, Text, Texts,
    Ulimit,
};
use super::shared::{FILE_MOUNT, HOOK};
use super::{Keys, Short, Unique};

pub(super) static BUILD: Keys = Keys::new(&[
    ("additional_contexts", Labels),
    ("args", Environment),
    ("cache_from", List(&Text, Unique::No)),
    ("cache_to", List(&Text, Unique::No)),
    ("context", Text),
    ("dockerfile", Text),
    ("dockerfile_inline", Text),
    ("entitlements", List(&Text, Unique::No)),
    ("extra_hosts", Hosts),
    ("isolation", Text),
    ("labels", Labels),
    ("network", Text),
    ("no_cache", Flag),
    ("no_cache_filter", Texts),
    ("platforms", List(&Text, Unique::No)),
    ("privileged", Flag),
    ("provenance", Printed),
    ("pull", Flag),
    ("sbom", Printed),
    ("secrets", List(&Long(&FILE_MOUNT, Short::Key("source")), Unique::No)),
    ("shm_size", Bytes),
    ("ssh", Labels),
    ("tags", List(&Text, Unique::Name)),
    ("target", Text),
    ("ulimits", Named(&Ulimit)),
]);

pub(super) static DEVELOP: Keys = Keys::new(&[("watch", List(&Object(&WATCH), Unique::No))]);
static WATCH: Keys = Keys::new(&[
    ("action", Choice(&["rebuild", "sync", "restart", "sync+restart", "sync+exec"])),
    ("exec", Struct(&HOOK)),
    ("ignore", Texts),
    ("include", Texts),
    ("initial_sync", Flag),
    ("path", Text),
    ("target", Text),
])
.requires(&["path", "action"]);
