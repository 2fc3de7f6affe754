//! What a service mounts (<https://github.com/compose-spec/compose-spec/blob/main/05-services.md#volumes>).

use crate::span::{Span, Spanned};

/// A file system at a path: an entry of `volumes`, or of `tmpfs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The entry in the file.
    pub span: Span,
    /// Place in the model, such as `services.web.volumes[0]`.
    pub path: String,
    /// Absolute path in the container, without a trailing slash; unique among the service's mounts.
    pub target: String,
    /// `read_only`, or the option `ro`.
    pub read_only: bool,
    /// What is mounted.
    pub source: MountSource,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountSource {
    /// A volume that the file declares, or an anonymous one.
    Volume(VolumeMount),
    /// A path of the host.
    Bind(BindMount),
    /// Memory.
    Tmpfs(TmpfsMount),
    /// The file system of an image.
    Image(ImageMount),
    /// A type without a counterpart in a cluster: `npipe`, `cluster`.
    Other(Spanned<String>),
}

/// A named or anonymous volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumeMount {
    /// Key of [`super::Project::volumes`]; absent: an anonymous volume.
    pub name: Option<String>,
    /// `volume.nocopy`: an empty volume is not filled with what the image has at the target.
    pub nocopy: bool,
    /// `volume.subpath`: a relative path inside the volume, without `..`. The short form
    /// `name/sub/path:/target` gives it too, where no bind can be meant and `name` is a declared volume.
    pub subpath: Option<String>,
}

/// A path of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BindMount {
    /// The path as written: absolute, or beginning with `.` or `~`.
    pub path: Spanned<String>,
    /// `bind.propagation`.
    pub propagation: Option<Spanned<String>>,
    /// `bind.recursive`.
    pub recursive: Option<Spanned<String>>,
    /// `bind.create_host_path`; absent: the form's default.
    pub create_host_path: Option<Spanned<bool>>,
}

/// A file system in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TmpfsMount {
    /// Largest size in bytes; without it the node's memory is the limit.
    pub size: Option<u64>,
    /// `tmpfs.mode`: permission bits.
    pub mode: Option<Spanned<u32>>,
    /// Options of the key `tmpfs` other than `size` and `mode`, as written, such as `noexec`.
    pub options: Vec<Spanned<String>>,
}

/// The file system of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageMount {
    /// Image reference as written.
    pub reference: Spanned<String>,
    /// `image.subpath`.
    pub subpath: Option<Spanned<String>>,
}

/// An entry of `volumes_from`: the mounts of another service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VolumesFrom {
    /// The entry in the file.
    pub span: Span,
    /// Name of the other service.
    pub service: String,
    /// `:ro`: all of them read-only.
    pub read_only: bool,
}
