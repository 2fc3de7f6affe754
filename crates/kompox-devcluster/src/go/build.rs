//! `go build` of an embedded module into the cache, once, whoever asks and however often.

use super::{
    Programs,
    module::{Module, parse_version},
};
use crate::progress::{Progress, Reporter};
use std::{
    collections::VecDeque,
    fs, io,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    time::Instant,
};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

/// Lines of the Go tool's output kept for an error.
const TAIL_LINES: usize = 20;
/// Where the unfinished programs lie inside the scratch directory.
const OUTPUT: &str = "programs";

/// Why the build did not produce a binary.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The cache cannot be written.
    #[error("failed to write to the cache {}", path.display())]
    Cache {
        /// The file or directory concerned.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// There is no `go` on the PATH.
    #[error(
        "failed to run go, which compiles programs of the development cluster once: install Go \
         {required} or later (https://go.dev/dl/) and have it on the PATH"
    )]
    GoMissing {
        /// The version go.mod asks for.
        required: String,
        /// What the system said.
        source: io::Error,
    },
    /// Go is older than the module needs and does not fetch a newer toolchain by itself.
    #[error(
        "failed to build with {found}: Go {required} or later is needed; install it from \
         https://go.dev/dl/ or unset GOTOOLCHAIN=local so that Go fetches it"
    )]
    GoTooOld {
        /// What `go version` printed.
        found: String,
        /// The version go.mod asks for.
        required: String,
    },
    /// `go build` failed.
    #[error("failed to compile (go build: {status}); its last lines:\n{tail}")]
    Compile {
        /// How it ended.
        status: ExitStatus,
        /// The end of its output.
        tail: String,
    },
}

/// The cached programs of `module`, in a folder of `cache`, which is this module's own.
pub(super) async fn ensure(module: &Module, cache: &Path, reporter: &Reporter) -> Result<Programs, Error> {
    let directory = cache.join(module.key());
    let cached = || directory.is_dir().then(|| Programs { directory: directory.clone(), fresh: false });
    if let Some(programs) = cached() {
        return Ok(programs);
    }
    create_directory(cache)?;
    let _lock = lock(&cache.join("build.lock"), reporter).await?;
    // Whoever held the lock before may have built them.
    if let Some(programs) = cached() {
        return Ok(programs);
    }
    let scratch = Scratch::new(module, cache)?;
    compile(module, &scratch.0, reporter).await?;
    // A rename is atomic: nobody ever sees half a build under the final name.
    fs::rename(scratch.0.join(OUTPUT), &directory)
        .map_err(|source| Error::Cache { path: directory.clone(), source })?;
    Ok(Programs { directory, fresh: true })
}

/// Held until dropped, also by a process that dies: the kernel releases it.
async fn lock(path: &Path, reporter: &Reporter) -> Result<fs::File, Error> {
    let failed = |source| Error::Cache { path: path.to_owned(), source };
    let file = fs::File::create(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => return Ok(file),
        Err(fs::TryLockError::Error(source)) => return Err(failed(source)),
        Err(fs::TryLockError::WouldBlock) => reporter.report(Progress::WaitingForBuild),
    }
    let waited = tokio::task::spawn_blocking(move || file.lock().map(|()| file)).await;
    waited.map_err(|join| failed(io::Error::other(join)))?.map_err(failed)
}

/// The sources and the unfinished programs; removed however the build ends.
struct Scratch(PathBuf);

impl Scratch {
    /// Only the holder of the lock makes one, so what an aborted build left can go.
    fn new(module: &Module, cache: &Path) -> Result<Self, Error> {
        let path = cache.join("building");
        let failed = |source| Error::Cache { path: path.clone(), source };
        if path.exists() {
            fs::remove_dir_all(&path).map_err(failed)?;
        }
        create_directory(&path.join(OUTPUT))?;
        module.unpack(&path).map_err(failed)?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn create_directory(path: &Path) -> Result<(), Error> {
    fs::create_dir_all(path).map_err(|source| Error::Cache { path: path.to_owned(), source })
}

async fn compile(module: &Module, directory: &Path, reporter: &Reporter) -> Result<(), Error> {
    let missing = |source| missing(module, source);
    check_go(module, directory).await?;
    let (name, version) = (module.name, module.version().to_owned());
    reporter.report(Progress::BuildStarted { module: name, version });
    let started = Instant::now();
    let mut child = go(directory)
        .args(["build", "-v", "-trimpath", "-buildvcs=false", "-mod=readonly"])
        .args(module.build_arguments(OUTPUT))
        .stderr(Stdio::piped())
        .spawn()
        .map_err(missing)?;
    let mut tail = VecDeque::new();
    if let Some(output) = child.stderr.take() {
        follow(BufReader::new(output), &mut tail, reporter).await;
    }
    let status = child.wait().await.map_err(missing)?;
    if !status.success() {
        return Err(Error::Compile { status, tail: tail.make_contiguous().join("\n") });
    }
    reporter.report(Progress::Built { took: started.elapsed() });
    Ok(())
}

/// Reports each line and keeps the last ones.
async fn follow(
    output: impl tokio::io::AsyncBufRead + Unpin,
    tail: &mut VecDeque<String>,
    reporter: &Reporter,
) {
    let mut lines = output.lines();
    let mut packages = 0;
    while let Ok(Some(line)) = lines.next_line().await {
        // `go build -v` prints a bare import path for each package it compiles.
        packages += usize::from(!line.contains(' ') && line.contains('/'));
        if tail.len() == TAIL_LINES {
            tail.pop_front();
        }
        tail.push_back(line.clone());
        reporter.report(Progress::Building { packages, line });
    }
}

/// Go since 1.21 fetches the toolchain that go.mod asks for, unless `GOTOOLCHAIN` forbids it; older
/// ones cannot read the file. Asked inside the module, `go version` shows what would really compile.
async fn check_go(module: &Module, directory: &Path) -> Result<(), Error> {
    let output = go(directory)
        .arg("version")
        .stderr(Stdio::piped())
        .stdout(Stdio::piped())
        .output()
        .await
        .map_err(|source| missing(module, source))?;
    let printed = if output.status.success() { &output.stdout } else { &output.stderr };
    let found = String::from_utf8_lossy(printed).trim().to_owned();
    let version = found.strip_prefix("go version go").and_then(parse_version);
    if output.status.success() && version >= module.go_version() {
        return Ok(());
    }
    Err(Error::GoTooOld { found, required: required(module) })
}

fn go(directory: &Path) -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(directory)
        // Pure Go: needs no C compiler and runs on any libc.
        .env("CGO_ENABLED", "0")
        // A workspace file or flags of the caller's other projects must not change what is built.
        .env("GOWORK", "off")
        .env_remove("GOFLAGS")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true);
    command
}

fn missing(module: &Module, source: io::Error) -> Error {
    Error::GoMissing { required: required(module), source }
}

fn required(module: &Module) -> String {
    module.go_version().map_or_else(String::new, |(major, minor)| format!("{major}.{minor}"))
}
