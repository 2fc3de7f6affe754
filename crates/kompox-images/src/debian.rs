//! Packages of Debian in the user's cache: named by apt, fetched by apt, checked against the digests that apt
//! verified. Once fetched they are used as they are, without the network, until an update is asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::{Error, Tree, sha256};

/// What the pool knows, beside the packages.
const INDEX: &str = "packages.json";

/// Nothing of these is needed to run a program.
const DROPPED: [&str; 12] = [
    "etc/init.d/",
    "etc/logrotate.d/",
    "usr/include/",
    "usr/lib/systemd/",
    "usr/share/bug/",
    "usr/share/doc/",
    "usr/share/doc-base/",
    "usr/share/info/",
    "usr/share/lintian/",
    "usr/share/locale/",
    "usr/share/man/",
    "usr/share/postgresql-common/",
];

/// One package file, as apt describes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name in the pool; it holds the version.
    pub file: String,
    /// Bytes.
    pub size: u64,
    /// Lower-case hexadecimal.
    pub sha256: String,
}

/// The packages that were asked for, by name.
#[derive(Clone, Debug)]
pub struct Pool {
    directory: PathBuf,
    packages: BTreeMap<String, Package>,
}

/// Whether packages that are in the pool may be replaced by newer ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// What was fetched once stays.
    AsFetched,
    /// Ask apt for the newest it knows.
    Newest,
}

impl Pool {
    /// Opens the pool in `directory` and fetches what is not there.
    ///
    /// # Errors
    /// When apt does not know a package, cannot fetch it, or the folder cannot be written.
    pub fn open(directory: &Path, names: &BTreeSet<&str>, freshness: Freshness) -> Result<Self, Error> {
        fs::create_dir_all(directory).map_err(Error::file("create", directory))?;
        // Two checkouts may fetch at once; the lock ends with this process, however it ends.
        let lock = directory.join("lock");
        let lock_file = File::create(&lock).map_err(Error::file("create", &lock))?;
        lock_file.lock().map_err(Error::file("lock", &lock))?;
        let index = directory.join(INDEX);
        let mut packages = read_index(&index)?;
        let wanted: Vec<_> = names
            .iter()
            .filter(|name| freshness == Freshness::Newest || !is_present(directory, packages.get(**name)))
            .copied()
            .collect();
        if !wanted.is_empty() {
            packages.extend(fetch(directory, &wanted)?);
            let text = serde_json::to_vec_pretty(&packages).unwrap_or_default();
            let partial = index.with_extension("partial");
            fs::write(&partial, text).map_err(Error::file("write", &partial))?;
            fs::rename(&partial, &index).map_err(Error::file("replace", &index))?;
        }
        packages.retain(|name, _| names.contains(name.as_str()));
        Ok(Self { directory: directory.to_owned(), packages })
    }

    /// The packages by name; their digests are the inputs of every image.
    #[must_use]
    pub fn packages(&self) -> &BTreeMap<String, Package> {
        &self.packages
    }

    /// Adds the files of a package to a tree, without documentation, and without what `keep` refuses.
    /// No script of the package runs.
    ///
    /// # Errors
    /// When the package is not in the pool, or its file is not the one that was fetched.
    pub fn unpack(&self, name: &str, tree: &mut Tree, keep: impl Fn(&str) -> bool) -> Result<(), Error> {
        let missing =
            || Error::Package { name: name.to_owned(), reason: "the recipe does not list it".into() };
        let package = self.packages.get(name).ok_or_else(missing)?;
        let path = self.directory.join(&package.file);
        let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
        if sha256(&bytes) != package.sha256 {
            return Err(Error::Cache { path, reason: "its SHA-256 is not the one that apt verified".into() });
        }
        let mut command = Command::new("dpkg-deb");
        command.arg("--fsys-tarfile").arg(&path);
        let tar = run("dpkg-deb", &mut command, "the file may be damaged: remove it and run again")?;
        let dropped = |path: &str| DROPPED.iter().any(|start| path.starts_with(start));
        tree.unpack(tar.as_slice(), |path| !dropped(path) && keep(path))
    }
}

