//! Drivers as artifacts, by the command line alone: pushed to a real registry, signed, carried, pulled. No operator.

use anyhow::{Context as _, Result, ensure};
use kompox_devcluster::Reporter;
use kompox_tests::{
    registry::{self, Options, Registry, USER},
    stage::Stage,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

/// Password of the keys that these tests make.
const PASSWORD: &str = "of the key";

/// Somebody at a command line, in a folder of their own, with credentials of their own.
struct User<'a> {
    stage: &'a Stage,
    home: tempfile::TempDir,
}

impl<'a> User<'a> {
    /// `registries`: entries of the file of registries.
    fn new(stage: &'a Stage, registries: &serde_json::Value) -> Result<Self> {
        let home = tempfile::tempdir()?;
        let user = Self { stage, home };
        fs::write(user.path("registries.yaml"), serde_json::json!({ "registries": registries }).to_string())?;
        Ok(user)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// As `docker login` would leave it.
    fn sign_in(&self, registry: &Registry, password: &str) -> Result<()> {
        let entry = serde_json::json!({ "username": USER.0, "password": password });
        let config = serde_json::json!({ "auths": { registry.host(): entry } });
        fs::write(self.path("config.json"), config.to_string()).context("failed to write the credentials")
    }

    /// Runs the command line, however it ends.
    async fn run(&self, arguments: &[&str]) -> Result<Output> {
        self.run_with(arguments, PASSWORD).await
    }

    async fn run_with(&self, arguments: &[&str], password: &str) -> Result<Output> {
        let mut command = tokio::process::Command::new(&self.stage.programs.cli);
        command
            .args(["driver"])
            .args(arguments)
            .current_dir(self.home.path())
            .env_clear()
            .env("DOCKER_CONFIG", self.home.path())
            .env("KOMPOX_REGISTRIES_CONFIG", self.path("registries.yaml"))
            .env("COSIGN_PASSWORD", password);
        Ok(command.output().await?)
    }

    /// What it printed as JSON.
    async fn told(&self, arguments: &[&str]) -> Result<serde_json::Value> {
        let output = self.run(&[arguments, &["-o", "json"]].concat()).await?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Ends with this exit code, and says all of `expected`; nothing is on standard output unless `data`.
    async fn refused(&self, arguments: &[&str], code: i32, expected: &[&str]) -> Result<()> {
        let output = self.run(arguments).await?;
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        ensure!(output.status.code() == Some(code), "{arguments:?}: {:?}: {said}", output.status);
        for text in expected {
            ensure!(said.contains(text), "{arguments:?} does not say `{text}`: {said}");
        }
        Ok(())
    }
}

fn text<'a>(value: &'a serde_json::Value, key: &str) -> Result<&'a str> {
    value.get(key).and_then(serde_json::Value::as_str).with_context(|| format!("{key} in {value}"))
}

fn plain(registry: &Registry) -> serde_json::Value {
    serde_json::json!({ "prefix": registry.host(), "plainHttp": true })
}

async fn program() -> Result<PathBuf> {
    registry::program(&Reporter::new(|progress| eprintln!("  {progress}"))).await
}

async fn start(program: &Path, password: bool) -> Result<Registry> {
    Registry::start(program, &Options { password, ..Options::default() }).await
}

/// The driver of the stage, as a path of text.
fn driver(stage: &Stage) -> Result<String> {
    Ok(stage.programs.drivers.join("eks.wasm").to_str().context("a path of text")?.to_owned())
}

pub(super) async fn pushed_signed_verified_and_pulled(stage: &Stage) -> Result<()> {
    let registry = start(&program().await?, true).await?;
    let user = User::new(stage, &serde_json::json!([plain(&registry)]))?;
    user.sign_in(&registry, USER.1)?;
    let (file, at) = (driver(stage)?, format!("oci://{}/acme/kompox-driver-eks:1.0.0", registry.host()));

    let pushed = user.told(&["push", &file, &at]).await?;
    let (digest, pinned) = (text(&pushed, "digest")?, text(&pushed, "reference")?);
    ensure!(pinned == format!("{at}@{digest}"), "{pinned}");
    ensure!(user.told(&["push", &file, &at]).await? == pushed, "the same component makes another artifact");
    let inspected = user.told(&["inspect", &at]).await?;
    ensure!(
        text(&inspected, "name")? == "eks" && text(&inspected, "manifestDigest")? == digest,
        "{inspected}"
    );
    ensure!(text(&inspected, "digest")? == text(&pushed, "component")?, "{inspected}");

    user.told(&["keygen"]).await?;
    user.told(&["keygen", "other"]).await?;
    user.refused(&["keygen"], 3, &["cosign.key: it is there already"]).await?;
    user.refused(&["verify", &at, "--key", "cosign.pub"], 3, &["FAILED  signature: Unsigned: "]).await?;
    let wrong = user.run_with(&["sign", &at, "--key", "cosign.key"], "wrong").await?;
    let said = String::from_utf8_lossy(&wrong.stderr);
    ensure!(wrong.status.code() == Some(3) && said.contains("the password is wrong"), "{said}");
    for form in ["bundle", "simple"] {
        let sign = ["sign", &at, "--key", "cosign.key", "--format", form];
        ensure!(text(&user.told(&sign).await?, "signature")? == "added", "{form}");
        ensure!(text(&user.told(&sign).await?, "signature")? == "was there", "{form}");
    }
    let verified = user.told(&["verify", &at, "--key", "cosign.pub"]).await?;
    let passed = |check: &serde_json::Value| check.get("passed") == Some(&true.into());
    let checks = verified.get("checks").and_then(serde_json::Value::as_array).context("checks")?;
    ensure!(checks.len() == 7 && checks.iter().all(passed), "{verified}");
    user.refused(&["verify", &at, "--key", "other.pub"], 3, &["signature: SignedByAnother: "]).await?;
    user.refused(&["verify", &at, "--key", "cosign.key"], 3, &["cosign.key: ", "cosign.pub"]).await?;

    user.refused(&["pull", &at, "--key", "other.pub"], 3, &["was not made by the key"]).await?;
    ensure!(!user.path("eks.wasm").exists(), "what is not signed was written");
    let pulled = user.told(&["pull", pinned, "--key", "cosign.pub"]).await?;
    ensure!(text(&pulled, "file")? == "eks.wasm", "{pulled}");
    ensure!(fs::read(user.path("eks.wasm"))? == fs::read(&file)?, "other bytes came back");
    Ok(())
}

