//! Drivers that come while the operator runs, with the real component and no built-in driver.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::{
    ByteString,
    api::core::v1::{ConfigMap, Node},
};
use kompox_crds::v1alpha1::{KompoxDisk, KompoxDriver};
use kompox_tests::{
    cloud::TlsFront,
    objects,
    scene::{PATIENCE, Scene, is},
    stage::Stage,
};
use kube::{
    Api,
    api::{DeleteParams, ListParams, ObjectMeta, Patch, PatchParams},
};

/// An operator without built-in drivers, whose own namespace is the scene's.
pub(super) async fn open<'a>(stage: &'a Stage, name: &str) -> Result<Scene<'a>> {
    let none = stage.directory().join("no-drivers");
    std::fs::create_dir_all(&none)?;
    let environment =
        vec![("KOMPOX_DRIVERS_DIR", none.display().to_string()), ("KOMPOX_NAMESPACE", format!("t-{name}"))];
    Scene::open_with(stage, name, environment).await
}

/// The ConfigMap `component` with these bytes.
pub(super) async fn put(scene: &Scene<'_>, bytes: Vec<u8>) -> Result<()> {
    let metadata = ObjectMeta { name: Some("component".to_owned()), ..ObjectMeta::default() };
    let binary_data = Some([("driver.wasm".to_owned(), ByteString(bytes))].into());
    let config_map = ConfigMap { metadata, binary_data, ..ConfigMap::default() };
    let params = PatchParams::apply("kompox-tests").force();
    scene.api::<ConfigMap>().patch("component", &params, &Patch::Apply(&config_map)).await?;
    Ok(())
}

/// A KompoxDriver that this scene's operator looks after.
pub(super) fn driver(scene: &Scene<'_>, name: &str, spec: &serde_json::Value) -> String {
    serde_json::json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxDriver",
        "metadata": { "name": name, "labels": { "kompox-test": scene.namespace } },
        "spec": spec,
    })
    .to_string()
}

/// Waits until a condition of a KompoxDriver gives this reason; gives it and its message.
pub(super) async fn says(
    scene: &Scene<'_>,
    name: &str,
    type_: &str,
    reason: &str,
) -> Result<(KompoxDriver, String)> {
    let drivers: Api<KompoxDriver> = Api::all(scene.client());
    let found = objects::wait_for(&drivers, name, PATIENCE, |d| is(d, type_, "reason", reason)).await?;
    let message = objects::condition(&serde_json::to_value(&found)?, "Ready", "message").to_owned();
    Ok((found, message))
}

pub(super) async fn brought_in_a_config_map_broken_removed_and_restored(stage: &Stage) -> Result<()> {
    let scene = open(stage, "brought").await?;
    let component = std::fs::read(stage.programs.drivers.join("eks.wasm"))?;
    let brought = driver(
        &scene,
        "brought",
        &serde_json::json!({
            "source": { "configMapRef": { "name": "component" } }, "egress": { "mode": "Declared" },
        }),
    );
    // A disk that waits is taken up when its driver comes.
    scene.apply(&scene.disk("data", "")).await?;
    scene.disk_says("data", "UnknownProvider").await?;
    scene.apply(&brought).await?;
    let (_, message) = says(&scene, "brought", "Fetched", "DriverMissing").await?;
    ensure!(message.contains("ConfigMap `component` does not exist"), "{message}");
    put(&scene, component.clone()).await?;
    let (good, _) = says(&scene, "brought", "Ready", "Ready").await?;
    let status = good.status.unwrap_or_default();
    ensure!(status.provider_types == ["eks"] && status.version.is_some(), "{status:?}");
    ensure!(status.source.as_deref() == Some("configmap/component"), "{status:?}");
    scene.disk_ready("data").await?;

    // What is broken changes nothing for those who use the driver.
    put(&scene, b"\0asm no more".to_vec()).await?;
    let (bad, message) = says(&scene, "brought", "Compiled", "DriverIncompatible").await?;
    ensure!(message.contains("stays in use"), "{message}");
    ensure!(bad.status.unwrap_or_default().digest == status.digest, "another digest is in use");
    scene.apply(&scene.disk("second", "")).await?;
    scene.disk_ready("second").await?;
    put(&scene, component).await?;
    says(&scene, "brought", "Ready", "Ready").await?;

    // Without its driver a disk waits, and goes on when the driver returns.
    let drivers: Api<KompoxDriver> = Api::all(scene.client());
    drivers.delete("brought", &DeleteParams::default()).await?;
    let message = scene.disk_says("data", "DriverMissing").await?;
    ensure!(message.contains("`eks`"), "{message}");
    scene.apply(&brought).await?;
    scene.disk_ready("data").await?;
    drivers.delete("brought", &DeleteParams::default()).await?;
    scene.close().await
}

