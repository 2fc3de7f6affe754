//! The content of an image's one layer, in memory: what lies where, whose it is, and how it becomes a tar
//! archive that is the same every time.

use std::collections::BTreeMap;
use std::io::Read;

use tar::{Archive, Builder, EntryType, Header};

use crate::Error;

/// Top-level directories that Debian 12 has as links into /usr, while its packages still name them plainly.
const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// User and group of an entry, by number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// User.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl Owner {
    /// root:root.
    pub const ROOT: Self = Self { uid: 0, gid: 0 };

    /// A user whose group has the same number.
    #[must_use]
    pub const fn same(id: u32) -> Self {
        Self { uid: id, gid: id }
    }
}

#[derive(Clone, Debug)]
enum Content {
    Directory,
    File(Vec<u8>),
    Symlink(String),
}

#[derive(Clone, Debug)]
struct Entry {
    content: Content,
    /// Permission bits, with setuid, setgid and sticky.
    mode: u32,
    owner: Owner,
}

/// Files, directories and symbolic links by path. Paths have no leading slash.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Sorted, so a directory comes before what is in it.
    entries: BTreeMap<String, Entry>,
}

impl Tree {
    /// An empty tree with Debian's links `/bin` → `usr/bin` and so on.
    #[must_use]
    pub fn merged_usr() -> Self {
        let mut tree = Self::default();
        for name in MERGED {
            tree.directory(&format!("usr/{name}"), 0o755, Owner::ROOT);
            tree.link(name, &format!("usr/{name}"));
        }
        tree.directory("tmp", 0o1777, Owner::ROOT);
        tree.directory("run", 0o755, Owner::ROOT);
        tree
    }

    /// Puts a directory; one that is there gets the mode and owner.
    pub fn directory(&mut self, path: &str, mode: u32, owner: Owner) {
        self.insert(path, Entry { content: Content::Directory, mode, owner });
    }

    /// Puts a file of root's, over one that is there.
    pub fn file(&mut self, path: &str, content: impl Into<Vec<u8>>, mode: u32) {
        self.owned_file(path, content, mode, Owner::ROOT);
    }

    /// Puts a file, over one that is there.
    pub fn owned_file(&mut self, path: &str, content: impl Into<Vec<u8>>, mode: u32, owner: Owner) {
        self.insert(path, Entry { content: Content::File(content.into()), mode, owner });
    }

    /// Puts a symbolic link, over one that is there.
    pub fn link(&mut self, path: &str, target: &str) {
        let content = Content::Symlink(target.to_owned());
        self.insert(path, Entry { content, mode: 0o777, owner: Owner::ROOT });
    }

    /// True when something lies at the path itself.
    #[must_use]
    pub fn contains(&self, path: &str) -> bool {
        self.entries.contains_key(path)
    }

    /// Adds the entries of a package's archive for which `keep` says yes, with their modes and owners.
    ///
    /// # Errors
    /// When the archive cannot be read, or holds something else than files, directories and links.
    pub fn unpack(&mut self, archive: impl Read, keep: impl Fn(&str) -> bool) -> Result<(), Error> {
        let failed = |source| Error::Tar { action: "read", source };
        for entry in Archive::new(archive).entries().map_err(failed)? {
            let mut entry = entry.map_err(failed)?;
            let path = normal(&String::from_utf8_lossy(&entry.path_bytes()))?;
            if path.is_empty() || MERGED.iter().any(|name| path == format!("usr/{name}")) || !keep(&path) {
                continue;
            }
            let content = self.content(&path, &mut entry)?;
            let header = entry.header();
            let id = |value: std::io::Result<u64>| -> Result<u32, Error> {
                let refused =
                    || Error::Entry { path: path.clone(), reason: "its owner is out of range".into() };
                value.map_err(failed)?.try_into().map_err(|_| refused())
            };
            let owner = Owner { uid: id(header.uid())?, gid: id(header.gid())? };
            let mode = header.mode().map_err(failed)? & 0o7777;
            self.insert(&path, Entry { content, mode, owner });
        }
        Ok(())
    }

    fn content(&self, path: &str, entry: &mut tar::Entry<'_, impl Read>) -> Result<Content, Error> {
        let refused = |reason: String| Error::Entry { path: path.to_owned(), reason };
        let target = entry.link_name_bytes().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        match (entry.header().entry_type(), target) {
            (EntryType::Directory, _) => Ok(Content::Directory),
            (EntryType::Regular, _) => {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(|source| Error::Tar { action: "read", source })?;
                Ok(Content::File(bytes))
            }
            (EntryType::Symlink, Some(target)) => Ok(Content::Symlink(target)),
            // A copy: a hard link to a file that was left out, or changed later, would be another file.
            (EntryType::Link, Some(target)) => match self.entries.get(&normal(&target)?) {
                Some(original) => Ok(original.content.clone()),
                None => Err(refused(format!("it is a hard link to {target}, which is not there"))),
            },
            (kind, _) => Err(refused(format!("entries of the kind {kind:?} are not supported"))),
        }
    }

    fn insert(&mut self, path: &str, entry: Entry) {
        for (end, _) in path.match_indices('/') {
            let parent = path.get(..end).unwrap_or_default();
            self.entries.entry(parent.to_owned()).or_insert_with(|| Entry {
                content: Content::Directory,
                mode: 0o755,
                owner: Owner::ROOT,
            });
        }
        self.entries.insert(path.to_owned(), entry);
    }

    /// The tree as a tar archive: sorted, times zero, owners by number only.
    ///
    /// # Errors
    /// When a path or target is longer than the format allows.
    pub fn to_tar(&self) -> Result<Vec<u8>, Error> {
        let mut builder = Builder::new(Vec::new());
        for (path, entry) in &self.entries {
            append(&mut builder, path, entry).map_err(|source| Error::Tar { action: "write", source })?;
        }
        builder.into_inner().map_err(|source| Error::Tar { action: "write", source })
    }
}

fn append(builder: &mut Builder<Vec<u8>>, path: &str, entry: &Entry) -> std::io::Result<()> {
    let (kind, bytes): (_, &[u8]) = match &entry.content {
        Content::Directory => (EntryType::Directory, &[]),
        Content::File(bytes) => (EntryType::Regular, bytes),
        Content::Symlink(_) => (EntryType::Symlink, &[]),
    };
    let mut header = header(kind, entry.mode, entry.owner);
    header.set_size(bytes.len() as u64);
    match &entry.content {
        Content::Symlink(target) => builder.append_link(&mut header, path, target),
        Content::Directory => builder.append_data(&mut header, format!("{path}/"), bytes),
        Content::File(_) => builder.append_data(&mut header, path, bytes),
    }
}

/// A header without anything that differs from one build to the next.
pub(crate) fn header(kind: EntryType, mode: u32, owner: Owner) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(owner.uid.into());
    header.set_gid(owner.gid.into());
    header.set_mtime(0);
    header
}

/// The path without leading `./` or `/`, below /usr where Debian has merged it.
fn normal(path: &str) -> Result<String, Error> {
    let parts: Vec<_> = path.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    if parts.contains(&"..") {
        return Err(Error::Entry { path: path.to_owned(), reason: "it leads out of the image".into() });
    }
    let path = parts.join("/");
    let merged = parts.first().is_some_and(|first| MERGED.contains(first));
    Ok(if merged { format!("usr/{path}") } else { path })
}

#[cfg(test)]
mod tests;
