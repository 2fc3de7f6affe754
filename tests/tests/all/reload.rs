//! Drivers that change while the operator runs, with the real component: from a ConfigMap, and as a file among the
//! built-in ones.

use super::drivers::{driver, open, put, says};
use anyhow::{Context as _, Result, ensure};
use kompox_crds::v1alpha1::KompoxDriver;
use kompox_tests::{
    objects,
    scene::{PATIENCE, Scene},
    stage::Stage,
};
use kube::{
    Api,
    api::{DeleteParams, ListParams},
};
use std::{
    path::Path,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

/// Versions that take each other's place; the text must be as long as that in the driver's descriptor.
const VERSIONS: [&str; 4] = ["0.1.1", "0.1.2", "0.1.1", "0.1.3"];

/// The driver's component as another version of itself.
fn version(component: &[u8], number: &str) -> Result<Vec<u8>> {
    let (from, to) = (b"\"version\": \"0.1.0\"".as_slice(), format!("\"version\": \"{number}\""));
    ensure!(from.len() == to.len(), "{number} is longer than what it replaces");
    let at = component.windows(from.len()).position(|window| window == from).context("no version in it")?;
    let mut changed = component.to_vec();
    changed.splice(at..at + from.len(), to.into_bytes());
    Ok(changed)
}

/// Driver calls so far: all of them, and those that did not end well.
async fn calls(scene: &Scene<'_>) -> Result<(f64, f64)> {
    let page = scene.operator()?.get("/metrics").await?;
    let (mut all, mut failed) = (0.0, 0.0);
    for line in page.lines().filter(|line| line.starts_with("kompox_driver_calls_total{")) {
        let count: f64 = line.rsplit(' ').next().unwrap_or_default().parse()?;
        all += count;
        if !line.contains("code=\"ok\"") {
            failed += count;
        }
    }
    Ok((all, failed))
}

async fn in_use(scene: &Scene<'_>, name: &str, version: &str) -> Result<()> {
    let drivers: Api<KompoxDriver> = Api::all(scene.client());
    let uses = |driver: &KompoxDriver| {
        driver.status.as_ref().and_then(|status| status.version.as_deref()) == Some(version)
    };
    objects::wait_for(&drivers, name, PATIENCE, uses).await?;
    Ok(())
}

/// Makes disk after disk.
async fn make_disks(scene: &Scene<'_>, enough: &AtomicBool) -> Result<usize> {
    let mut made = 0;
    while !enough.load(Ordering::Relaxed) {
        let name = format!("disk-{made}");
        scene.apply(&scene.disk(&name, "")).await?;
        scene.disk_ready(&name).await?;
        made += 1;
    }
    Ok(made)
}

async fn swap(scene: &Scene<'_>, component: &[u8], enough: &AtomicBool) -> Result<()> {
    let swapping = async {
        for number in VERSIONS {
            put(scene, version(component, number)?).await?;
            in_use(scene, "swapped", number).await?;
            // Calls reach each of them.
            let (before, _) = calls(scene).await?;
            let deadline = Instant::now() + PATIENCE;
            while calls(scene).await?.0 < before + 10.0 {
                ensure!(Instant::now() < deadline, "no calls while version {number} is in use");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        Ok(())
    };
    let swapped = swapping.await;
    enough.store(true, Ordering::Relaxed);
    swapped
}

pub(super) async fn no_call_fails_while_a_config_map_changes(stage: &Stage) -> Result<()> {
    let scene = open(stage, "swapped").await?;
    let component = std::fs::read(stage.programs.drivers.join("eks.wasm"))?;
    put(&scene, component.clone()).await?;
    let spec = serde_json::json!({
        "source": { "configMapRef": { "name": "component" } }, "egress": { "mode": "Declared" },
    });
    scene.apply(&driver(&scene, "swapped", &spec)).await?;
    says(&scene, "swapped", "Ready", "Ready").await?;
    let enough = AtomicBool::new(false);
    let (made, swapped) = tokio::join!(make_disks(&scene, &enough), swap(&scene, &component, &enough));
    swapped?;
    ensure!(made? > 0, "no disk was made meanwhile");
    let (all, failed) = calls(&scene).await?;
    ensure!(failed == 0.0, "{failed} of {all} calls failed: {}", scene.operator()?.get("/metrics").await?);
    Api::<KompoxDriver>::all(scene.client()).delete("swapped", &DeleteParams::default()).await?;
    scene.close().await
}

/// Writes a file as an administrator would: in one step.
fn place(file: &Path, bytes: &[u8]) -> Result<()> {
    let partial = file.with_extension("partial");
    std::fs::write(&partial, bytes)?;
    Ok(std::fs::rename(&partial, file)?)
}

pub(super) async fn built_in_drivers_follow_their_files(stage: &Stage) -> Result<()> {
    let directory = stage.directory().join("followed-drivers");
    std::fs::create_dir_all(&directory)?;
    let file = directory.join("eks.wasm");
    let environment = vec![("KOMPOX_DRIVERS_DIR", directory.display().to_string())];
    let scene = Scene::open_with(stage, "followed", environment).await?;
    let component = std::fs::read(stage.programs.drivers.join("eks.wasm"))?;
    scene.apply(&scene.disk("data", "")).await?;
    scene.disk_says("data", "UnknownProvider").await?;
    place(&file, &component)?;
    scene.disk_ready("data").await?;

    // Its KompoxDriver tells what became of the file.
    let others = Api::<KompoxDriver>::all(scene.client()).list(&ListParams::default()).await?;
    ensure!(others.items.iter().all(|driver| driver.metadata.name.as_deref() != Some("eks")), "eks is taken");
    scene.apply(&driver(&scene, "eks", &serde_json::json!({}))).await?;
    in_use(&scene, "eks", "0.1.0").await?;
    place(&file, b"\0asm no more")?;
    let (_, message) = says(&scene, "eks", "Compiled", "DriverIncompatible").await?;
    ensure!(message.contains("stays in use"), "{message}");
    scene.apply(&scene.disk("second", "")).await?;
    scene.disk_ready("second").await?;
    place(&file, &version(&component, "0.1.9")?)?;
    in_use(&scene, "eks", "0.1.9").await?;
    says(&scene, "eks", "Ready", "Ready").await?;

    Api::<KompoxDriver>::all(scene.client()).delete("eks", &DeleteParams::default()).await?;
    std::fs::remove_file(&file)?;
    scene.disk_says("data", "DriverMissing").await?;
    place(&file, &component)?;
    scene.disk_ready("data").await?;
    scene.close().await
}