pub(super) async fn an_endpoint_of_a_private_authority_needs_its_certificate(stage: &Stage) -> Result<()> {
    let mut scene = open(stage, "private").await?;
    let front = TlsFront::start(scene.proxy.ec2_address()).await?;
    scene.endpoints[0].clone_from(&front.url);
    put(&scene, std::fs::read(stage.programs.drivers.join("eks.wasm"))?).await?;
    let with = |mode: &str, bundle: Option<&str>| {
        let egress = match bundle {
            Some(bundle) => serde_json::json!({ "mode": mode, "trustBundle": bundle }),
            None => serde_json::json!({ "mode": mode }),
        };
        let source = serde_json::json!({ "configMapRef": { "name": "component" } });
        driver(&scene, "private", &serde_json::json!({ "source": source, "egress": egress }))
    };
    scene.apply(&with("Declared", None)).await?;
    says(&scene, "private", "Ready", "Ready").await?;
    scene.apply(&scene.disk("data", "")).await?;
    let told = |disk: &KompoxDisk| {
        let disk = serde_json::to_value(disk).unwrap_or_default();
        objects::condition(&disk, "Ready", "message")
            .contains("`spec.egress.trustBundle` of the KompoxDriver")
    };
    objects::wait_for(&scene.api::<KompoxDisk>(), "data", PATIENCE, told).await?;

    scene.apply(&with("Declared", Some(&front.certificate))).await?;
    says(&scene, "private", "Ready", "Ready").await?;
    scene.disk_ready("data").await?;

    // What cannot be used takes nothing away: the certificates of before are believed on.
    scene.apply(&with("Declared", Some("a certificate"))).await?;
    let (bad, message) = says(&scene, "private", "Ready", "InvalidSpec").await?;
    ensure!(message.starts_with("spec.egress.trustBundle: it holds no certificate"), "{message}");
    ensure!(bad.status.unwrap_or_default().digest.is_some(), "no component is in use: {message}");
    scene.apply(&scene.disk("second", "")).await?;
    scene.disk_ready("second").await?;
    // And it keeps nothing open that the rest of the spec closes.
    scene.apply(&with("None", Some("a certificate"))).await?;
    let drivers: Api<KompoxDriver> = Api::all(scene.client());
    let closed = |driver: &KompoxDriver| {
        let egress = driver.status.as_ref().and_then(|status| status.egress.as_ref());
        egress.is_some_and(|egress| egress.mode == "None") && is(driver, "Ready", "reason", "InvalidSpec")
    };
    objects::wait_for(&drivers, "private", PATIENCE, closed).await?;
    drivers.delete("private", &DeleteParams::default()).await?;
    scene.close().await
}

