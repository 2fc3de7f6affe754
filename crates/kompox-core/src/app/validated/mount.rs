//! What a container mounts, and what is made or read for it.

use crate::app::facts::Carrier;
use crate::app::secret_text::SecretText;

/// A file system or file at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Absolute path in the container.
    pub target: String,
    /// Whether it is read-only.
    pub read_only: bool,
    /// Whether a directory that is empty is filled with what the image has at the path, as Docker does.
    pub copy_up: bool,
    /// What is mounted.
    pub source: MountSource,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MountSource {
    /// A directory of a disk.
    Disk {
        /// Name of the KompoxDisk.
        disk: String,
        /// Directory; never the disk's root, where `lost+found` lies.
        sub_path: String,
    },
    /// A directory of an existing claim that the app does not own.
    Claim {
        /// Name of the claim.
        claim: String,
        /// Directory; absent: the root.
        sub_path: Option<String>,
    },
    /// Memory.
    Tmpfs {
        /// Bytes; absent: the node's or the container's limit.
        size: Option<u64>,
    },
    /// A directory of the node that lives and ends with the pod.
    Scratch,
    /// A directory of an NFS server.
    Nfs {
        /// Host name or address.
        server: String,
        /// Absolute path on the server.
        path: String,
        /// Directory below it.
        sub_path: Option<String>,
    },
    /// The file system of an image.
    Image {
        /// Image reference.
        reference: String,
        /// Directory in it; absent: the root.
        sub_path: Option<String>,
    },
    /// One key of a ConfigMap or Secret, as a file.
    File {
        /// The key.
        source: FileSource,
        /// Permission bits.
        mode: i32,
    },
    /// Keys of ConfigMaps and Secrets, as a directory: relative path and key, sorted by path.
    Files(Vec<(String, FileSource)>),
}

/// One key of a ConfigMap or Secret. It existed when the app was validated: a mount of a missing key would
/// give an empty directory without an error.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileSource {
    /// Which kind of object.
    pub carrier: Carrier,
    /// Its name.
    pub object: String,
    /// The key.
    pub key: String,
}

/// A Secret that is made for a config or secret whose content the Compose file gives. Its name carries a
/// hash of the content: it never changes.
#[derive(Clone, Debug)]
pub struct GeneratedFile {
    /// Name of the Secret.
    pub object: String,
    /// Its only key.
    pub key: String,
    /// The content.
    pub content: SecretText,
}
