//! The example application of the demo and of its test, read from `examples/gitea` as users apply it.

use crate::objects;
use anyhow::{Context as _, Result};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Name of the example's snapshot.
pub const SNAPSHOT_NAME: &str = "default-1";

/// The example's snapshot.
pub const SNAPSHOT: &str = include_str!("../../examples/gitea/snapshot.yaml");

/// The example's folder.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/gitea")
}

/// The app with its Compose file and env files: what `kubectl apply -k` makes of the folder, without the
/// namespace and the disk.
///
/// # Errors
/// If a file of the example is missing.
pub fn app() -> Result<String> {
    let read = |name: &str| {
        std::fs::read_to_string(folder().join(name))
            .with_context(|| format!("failed to read examples/gitea/{name}"))
    };
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "gitea-compose" },
        "data": { "compose.yml": read("compose.yml")? },
    });
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "gitea-files" },
        "stringData": { "gitea.env": read("gitea.env")?, "db.env": read("db.env")? },
    });
    let app = objects::documents(&read("app.yaml")?)?;
    let documents: Vec<Value> = [map, secret].into_iter().chain(app).collect();
    Ok(documents.iter().map(|document| format!("---\n{document}\n")).collect())
}
