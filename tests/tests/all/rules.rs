//! The rules of the API, as data, on the real API server.

use anyhow::Result;
use kompox_tests::{cel, stage::Stage};
use std::path::Path;

pub(super) async fn cel_and_defaults(stage: &Stage) -> Result<()> {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/tests/cel");
    let report = cel::run_all(stage.cluster.client(), &cases, "default").await?;
    report.into_result()?;
    Ok(())
}

pub(super) async fn subresources_and_columns(stage: &Stage) -> Result<()> {
    cel::check_subresources(stage.cluster.client(), "default").await
}
