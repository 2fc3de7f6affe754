//! What all scenarios share: a control plane, one real node with images and storage, the ingress.

use crate::{
    objects,
    operator::Surroundings,
    stage::{Programs, private_directory},
};
use anyhow::{Context as _, Result, ensure};
use kompox_devcluster::{DevCluster, DevIngress, IngressOptions, Options, RealNode, Reporter, Storage};
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use tokio::sync::RwLock;

/// Zone of the node, and so of every disk.
pub(super) const ZONE: &str = "dev-a";
/// Archives of images; without it they are looked for beside the programs.
const IMAGES: &str = "KOMPOX_IMAGES_DIR";

/// The shared part of a run.
#[derive(Debug)]
pub struct NodeStage {
    pub(super) cluster: DevCluster,
    pub(super) ingress: DevIngress,
    pub(super) programs: Programs,
    /// URL of devcloud.
    pub(super) storage: String,
    /// Its token.
    pub(super) token: SecretString,
    /// Held by each step; a step that restarts a part of the cluster holds it alone.
    pub(super) parts: RwLock<()>,
    directory: tempfile::TempDir,
}

impl NodeStage {
    /// Starts everything; returns when pods can run.
    ///
    /// # Errors
    /// What does not start, or is not built.
    pub async fn start(reporter: Reporter) -> Result<Self> {
        let programs = Programs::find()?;
        let images = images(&programs)?;
        let directory = private_directory()?;
        let folder = programs.operator.parent().map(Path::to_owned);
        let options = Options {
            real_node: Some(RealNode::new("real-1", "dev", ZONE)),
            nodes: Vec::new(),
            csi_drivers: Vec::new(),
            storage: Some(Storage { programs: folder }),
            reporter,
            ..Options::new(directory.path().join("cluster"))
        };
        let cluster = DevCluster::start(options).await.context("failed to start the cluster")?;
        let node = cluster.real_node().context("the cluster has no real node")?;
        for image in images {
            node.import_file(&image).await?;
        }
        objects::install_crds(&cluster.client()).await?;
        let options = IngressOptions::new(directory.path().join("ingress"));
        let ingress = DevIngress::start(cluster.client(), options).await?;
        let storage = cluster.storage().await.context("the cluster has no storage")?;
        let text = std::fs::read_to_string(&storage.token_file).context("failed to read devcloud's token")?;
        let token = text.lines().find_map(|line| line.strip_prefix("development "));
        let token = token.context("devcloud's token file has no account `development`")?.trim();
        let token = SecretString::from(token.to_owned());
        let parts = RwLock::new(());
        Ok(Self { cluster, ingress, programs, storage: storage.url, token, parts, directory })
    }

    /// What operators of this run need.
    pub(super) fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            programs: &self.programs,
            kubeconfig: self.cluster.kubeconfig_path(),
            components: self.directory.path().join("components"),
        }
    }

    /// A private directory of the run.
    pub(super) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends everything; for containers that still run it is a power cut.
    ///
    /// # Errors
    /// What does not end, or a mount that is left.
    pub async fn stop(self) -> Result<()> {
        self.ingress.stop().await;
        self.cluster.stop().await.context("failed to stop the cluster")?;
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").context("failed to read the mounts")?;
        let directory = self.directory.path().to_string_lossy();
        ensure!(!mounts.contains(&*directory), "mounts of the run are left behind: {mounts}");
        Ok(())
    }
}

/// The archives that `cargo xtask images` made, by name.
///
/// # Errors
/// If there are none.
pub fn images(programs: &Programs) -> Result<Vec<PathBuf>> {
    let given = std::env::var_os(IMAGES).map(PathBuf::from);
    // `target/debug/kompox-operator`, `target/images`.
    let beside = programs.operator.ancestors().nth(2).map(|target| target.join("images"));
    let folder = given.or(beside).context("failed to find the folder of images")?;
    let files = std::fs::read_dir(&folder)
        .with_context(|| format!("failed to read {}: run `cargo xtask images`", folder.display()))?;
    let mut paths = files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "tar"));
    ensure!(!paths.is_empty(), "{} has no images: run `cargo xtask images`", folder.display());
    paths.sort();
    Ok(paths)
}
