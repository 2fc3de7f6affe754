//! The top level of a file and the resources declared there.

use super::Type::{
    External, Flag, Labels, List, Long, Named, Nullable, Object, Options, Struct, Text, Texts, Tristate,
    Whole,
};
use super::service::{JOB, SERVICE};
use super::{Keys, Short, Unique};

/// A Compose file.
pub(crate) static ROOT: Keys = Keys::new(&[
    ("configs", Named(&Object(&CONFIG))),
    ("include", List(&Long(&INCLUDE, Short::Key("path")), Unique::No)),
    ("jobs", Named(&Object(&JOB))),
    ("models", Named(&Object(&MODEL))),
    ("name", Text),
    ("networks", Named(&Nullable(&NETWORK))),
    ("secrets", Named(&Object(&SECRET))),
    ("services", Named(&Object(&SERVICE))),
    ("version", Text),
    ("volumes", Named(&Nullable(&VOLUME))),
]);

static INCLUDE: Keys =
    Keys::new(&[("env_file", Texts), ("path", Texts), ("project_directory", Text)]).closed();

static CONFIG: Keys = Keys::new(&[
    ("content", Text),
    ("environment", Text),
    ("external", External),
    ("file", Text),
    ("labels", Labels),
    ("name", Text),
    ("template_driver", Text),
]);

static SECRET: Keys = Keys::new(&[
    ("driver", Text),
    ("driver_opts", Options),
    ("environment", Text),
    ("external", External),
    ("file", Text),
    ("labels", Labels),
    ("name", Text),
    ("template_driver", Text),
]);

static MODEL: Keys = Keys::new(&[
    ("context_size", Whole),
    ("model", Text),
    ("name", Text),
    ("runtime_flags", List(&Text, Unique::No)),
])
.requires(&["model"]);

static NETWORK: Keys = Keys::new(&[
    ("attachable", Flag),
    ("driver", Text),
    ("driver_opts", Options),
    ("enable_ipv4", Tristate),
    ("enable_ipv6", Tristate),
    ("external", External),
    ("internal", Flag),
    ("ipam", Struct(&IPAM)),
    ("labels", Labels),
    ("name", Text),
]);
static IPAM: Keys =
    Keys::new(&[("config", List(&Object(&POOL), Unique::Subnet)), ("driver", Text), ("options", Options)]);
static POOL: Keys =
    Keys::new(&[("aux_addresses", Options), ("gateway", Text), ("ip_range", Text), ("subnet", Text)]);

static VOLUME: Keys = Keys::new(&[
    ("driver", Text),
    ("driver_opts", Options),
    ("external", External),
    ("labels", Labels),
    ("name", Text),
]);
