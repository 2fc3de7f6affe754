//! Bad input and bad weather: each is said with reason, object, field and remedy, and the operator goes
//! on serving the others.

use anyhow::{Result, ensure};
use kompox_crds::v1alpha1::{KompoxApp, KompoxDisk};
use kompox_tests::{
    cloud::Fault,
    objects,
    scene::{PATIENCE, Scene, credentials, is},
    stage::Stage,
};
use std::time::Duration;

pub(super) async fn what_is_wrong_is_said_and_the_others_go_on(stage: &Stage) -> Result<()> {
    let scene = Scene::open(stage, "wrong").await?;
    scene.apply(&credentials("bad", &stage.key.id, "not-the-secret")).await?;
    let provider = |secret: &str| {
        format!(
            "provider: {{type: eks, credentialsSecretRef: {{name: {secret}}}, config: {{region: us-west-2, endpoint: '{}', stsEndpoint: '{}'}}}}",
            scene.proxy.ec2_url(),
            scene.proxy.sts_url()
        )
    };
    for (name, spec, reason, said) in [
        ("provider", "provider: {type: nimbus}".to_owned(), "UnknownProvider", "spec.provider.type"),
        ("size", "size: 900000Gi".to_owned(), "InvalidSize", "spec.size"),
        ("zone", "zone: 'nowhere'".to_owned(), "InvalidZone", "zone"),
        ("options", "options: {iops: 3000, type: gp2}".to_owned(), "InvalidOptions", "iops"),
        ("nosecret", provider("absent"), "CredentialsMissing", "absent"),
        ("badsecret", provider("bad"), "CredentialsRefused", "credentialsSecretRef"),
        (
            "nosnapshot",
            "source: {snapshotRef: {name: none}}".to_owned(),
            "SourceNotFound",
            "spec.source.snapshotRef",
        ),
    ] {
        scene.apply(&scene.disk(name, &spec)).await?;
        let message = scene.disk_says(name, reason).await?;
        ensure!(message.contains(said), "{name}: {message}");
    }
    let quota = Fault::Error { status: 400, code: "VolumeLimitExceeded".into() };
    // As long as the test looks: whoever tries next, the disk with the bad zone too, meets it.
    scene.proxy.inject("CreateVolume", quota, 1000);
    scene.apply(&scene.disk("quota", "")).await?;
    scene.disk_says("quota", "QuotaExceeded").await?;
    scene.proxy.forget_faults();
    apps(&scene).await?;
    // The others go on, and what was refused has left nothing half-made.
    scene.apply(&scene.disk("good", "")).await?;
    let good = scene.disk_ready("good").await?;
    let made = scene.stage.boto.volumes_tagged("kompox-ns", &scene.namespace).await?;
    ensure!(
        Some(&made) == good.status.and_then(|status| status.handle).map(|handle| vec![handle]).as_ref(),
        "{made:?}"
    );
    // A typo can be mended.
    scene.apply(&scene.disk("zone", "zone: us-west-2b")).await?;
    scene.disk_ready("zone").await?;
    scene.close().await
}

async fn apps(scene: &Scene<'_>) -> Result<()> {
    let app = |name: &str, map: &str| {
        format!(
            "{{apiVersion: k8s.kompox.dev/v1alpha1, kind: KompoxApp, metadata: {{name: {name}}}, spec: {{compose: {{configMapRef: {{name: {map}}}}}}}}}"
        )
    };
    let map = serde_json::json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "broken" },
        "data": { "compose.yml": "services:\n  web:\n    image: nginx\n    privilegd: true\n" },
    });
    scene.apply(&map.to_string()).await?;
    scene.apply(&app("malformed", "broken")).await?;
    scene.apply(&app("nomap", "absent")).await?;
    for (name, reason, said) in
        [("malformed", "ComposeInvalid", "compose.yml:4"), ("nomap", "ConfigMapMissing", "absent")]
    {
        let says = |app: &KompoxApp| is(app, "Ready", "reason", reason);
        let app = objects::wait_for(&scene.api::<KompoxApp>(), name, PATIENCE, says).await?;
        let message = objects::condition(&serde_json::to_value(&app)?, "Ready", "message").to_owned();
        ensure!(message.contains(said), "{name}: {message}");
    }
    Ok(())
}

pub(super) async fn the_cloud_goes_away_and_comes_back(stage: &Stage) -> Result<()> {
    let scene = Scene::open(stage, "weather").await?;
    scene.apply(&scene.disk("before", "")).await?;
    scene.disk_ready("before").await?;
    scene.proxy.go_down();
    scene.apply(&scene.disk("during", "")).await?;
    scene.disk_says("during", "ProviderUnavailable").await?;
    let before = scene.api::<KompoxDisk>().get("before").await?;
    ensure!(is(&before, "Ready", "status", "True"), "a disk that was ready suffers: {before:?}");
    scene.proxy.come_up();
    scene.disk_ready("during").await?;
    scene.proxy.delay(Duration::from_millis(300));
    scene.proxy.inject("CreateVolume", Fault::Throttle, 2);
    scene.apply(&scene.disk("slow", "")).await?;
    scene.disk_ready("slow").await?;
    scene.close().await
}
