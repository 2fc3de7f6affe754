//! What a whole run shares: one control plane with simulated pods, one AWS double, the programs.
//!
//! Nothing here asserts. A test isolates itself by its namespace, its own fault proxy and its own
//! operator process: see [`crate::scene`].

use crate::{
    cloud::{self, AccessKey, Boto, Moto},
    operator::Surroundings,
};
use anyhow::{Context as _, Result, ensure};
use kompox_devcluster::{DevCluster, Options, PartName, Reporter};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The driver's README, whose policy is the one that the tests' user has.
const DRIVER_README: &str = include_str!("../../drivers/eks/README.md");

/// Name of the audit log in the run's directory.
const AUDIT_LOG: &str = "audit.log";
/// Who asked what, when it was answered; no bodies.
const AUDIT_POLICY: &str = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy",
    "omitStages": ["RequestReceived"], "rules": [{"level": "Metadata"}]}"#;

/// What the driver's user may do in the AWS double: the actions that the driver's README documents as the
/// minimum. The double knows neither resources nor conditions of a policy, so these are not shown by any
/// test.
///
/// # Errors
/// If the README holds no policy.
pub fn policy() -> Result<String> {
    let block = DRIVER_README.split_once("```json").and_then(|(_, rest)| rest.split_once("```"));
    let (text, _) = block.context("drivers/eks/README.md shows no policy")?;
    let mut policy: serde_json::Value = serde_json::from_str(text).context("the policy is no JSON")?;
    for statement in
        policy["Statement"].as_array_mut().into_iter().flatten().filter_map(|s| s.as_object_mut())
    {
        statement.insert("Resource".to_owned(), "*".into());
        statement.remove("Condition");
    }
    Ok(policy.to_string())
}

/// The shared part of a run.
#[derive(Debug)]
pub struct Stage {
    /// The control plane and its simulated nodes.
    pub cluster: DevCluster,
    /// The AWS double.
    pub moto: Moto,
    /// The official SDK as a second witness.
    pub boto: Boto,
    /// A user of the double with the driver's minimal policy.
    pub key: AccessKey,
    /// Where the programs are.
    pub programs: Programs,
    directory: tempfile::TempDir,
    registry: tokio::sync::OnceCell<PathBuf>,
}

/// The built programs and drivers.
#[derive(Clone, Debug)]
pub struct Programs {
    /// `kompox-operator`.
    pub operator: PathBuf,
    /// `kompoxops`.
    pub cli: PathBuf,
    /// Directory of driver components.
    pub drivers: PathBuf,
    /// Directory of the examples of third parties' components.
    pub examples: PathBuf,
}

impl Programs {
    /// From `KOMPOX_BIN_DIR` and `KOMPOX_DRIVERS_DIR`, as `cargo xtask test` sets them, else beside this
    /// program.
    ///
    /// # Errors
    /// If something is not built; the message names the command.
    pub fn find() -> Result<Self> {
        let beside = std::env::current_exe().ok().and_then(|exe| {
            // Test binaries lie one level deeper, in `deps`.
            let folder = exe.parent()?;
            Some(if folder.ends_with("deps") { folder.parent()? } else { folder }.to_owned())
        });
        let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let bin = folder("KOMPOX_BIN_DIR").or(beside).context("failed to find the programs' folder")?;
        let drivers = folder("KOMPOX_DRIVERS_DIR").unwrap_or_else(|| bin.join("drivers"));
        let program = |name: &str| {
            let path = bin.join(name);
            ensure!(path.is_file(), "{} is missing: run `cargo build --workspace --bins`", path.display());
            Ok(path)
        };
        let examples = bin.join("example-drivers");
        for component in [drivers.join("eks.wasm"), examples.join("devcloud.wasm")] {
            ensure!(component.is_file(), "{} is missing: run `cargo xtask drivers`", component.display());
        }
        Ok(Self { operator: program("kompox-operator")?, cli: program("kompoxops")?, drivers, examples })
    }
}

impl Stage {
    /// Starts everything; takes seconds when the control plane is built.
    ///
    /// # Errors
    /// What does not start.
    pub async fn start(reporter: Reporter) -> Result<Self> {
        Self::start_with(reporter, BTreeMap::new(), private_directory()?).await
    }

    /// As [`Stage::start`], with an API server that logs every request to [`Stage::audit_log`].
    ///
    /// # Errors
    /// What does not start.
    pub async fn start_audited(reporter: Reporter) -> Result<Self> {
        let directory = private_directory()?;
        let policy = directory.path().join("audit-policy.yaml");
        std::fs::write(&policy, AUDIT_POLICY).context("failed to write the audit policy")?;
        let log = directory.path().join(AUDIT_LOG);
        let flags = vec![
            format!("--audit-policy-file={}", policy.display()),
            format!("--audit-log-path={}", log.display()),
        ];
        Self::start_with(reporter, [(PartName::ApiServer, flags)].into(), directory).await
    }

    async fn start_with(
        reporter: Reporter,
        extra_flags: BTreeMap<PartName, Vec<String>>,
        directory: tempfile::TempDir,
    ) -> Result<Self> {
        let programs = Programs::find()?;
        let venv = cloud::venv()?;
        let options = Options { reporter, extra_flags, ..Options::new(directory.path().join("cluster")) };
        let (cluster, moto) = tokio::join!(DevCluster::start(options), Moto::start(&venv));
        let (cluster, moto) = (cluster.context("failed to start the control plane")?, moto?);
        let boto = Boto::new(&moto).await?;
        let key = moto.create_user("kompox", &policy()?).await?;
        crate::objects::install_crds(&cluster.client()).await?;
        Ok(Self { cluster, moto, boto, key, programs, directory, registry: tokio::sync::OnceCell::new() })
    }

    /// Every request to the API server, one JSON object a line, if the stage was started audited.
    #[must_use]
    pub fn audit_log(&self) -> PathBuf {
        self.directory.path().join(AUDIT_LOG)
    }

    /// The program of the registry; who asks first has it built, if it is not in the cache.
    ///
    /// # Errors
    /// It cannot be built.
    pub async fn registry(&self) -> Result<&Path> {
        let reporter = Reporter::new(|progress| eprintln!("  {progress}"));
        let program = self.registry.get_or_try_init(|| crate::registry::program(&reporter)).await?;
        Ok(program)
    }

    /// What operators of this run need.
    #[must_use]
    pub fn surroundings(&self) -> Surroundings<'_> {
        Surroundings {
            programs: &self.programs,
            kubeconfig: self.cluster.kubeconfig_path(),
            components: self.directory().join("components"),
        }
    }

    /// A private directory of the run.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Ends everything.
    ///
    /// # Errors
    /// What does not end.
    pub async fn stop(self) -> Result<()> {
        let (cluster, moto) = (self.cluster.stop().await, self.moto.stop().await);
        cluster.context("failed to stop the control plane")?;
        moto
    }
}

/// A directory that is closed to other users and goes with its handle.
///
/// # Errors
/// If it cannot be made.
pub fn private_directory() -> Result<tempfile::TempDir> {
    tempfile::Builder::new().prefix("kompox-test-").tempdir().context("failed to make a directory")
}
