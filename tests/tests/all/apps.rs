//! What wakes an app.

use anyhow::{Result, ensure};
use kompox_crds::v1alpha1::KompoxApp;
use kompox_tests::{
    objects,
    scene::{PATIENCE, Scene, is},
    stage::Stage,
};
use serde_json::json;

const COMPOSE: &str = "\
services:
  web:
    image: nginx
    secrets: [token]
secrets:
  token: {external: true, name: the-token}
";

/// A Secret that only the Compose file names stands in no spec, and yet its coming is noticed at once.
pub(super) async fn an_external_secret_wakes_its_app(stage: &Stage) -> Result<()> {
    let scene = Scene::open(stage, "external").await?;
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "compose" },
        "data": { "compose.yml": COMPOSE },
    });
    let app = json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp", "metadata": { "name": "external" },
        "spec": { "compose": { "configMapRef": { "name": "compose" } } },
    });
    scene.apply(&map.to_string()).await?;
    scene.apply(&app.to_string()).await?;
    let says = |app: &KompoxApp| is(app, "Ready", "reason", "ComposeInvalid");
    let refused = objects::wait_for(&scene.api::<KompoxApp>(), "external", PATIENCE, says).await?;
    let message = objects::condition(&serde_json::to_value(&refused)?, "Ready", "message").to_owned();
    ensure!(message.contains("the-token"), "{message}");
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "the-token" },
        "stringData": { "the-token": "value" },
    });
    scene.apply(&secret.to_string()).await?;
    scene.app_ready("external").await?;
    scene.close().await
}
