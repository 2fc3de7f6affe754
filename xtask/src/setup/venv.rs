//! The private Python environment of the cloud double, kept in the user's cache and named by what it holds.

use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;

use crate::shell;
use crate::workspace::Workspace;

/// Makes the environment for `tests/requirements.txt` unless it is there already.
///
/// # Errors
/// When the requirements cannot be read or installed, or the cache folder cannot be written.
pub(super) fn ensure(workspace: &Workspace) -> anyhow::Result<PathBuf> {
    let requirements = workspace.root.join("tests/requirements.txt");
    let content =
        fs::read(&requirements).with_context(|| format!("failed to read {}", requirements.display()))?;
    let python = shell::output(Command::new("python3").arg("--version"))?;
    let cache = cache_folder()?;
    fs::create_dir_all(&cache).with_context(|| format!("failed to create {}", cache.display()))?;
    let venv = cache.join(name(&content, &python));
    // Two checkouts may set up at once; the lock ends with this process, however it ends.
    let lock =
        File::create(venv.with_extension("lock")).context("failed to create the environment's lock file")?;
    lock.lock().context("failed to lock the Python environment")?;
    // Written last: an environment whose making was cut short is made again.
    let complete = venv.join("kompox-complete");
    if complete.exists() {
        eprintln!("    Python environment: {}", venv.display());
        return Ok(venv);
    }
    eprintln!(
        "    Python environment: installing the cloud double into {} (a minute or two)",
        venv.display()
    );
    make(&venv, &requirements)?;
    File::create(&complete).context("failed to mark the Python environment as complete")?;
    Ok(venv)
}

fn make(venv: &Path, requirements: &Path) -> anyhow::Result<()> {
    let mut create = Command::new("python3");
    shell::run(create.args(["-m", "venv", "--clear"]).arg(venv))?;
    let mut install = Command::new(venv.join("bin/python"));
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    shell::run(install.arg(requirements)).context(
        "failed to install tests/requirements.txt; it needs the Python package index that pip is set up for",
    )
}

/// Another list of requirements or another Python is another environment.
fn name(requirements: &[u8], python: &str) -> String {
    let mut hasher = DefaultHasher::new();
    requirements.hash(&mut hasher);
    python.trim().hash(&mut hasher);
    format!("venv-{:016x}", hasher.finish())
}

/// `$XDG_CACHE_HOME/kompox` or `~/.cache/kompox` (XDG Base Directory Specification).
fn cache_folder() -> anyhow::Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    base.or_else(|| std::env::home_dir().map(|home| home.join(".cache")))
        .map(|base| base.join("kompox"))
        .context("there is neither XDG_CACHE_HOME nor a home folder to keep the Python environment in")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_follows_requirements_and_python() {
        let first = name(b"moto==5", "Python 3.11.7\n");
        assert_eq!(first, name(b"moto==5", "Python 3.11.7"));
        assert_ne!(first, name(b"moto==6", "Python 3.11.7"));
        assert_ne!(first, name(b"moto==5", "Python 3.12.0"));
    }
}