pub(super) async fn saved_and_loaded_with_their_signatures(stage: &Stage) -> Result<()> {
    let program = program().await?;
    let (outside, inside) = (start(&program, false).await?, start(&program, false).await?);
    let user = User::new(stage, &serde_json::json!([plain(&outside), plain(&inside)]))?;
    let file = driver(stage)?;
    let at = |registry: &Registry| format!("oci://{}/acme/eks:1", registry.host());
    let (from, to) = (at(&outside), at(&inside));
    let pushed = user.told(&["push", &file, &from]).await?;
    user.told(&["keygen"]).await?;
    user.told(&["sign", &from, "--key", "cosign.key"]).await?;
    user.told(&["sign", &from, "--key", "cosign.key", "--format", "simple"]).await?;

    let saved = user.told(&["save", &from, "eks.tar"]).await?;
    ensure!(
        saved.get("signatures") == Some(&2.into()) && saved.get("digest") == pushed.get("digest"),
        "{saved}"
    );
    user.told(&["save", &from, "again.tar"]).await?;
    ensure!(fs::read(user.path("eks.tar"))? == fs::read(user.path("again.tar"))?, "not the same bytes");
    user.told(&["save", &from, "eks"]).await?;
    user.refused(&["save", &from, "eks"], 3, &["eks: the directory is not empty"]).await?;

    let before = inside.requests();
    fs::write(user.path("broken.tar"), b"no archive")?;
    user.refused(&["load", "broken.tar", &to], 3, &["broken.tar"]).await?;
    ensure!(inside.requests() == before, "the registry was asked");
    for path in ["eks.tar", "eks"] {
        let loaded = user.told(&["load", path, &to]).await?;
        ensure!(
            loaded.get("digest") == pushed.get("digest") && loaded.get("signatures") == Some(&2.into()),
            "{path}: {loaded}"
        );
    }
    let verified = user.told(&["verify", &to, "--key", "cosign.pub"]).await?;
    ensure!(verified.get("accepted") == Some(&true.into()), "{verified}");

    // As the name of the outside, which is gone, by the mirror inside: also the signature that names it.
    let entries = serde_json::json!([
        { "prefix": outside.host(), "plainHttp": true, "mirrors": [inside.host()] }, plain(&inside),
    ]);
    outside.stop().await?;
    let other = User::new(stage, &entries)?;
    fs::copy(user.path("cosign.pub"), other.path("cosign.pub"))?;
    let pulled = other.told(&["pull", &from, "--key", "cosign.pub", "--file", "eks.wasm"]).await?;
    ensure!(pulled.get("digest") == pushed.get("digest"), "{pulled}");
    ensure!(fs::read(other.path("eks.wasm"))? == fs::read(&file)?, "other bytes came back");
    Ok(())
}

pub(super) async fn what_a_registry_refuses_says_what_to_do(stage: &Stage) -> Result<()> {
    let registry = start(&program().await?, true).await?;
    let host = registry.host();
    let (file, at) = (driver(stage)?, format!("oci://{host}/acme/eks:1"));
    let user = User::new(stage, &serde_json::json!([plain(&registry)]))?;
    let sign_in = format!("sign in with `docker login {host}`");
    user.refused(&["push", &file, &at], 1, &[&format!("failed to push {host}/acme/eks:1"), &sign_in]).await?;
    user.refused(&["pull", &at], 1, &["failed to resolve", "(401)", &sign_in]).await?;
    user.sign_in(&registry, "wrong")?;
    user.refused(&["push", &file, &at], 1, &["does not accept the credentials", "sign in again"]).await?;
    user.sign_in(&registry, USER.1)?;
    user.refused(&["pull", &at], 1, &["(404)", "correct the reference"]).await?;

    // What the operator would refuse is not pushed.
    let before = registry.requests();
    fs::write(user.path("module.wasm"), b"\0asm\x01\0\0\0")?;
    user.refused(&["push", "module.wasm", &at], 3, &["FAILED  component", "wasm32-wasip2"]).await?;
    let pin = format!("{at}@sha256:{}", "0".repeat(64));
    user.refused(&["push", &file, &pin], 3, &["push it to a tag"]).await?;
    ensure!(registry.requests() == before, "the registry was asked");
    user.refused(&["push", &file, &format!("{host}/acme/eks:1")], 2, &["must begin with oci://"]).await?;
    user.refused(&["verify", &file, "--key", "cosign.pub"], 3, &["--key: it goes with oci://"]).await?;

    let stranger = User::new(stage, &serde_json::json!([]))?;
    stranger.refused(&["pull", &at], 1, &["plain HTTP", "`plainHttp: true`", "--registries-config"]).await?;
    registry.stop().await?;
    user.refused(&["pull", &at], 1, &["connection refused", "HTTPS_PROXY"]).await
}
