//! csi-sanity, the conformance test of the Kubernetes project for CSI drivers, against both kinds of volumes.

use crate::support::{Setup, can_mount};
use anyhow::{Context as _, Result, ensure};
use kompox_devcluster::{Reporter, go};
use std::path::Path;
use tokio::process::Command;

const MIB: u64 = 1 << 20;

#[tokio::test(flavor = "multi_thread")]
async fn csi_sanity_passes_with_images() -> Result<()> {
    passes("image").await
}

#[tokio::test(flavor = "multi_thread")]
async fn csi_sanity_passes_with_directories() -> Result<()> {
    passes("directory").await
}

async fn passes(backing: &str) -> Result<()> {
    if !can_mount(&format!("csi-sanity with the backing {backing}"))? {
        return Ok(());
    }
    let programs = go::SANITY.programs(&Reporter::new(|step| println!("  {step}"))).await?;
    let setup = Setup::start().await?;
    let parameters = setup.path("parameters.yaml");
    std::fs::write(&parameters, format!("backing: {backing}\n"))?;
    let output = sanity(&programs.directory.join("csi-sanity"), &setup, &parameters).await?;

    let text = String::from_utf8_lossy(&output.stdout);
    let summary = text.lines().rev().find(|line| line.contains(" Passed")).context("no summary")?;
    println!("csi-sanity, {backing}: {summary}");
    ensure!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    ensure!(summary.contains("0 Failed"), "{summary}");
    setup.nothing_is_left().await?;
    let volumes = setup.client.volumes(&Default::default()).await?;
    ensure!(volumes.items.is_empty(), "{:?}", volumes.items);
    Ok(())
}

async fn sanity(program: &Path, setup: &Setup, parameters: &Path) -> Result<std::process::Output> {
    let flag = |name: &str, value: &Path| format!("--csi.{name}={}", value.display());
    let output = Command::new(program)
        .arg(format!("--csi.endpoint=unix://{}", setup.socket().display()))
        .arg(flag("mountdir", &setup.path("mount")))
        .arg(flag("stagingdir", &setup.path("staging")))
        .arg(flag("testvolumeparameters", parameters))
        .arg(format!("--csi.testvolumesize={}", 32 * MIB))
        .arg(format!("--csi.testvolumeexpandsize={}", 64 * MIB))
        .arg("--ginkgo.no-color")
        .current_dir(setup.path(""))
        .kill_on_drop(true)
        .output()
        .await?;
    Ok(output)
}
