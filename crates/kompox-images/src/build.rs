//! All images into a folder, and only when an input has changed. The inputs are the packages' digests, the demo
//! service, and this program itself, which holds the recipes.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::debian::Freshness;
use crate::recipes::{RECIPES, Recipe, Sources, packages};
use crate::{Error, Pool, hex, sha256};

/// What is known of the images in a folder, beside them.
const INDEX: &str = "images.json";

/// What the images are made from and where they go.
#[derive(Clone, Debug)]
pub struct Options {
    /// The demo service: a static executable for Linux.
    pub demo: PathBuf,
    /// Folder of the archives.
    pub out: PathBuf,
    /// Folder of the packages.
    pub pool: PathBuf,
    /// Whether to look for newer packages than those in the pool.
    pub update: bool,
}

/// One image's archive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Built {
    /// The name that Compose files use.
    pub tag: String,
    /// The archive, within the folder.
    pub file: String,
    /// Its bytes.
    pub size: u64,
    /// SHA-256 of the archive, in lower-case hexadecimal.
    pub digest: String,
    /// The image's id: `sha256:` and the digest of its configuration.
    pub id: String,
}

/// What a build did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Digest of all inputs.
    key: String,
    /// The images, in the order of the recipes.
    pub images: Vec<Built>,
    /// True when nothing had changed since they were made.
    #[serde(skip)]
    pub reused: bool,
}

/// Makes every image, unless the folder holds those of the same inputs.
///
/// # Errors
/// When an input cannot be had, or a file cannot be written.
pub fn build(options: &Options) -> Result<Report, Error> {
    let inputs = Inputs::read(options)?;
    if let Some(report) = inputs.reusable(&options.out) {
        return Ok(report);
    }
    fs::create_dir_all(&options.out).map_err(Error::file("create", &options.out))?;
    let images: Vec<_> = RECIPES
        .iter()
        .map(|recipe| write(recipe, &inputs.sources(), &options.out))
        .collect::<Result<_, _>>()?;
    let report = Report { key: inputs.key.clone(), images, reused: false };
    let text = serde_json::to_vec_pretty(&report).unwrap_or_default();
    replace(&options.out.join(INDEX), |file| {
        file.write_all(&text).map_err(Error::file("write", options.out.join(INDEX)))
    })?;
    Ok(report)
}

/// Makes every image again, from the same inputs, and compares it with the archive in the folder.
///
/// # Errors
/// [`Error::NotReproducible`] for the first archive that differs, and as [`build`].
pub fn check(options: &Options) -> Result<Report, Error> {
    let report = build(options)?;
    let inputs = Inputs::read(options)?;
    for (recipe, built) in RECIPES.iter().zip(&report.images) {
        let path = options.out.join(&built.file);
        let found = sha256(&fs::read(&path).map_err(Error::file("read", &path))?);
        let mut sink = Weighed::new(std::io::sink());
        recipe.image(&inputs.sources())?.write(&mut sink)?;
        let (again, _) = sink.finish();
        if found != again {
            return Err(Error::NotReproducible { tag: built.tag.clone(), path, found, again });
        }
    }
    Ok(report)
}

/// Everything that an image's bytes depend on.
struct Inputs {
    pool: Pool,
    demo: Vec<u8>,
    key: String,
}

impl Inputs {
    fn read(options: &Options) -> Result<Self, Error> {
        let freshness = if options.update { Freshness::Newest } else { Freshness::AsFetched };
        let pool = Pool::open(&options.pool, &packages(), freshness)?;
        let demo = fs::read(&options.demo).map_err(Error::file("read", &options.demo))?;
        let this = std::env::current_exe().map_err(Error::file("find", "this program"))?;
        let recipes = fs::read(&this).map_err(Error::file("read", &this))?;
        let mut hash = Sha256::new();
        for input in [&demo, &recipes] {
            hash.update((input.len() as u64).to_le_bytes());
            hash.update(input);
        }
        for package in pool.packages().values() {
            hash.update(&package.sha256);
        }
        Ok(Self { pool, demo, key: hex(&hash.finalize()) })
    }

    fn sources(&self) -> Sources<'_> {
        Sources { pool: &self.pool, demo: &self.demo }
    }

    /// What is in the folder, if it was made from these inputs and is all there.
    fn reusable(&self, out: &Path) -> Option<Report> {
        let report: Report = serde_json::from_slice(&fs::read(out.join(INDEX)).ok()?).ok()?;
        let whole =
            |built: &Built| fs::metadata(out.join(&built.file)).is_ok_and(|data| data.len() == built.size);
        (report.key == self.key && report.images.iter().all(whole))
            .then_some(Report { reused: true, ..report })
    }
}

fn write(recipe: &Recipe, sources: &Sources<'_>, out: &Path) -> Result<Built, Error> {
    let file = format!("{}.tar", recipe.tag.replace(['/', ':'], "-"));
    let image = recipe.image(sources)?;
    let ((digest, size), id) = replace(&out.join(&file), |partial| {
        let mut archive = Weighed::new(BufWriter::new(partial));
        let id = image.write(&mut archive)?;
        Ok((archive.finish(), id))
    })?;
    Ok(Built { tag: recipe.tag.to_owned(), file, size, digest, id })
}

/// Writes a file beside `path` and puts it there when it is whole.
fn replace<T>(path: &Path, write: impl FnOnce(&mut File) -> Result<T, Error>) -> Result<T, Error> {
    let partial = path.with_extension("partial");
    let mut file = File::create(&partial).map_err(Error::file("create", &partial))?;
    let value = write(&mut file)?;
    fs::rename(&partial, path).map_err(Error::file("replace", path))?;
    Ok(value)
}

/// Passes bytes on, counts them and takes their digest.
struct Weighed<W> {
    inner: W,
    hash: Sha256,
    size: u64,
}

impl<W: Write> Weighed<W> {
    fn new(inner: W) -> Self {
        Self { inner, hash: Sha256::new(), size: 0 }
    }

    fn finish(self) -> (String, u64) {
        (hex(&self.hash.finalize()), self.size)
    }
}

impl<W: Write> Write for Weighed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
