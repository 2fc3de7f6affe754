//! The images as a user gets them, from Debian's packages in the user's cache. The first run on a machine
//! fetches the packages. Needs Debian 12's apt: elsewhere the tests say so and end, and `cargo xtask images` fails.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use kompox_images::{Options, RECIPES, build, check};

/// Any executable will do for what is tested here: the images hold its bytes.
const DEMO: &str = "/bin/sh";

fn pool() -> Result<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let cache = cache.or_else(|| Some(std::env::home_dir()?.join(".cache"))).context("no home folder")?;
    Ok(cache.join("kompox/images"))
}

fn options(out: &Path) -> Result<Options> {
    Ok(Options { demo: DEMO.into(), out: out.to_owned(), pool: pool()?, update: false })
}

/// Says loudly why nothing was tested.
///
/// # Panics
/// Where the tests with real containers, which take these images, may not be left out.
fn is_debian_12() -> bool {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let is = release.lines().any(|line| line == "VERSION_CODENAME=bookworm");
    if !is {
        let required = std::env::var_os("KOMPOX_REQUIRE_REAL_NODE").is_some_and(|value| value == "1");
        assert!(!required, "this is not Debian 12, and KOMPOX_REQUIRE_REAL_NODE is 1");
        eprintln!("NOT RUN: the images are made from the packages of Debian 12, and this is another system");
    }
    is
}

#[test]
fn images_are_the_same_bytes_every_time_and_are_made_once() -> Result<()> {
    if !is_debian_12() {
        return Ok(());
    }
    let (one, other) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let first = build(&options(one.path())?)?;
    assert!(!first.reused);
    assert_eq!(first.images.len(), RECIPES.len());

    let second = check(&options(other.path())?)?;
    assert_eq!(first.images, second.images, "another folder, the same bytes");
    assert!(build(&options(one.path())?)?.reused);

    let demo = one.path().join("other-demo");
    fs::write(&demo, "another program")?;
    let changed = build(&Options { demo, ..options(one.path())? })?;
    assert!(!changed.reused);
    for (before, after) in first.images.iter().zip(&changed.images) {
        let holds_demo = before.tag.starts_with("kompox/");
        assert_eq!(before.digest != after.digest, holds_demo, "{}", before.tag);
    }
    Ok(())
}

#[test]
fn a_changed_archive_is_found_by_the_check() -> Result<()> {
    if !is_debian_12() {
        return Ok(());
    }
    let out = tempfile::tempdir()?;
    let report = build(&options(out.path())?)?;
    let built = report.images.first().context("no image")?;
    let path = out.path().join(&built.file);
    let mut bytes = fs::read(&path)?;
    *bytes.last_mut().context("empty")? ^= 1;
    fs::write(&path, bytes)?;
    let error = check(&options(out.path())?).unwrap_err().to_string();
    assert!(error.starts_with(&format!("failed to reproduce {}", built.tag)), "{error}");
    Ok(())
}

#[test]
fn a_missing_demo_service_is_named() -> Result<()> {
    if !is_debian_12() {
        return Ok(());
    }
    let out = tempfile::tempdir()?;
    let error = build(&Options { demo: "/no/such/demo".into(), ..options(out.path())? }).unwrap_err();
    assert_eq!(error.to_string(), "failed to read /no/such/demo");
    Ok(())
}
