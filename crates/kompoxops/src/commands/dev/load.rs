//! `kompoxops dev load`: images from archives into the real node, without a registry.

use std::path::PathBuf;

use clap::Args;

use super::running;
use crate::dev::failed;
use crate::dev::layout::Layout;
use crate::failure::Failure;
use crate::output;

/// Loads images into the real node. Archives are as `docker save`, `podman save` or `crane pull` write them.
#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Archives of images
    #[arg(required = true, value_name = "FILE.tar")]
    archives: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When there is no real node, or an archive holds no images.
pub(super) async fn run(layout: &Layout, arguments: &Arguments) -> Result<(), Failure> {
    let (_, cluster) = running(layout)?;
    let node = cluster.real_node.ok_or_else(|| {
        Failure::Dev("its nodes are simulated and have no images; start it with `dev up --node real`".into())
    })?;
    for archive in &arguments.archives {
        let said = node.import_file(archive).await.map_err(|error| failed(&error))?;
        output::print(&format!("{said}\n"))?;
    }
    Ok(())
}
