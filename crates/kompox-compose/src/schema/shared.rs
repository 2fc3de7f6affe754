//! Parts that occur below more than one key.

use super::Type::{Command, Devices, Environment, Flag, Labels, List, Mode, Text};
use super::{Keys, Type, Unique};

pub(super) const TEXTS: Type = List(&Text, Unique::Required);

pub(super) static HOOK: Keys = Keys::new(&[
    ("command", Command),
    ("environment", Environment),
    ("privileged", Flag),
    ("user", Text),
    ("working_dir", Text),
])
.requires(&["command"]);

pub(super) static FILE_MOUNT: Keys =
    Keys::new(&[("gid", Text), ("mode", Mode), ("source", Text), ("target", Text), ("uid", Text)]);

pub(crate) static DEVICE_REQUEST: Keys = Keys::new(&[
    ("capabilities", TEXTS),
    ("count", Devices),
    ("device_ids", TEXTS),
    ("driver", Text),
    ("options", Labels),
]);