fn read_index(path: &Path) -> Result<BTreeMap<String, Package>, Error> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes)
            .map_err(|error| Error::Cache { path: path.to_owned(), reason: error.to_string() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(source) => Err(Error::file("read", path)(source)),
    }
}

fn is_present(directory: &Path, package: Option<&Package>) -> bool {
    package.is_some_and(|package| {
        fs::metadata(directory.join(&package.file)).is_ok_and(|data| data.len() == package.size)
    })
}

/// Names the packages and fetches them. `apt-get download` needs no root, verifies signatures and digests,
/// and skips what is there.
fn fetch(directory: &Path, names: &[&str]) -> Result<BTreeMap<String, Package>, Error> {
    const REMEDY: &str =
        "the images are made from the packages of Debian 12; `apt-get update` brings the lists";
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command
            .current_dir(directory)
            .env("LC_ALL", "C")
            .args(["-q", "download"])
            .args(arguments)
            .args(names);
        run("apt-get", &mut command, REMEDY)
    };
    let listing = String::from_utf8_lossy(&apt(&["--print-uris"])?).into_owned();
    let packages = parse_uris(&listing);
    if let Some(name) = names.iter().find(|name| !packages.contains_key(**name)) {
        let reason = format!("apt names no file with a SHA-256 for it; {REMEDY}");
        return Err(Error::Package { name: (*name).to_owned(), reason });
    }
    apt(&[])?;
    Ok(packages)
}

/// Lines of `apt-get download --print-uris`: `'address' name_version_arch.deb size SHA256:digest`.
fn parse_uris(listing: &str) -> BTreeMap<String, Package> {
    let parse = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (file, size, digest) = (words.next()?, words.next()?.parse().ok()?, words.next()?);
        let name = file.split('_').next()?;
        let sha256 = digest.strip_prefix("SHA256:")?.to_owned();
        (!file.contains('/')).then(|| (name.to_owned(), Package { file: file.to_owned(), size, sha256 }))
    };
    listing.lines().filter_map(parse).collect()
}

/// Runs to the end; gives what it wrote to standard output.
fn run(program: &'static str, command: &mut Command, remedy: &'static str) -> Result<Vec<u8>, Error> {
    let output = command.output().map_err(|source| Error::Start { program, source })?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let words = command.get_args().map(|word| word.to_string_lossy().into_owned());
    Err(Error::Refused {
        command: std::iter::once(program.to_owned()).chain(words).collect::<Vec<_>>().join(" "),
        status: output.status,
        stderr: String::from_utf8_lossy(&output.stderr).trim().chars().take(2000).collect(),
        remedy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn apts_lines_are_read_and_others_passed_over() {
        let listing = "WARNING: nothing\n'http://h/p/libc6_2.36-9%2bdeb12u14_amd64.deb' libc6_2.36-9+deb12u14_amd64.deb 2759320 SHA256:ba4f\n'http://h/x' ../x_1 5 SHA256:00\n'http://h/y' y_1 5 MD5Sum:00\n";
        let package = Package {
            file: "libc6_2.36-9+deb12u14_amd64.deb".into(),
            size: 2_759_320,
            sha256: "ba4f".into(),
        };
        assert_eq!(parse_uris(listing), [("libc6".to_owned(), package)].into());
    }

    #[test]
    fn a_program_that_refuses_is_quoted() {
        let mut command = Command::new("sh");
        let error =
            run("sh", command.args(["-c", "echo no such package >&2; exit 100"]), "try again").unwrap_err();
        let text = error.to_string();
        assert!(text.ends_with("exit status: 100: no such package\ntry again"), "{text}");
    }

    #[test]
    fn an_index_that_is_not_ours_is_named() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join(INDEX), "[]").unwrap();
        let error = Pool::open(directory.path(), &BTreeSet::new(), Freshness::AsFetched).unwrap_err();
        assert!(error.to_string().contains("packages.json"), "{error}");
    }
}