/// Runs the command line, and gives back what it printed.
async fn kompoxops(stage: &Stage, arguments: &[&str]) -> Result<String> {
    let output = outcome(stage, arguments).await?;
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{arguments:?}: {complaint}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Runs the command line, however it ends.
async fn outcome(stage: &Stage, arguments: &[&str]) -> Result<std::process::Output> {
    let mut command = tokio::process::Command::new(&stage.programs.cli);
    command.args(arguments).env("KUBECONFIG", stage.cluster.kubeconfig_path());
    Ok(command.output().await?)
}

pub(super) async fn the_command_line_knows_them(stage: &Stage) -> Result<()> {
    let file = stage.programs.drivers.join("eks.wasm");
    let file = file.to_str().context("a path of text")?;
    let inspected = kompoxops(stage, &["driver", "inspect", file, "-o", "json"]).await?;
    let inspected: serde_json::Value = serde_json::from_str(&inspected)?;
    let text = |pointer| inspected.pointer(pointer).and_then(serde_json::Value::as_str);
    ensure!((text("/name"), text("/providers/0/type")) == (Some("eks"), Some("eks")), "{inspected}");
    let digest = text("/digest").context("a digest")?;
    let verified = kompoxops(stage, &["driver", "verify", file, "--digest", digest]).await?;
    ensure!(
        verified.lines().count() == 5 && verified.lines().all(|line| line.starts_with("ok ")),
        "{verified}"
    );

    let scene = open(stage, "listed").await?;
    put(&scene, std::fs::read(file)?).await?;
    let spec = serde_json::json!({ "source": { "configMapRef": { "name": "component" }, "digest": digest } });
    scene.apply(&driver(&scene, "listed", &spec)).await?;
    says(&scene, "listed", "Ready", "Ready").await?;
    let listed = kompoxops(stage, &["driver", "ls"]).await?;
    let row = listed.lines().find(|line| line.starts_with("listed ")).context("a row")?;
    let cells: Vec<&str> = row.split_whitespace().collect();
    ensure!(cells == ["listed", "True", "Ready", "0.1.0", "eks", "configmap/component"], "{listed}");
    // It needs no object to be listed; another test may have made one.
    ensure!(listed.lines().any(|line| line.starts_with("eks ") && line.contains("built-in")), "{listed}");
    let drivers: Api<KompoxDriver> = Api::all(scene.client());
    drivers.delete("listed", &DeleteParams::default()).await?;
    scene.close().await
}

pub(super) async fn installed_needed_and_uninstalled(stage: &Stage) -> Result<()> {
    let scene = open(stage, "installed").await?;
    let file = stage.programs.drivers.join("eks.wasm");
    let (namespace, label) = (scene.namespace.as_str(), format!("kompox-test={}", scene.namespace));
    let install = [
        "driver",
        "install",
        file.to_str().context("a path of text")?,
        "--name",
        "installed",
        "--egress",
        "declared",
        "--label",
        &label,
        "--operator-namespace",
        namespace,
    ];
    kompoxops(stage, &install).await?;
    let drivers: Api<KompoxDriver> = Api::all(scene.client());
    let installed = drivers.get("installed").await?;
    let digest = installed.status.and_then(|status| status.digest).context("a digest")?;
    let pinned = installed.spec.source.and_then(|source| source.digest).context("a pin")?;
    ensure!(pinned == digest, "{pinned} is pinned, {digest} is in use");
    scene.apply(&scene.disk("data", "")).await?;
    scene.disk_ready("data").await?;

    // Who needs it is said before anything is removed.
    let uninstall = ["driver", "uninstall", "installed", "--operator-namespace", namespace];
    let refused = outcome(stage, &uninstall).await?;
    let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
    ensure!(refused.status.code() == Some(5), "{complaint}");
    // Other tests have disks of this type too.
    ensure!(complaint.contains("KompoxDriver/installed is left as it is: disk "), "{complaint}");
    kompoxops(stage, &[&uninstall[..], &["--force"]].concat()).await?;
    let carriers = scene.api::<ConfigMap>().list(&ListParams::default().labels("kompox.dev/driver")).await?;
    ensure!(carriers.items.is_empty(), "a ConfigMap is left");
    scene.disk_says("data", "DriverMissing").await?;

    // The same again, and the disk goes on.
    kompoxops(stage, &install).await?;
    scene.disk_ready("data").await?;
    kompoxops(stage, &[&uninstall[..], &["--force"]].concat()).await?;
    scene.close().await
}

pub(super) async fn what_cannot_be_used_says_why(stage: &Stage) -> Result<()> {
    let scene = open(stage, "refused").await?;
    put(&scene, std::fs::read(stage.programs.drivers.join("eks.wasm"))?).await?;
    let other = format!("sha256:{}", "0".repeat(64));
    let cases = [
        (
            "absent",
            serde_json::json!({}),
            "Fetched",
            "DriverMissing",
            "no built-in driver is called `absent`",
        ),
        (
            "keyless",
            serde_json::json!({ "source": { "configMapRef": { "name": "component", "key": "other.wasm" } } }),
            "Fetched",
            "DriverMissing",
            "has no key `other.wasm` in `binaryData` (there are: driver.wasm)",
        ),
        (
            "pinned",
            serde_json::json!({ "source": { "configMapRef": { "name": "component" }, "digest": other } }),
            "Verified",
            "VerificationFailed",
            "`spec.source.digest` is",
        ),
    ];
    for (name, spec, type_, reason, expected) in cases {
        scene.apply(&driver(&scene, name, &spec)).await?;
        let (found, message) = says(&scene, name, type_, reason).await?;
        ensure!(message.contains(expected), "{name}: {message}");
        ensure!(found.status.unwrap_or_default().digest.is_none(), "{name}: it is in use");
        Api::<KompoxDriver>::all(scene.client()).delete(name, &DeleteParams::default()).await?;
    }
    // Nobody said which hosts it may reach: it has no network, and the disk says how to grant it.
    let closed = serde_json::json!({ "source": { "configMapRef": { "name": "component" } } });
    scene.apply(&driver(&scene, "closed", &closed)).await?;
    let (found, _) = says(&scene, "closed", "Ready", "Ready").await?;
    ensure!(found.status.unwrap_or_default().egress.unwrap_or_default().mode == "None");
    scene.apply(&scene.disk("data", "")).await?;
    let message = scene.disk_says("data", "EgressDenied").await?;
    ensure!(message.contains("spec.egress"), "{message}");
    ensure!(scene.proxy.count("CreateVolume") == 0, "a request left");
    Api::<KompoxDriver>::all(scene.client()).delete("closed", &DeleteParams::default()).await?;
    scene.close().await
}

/// A node on AWS that takes no pods. The CSI driver of EBS is simulated for every test.
fn node_on_aws() -> String {
    serde_json::json!({
        "apiVersion": "v1", "kind": "Node",
        "metadata": { "name": "on-aws", "labels": { "topology.kubernetes.io/region": "us-west-2" } },
        "spec": {
            "providerID": "aws:///us-west-2a/i-0123456789abcdef0",
            "taints": [{ "key": "kompox-test", "effect": "NoSchedule" }],
        },
    })
    .to_string()
}

/// Only the cluster tells the type and the region; both must be known in every later turn.
pub(super) async fn found_by_what_the_cluster_is(stage: &Stage) -> Result<()> {
    let scene = Scene::open(stage, "found").await?;
    scene.apply(&node_on_aws()).await?;
    let [ec2, sts] = &scene.endpoints;
    let provider = serde_json::json!({
        "type": "auto", "credentialsSecretRef": { "name": "aws" },
        "config": { "endpoint": ec2, "stsEndpoint": sts },
    });
    scene.apply(&scene.disk("data", &format!("provider: {provider}"))).await?;
    let disk = scene.disk_ready("data").await?;
    let provider = disk.status.and_then(|status| status.provider).context("a provider in the status")?;
    ensure!(provider.type_.as_deref() == Some("eks"), "{provider:?}");
    ensure!(provider.region.as_deref() == Some("us-west-2"), "{provider:?}");
    scene.delete::<KompoxDisk>("data").await?;
    Api::<Node>::all(scene.client()).delete("on-aws", &DeleteParams::default()).await?;
    scene.close().await
}
