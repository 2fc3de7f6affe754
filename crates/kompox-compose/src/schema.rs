//! What the Compose Specification allows where: every key with the type of its value. No code reads files here.
//!
//! Written from the JSON schema of <https://github.com/compose-spec/compose-spec>. One type says three things
//! about a value: the forms it may be written in, its canonical form, and when it is left out of a printed
//! model.

mod build;
mod deploy;
mod root;
mod service;
mod shared;

pub(crate) use root::ROOT;
pub(crate) use service::{CONTAINER, PORT};
pub(crate) use shared::DEVICE_REQUEST;

/// The type of a value.
#[derive(Debug)]
pub(crate) enum Type {
    /// Anything at all, kept as it is.
    Any,
    /// A string.
    Text,
    /// A string, number or boolean, kept as a string.
    Printed,
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A boolean; false is the same as nothing.
    Flag,
    /// A boolean whose absence means neither.
    Tristate,
    /// A boolean that is true when absent.
    OptOut,
    /// A boolean that is always printed.
    Shown,
    /// A whole number; zero is the same as nothing.
    Whole,
    /// A whole number that may be zero.
    Counted,
    /// A number.
    Float,
    /// A size in bytes, kept as a string of digits.
    Bytes,
    /// A duration; zero is the same as nothing.
    Delay,
    /// A duration that may be zero.
    Duration,
    /// The bits of a file's permissions.
    Mode,
    /// A number of devices, or `all`: -1.
    Devices,
    /// `KEY=VALUE` strings or a mapping; a key without a value has the empty string.
    Labels,
    /// The same; a key without a value has null.
    Environment,
    /// A mapping of scalars, kept as strings.
    Options,
    /// A mapping of scalars or lists of them.
    MultiOptions,
    /// Host names and their addresses, kept as a sorted list of `HOST=ADDRESS`.
    Hosts,
    /// A command: words, or a string to split.
    Command,
    /// The test of a health check.
    Test,
    /// A list of strings; one string stands for a list of one.
    Texts,
    /// A mapping with known keys.
    Object(&'static Keys),
    /// A mapping with known keys that is printed even when it is absent.
    Struct(&'static Keys),
    /// A mapping with known keys, or null.
    Nullable(&'static Keys),
    /// A mapping with known keys, or a string in their place.
    Long(&'static Keys, Short),
    /// A list.
    List(&'static Type, Unique),
    /// A list of ports.
    Ports,
    /// A mapping from names.
    Named(&'static Type),
    /// A mapping from names, or a list of names.
    Listed(&'static Type, Short),
    /// `all`, or a list of device requests.
    Gpus,
    /// A boolean, or a mapping with the obsolete key `name`.
    External,
    /// A limit for both, or soft and hard limits.
    Ulimit,
}

/// How a short form becomes long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Short {
    /// `[SOURCE:]TARGET[:OPTIONS]`.
    Volume,
    /// `SOURCE[:TARGET[:PERMISSIONS]]`.
    Device,
    /// The string is the value of this key.
    Key(&'static str),
    /// A name with null.
    Null,
    /// A name with the defaults of a dependency.
    Dependency,
}

/// Which items of a list are the same thing; the last one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unique {
    /// Every item counts.
    No,
    /// Items must differ.
    Required,
    /// Equal items are one.
    Equal,
    /// By what comes before `=`.
    Name,
    /// By the target.
    Target,
    /// By the target, which is below this directory when it is absent.
    Below(&'static str),
    /// By the path.
    Path,
    /// By the subnet; a later list replaces an earlier one, and is completed from it.
    Subnet,
}

/// The keys of a mapping.
#[derive(Debug)]
pub(crate) struct Keys {
    /// Known keys.
    pub(crate) keys: &'static [(&'static str, Type)],
    /// Keys of a second group that the mapping has as well.
    pub(crate) more: &'static [&'static Keys],
    /// Keys that must be there.
    pub(crate) required: &'static [&'static str],
    /// Whether keys that begin with `x-` are allowed.
    pub(crate) open: bool,
}

impl Keys {
    const fn new(keys: &'static [(&'static str, Type)]) -> Self {
        Self { keys, more: &[], required: &[], open: true }
    }

    const fn requires(mut self, required: &'static [&'static str]) -> Self {
        self.required = required;
        self
    }

    const fn with(mut self, more: &'static [&'static Keys]) -> Self {
        self.more = more;
        self
    }

    const fn closed(mut self) -> Self {
        self.open = false;
        self
    }

    /// All known keys.
    pub(crate) fn all(&'static self) -> Vec<&'static (&'static str, Type)> {
        let more = self.more.iter().flat_map(|keys| keys.keys);
        self.keys.iter().chain(more).collect()
    }

    /// The type of a key's value.
    pub(crate) fn get(&'static self, key: &str) -> Option<&'static Type> {
        let mut groups = std::iter::once(self).chain(self.more.iter().copied());
        groups.find_map(|keys| keys.keys.iter().find(|(known, _)| *known == key)).map(|(_, ty)| ty)
    }
}
