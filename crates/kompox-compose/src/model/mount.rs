//! What a service mounts.

use crate::span::Span;

/// A named volume mounted into a service
/// (<https://github.com/compose-spec/compose-spec/blob/main/05-services.md#volumes>).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedVolume {
    /// The entry in the file.
    pub span: Span,
    /// Key of [`super::Project::volumes`].
    pub volume: String,
    /// Absolute path in the container, without a trailing slash; unique among the service's mounts.
    pub target: String,
    /// `read_only`, or the option `ro`.
    pub read_only: bool,
    /// `volume.nocopy`: an empty volume is not filled with what the image has at the target.
    pub nocopy: bool,
    /// `volume.subpath`: a relative path inside the volume, without `..`. The short form
    /// `name/sub/path:/target` gives it too.
    pub subpath: Option<String>,
}

/// A file system in memory, from `tmpfs` or from a volume of type `tmpfs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tmpfs {
    /// The entry in the file.
    pub span: Span,
    /// Absolute path in the container, without a trailing slash; unique among the service's mounts.
    pub target: String,
    /// Largest size in bytes; without it the node's memory is the limit.
    pub size: Option<u64>,
}
