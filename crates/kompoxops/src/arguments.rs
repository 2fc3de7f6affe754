//! Arguments that several commands share, as clap reads them.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use kompox_core::app::PodSecurity;

/// How to reach the cluster; as in kubectl.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Cluster")]
pub struct Connection {
    /// Kubeconfig file to use [default: $KUBECONFIG, else ~/.kube/config]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME")]
    pub context: Option<String>,
}

/// What the namespace of an app lets its pods do, when no cluster is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum PodSecurityLevel {
    /// Nothing of the host
    #[default]
    Baseline,
    /// The host's namespaces, any capability
    Privileged,
}

impl From<PodSecurityLevel> for PodSecurity {
    fn from(level: PodSecurityLevel) -> Self {
        match level {
            PodSecurityLevel::Baseline => Self::Baseline,
            PodSecurityLevel::Privileged => Self::Privileged,
        }
    }
}

/// Which Compose files are read, and how.
#[derive(Clone, Debug, Default, Args)]
pub struct FileArguments {
    /// Compose file; repeatable, later ones override [default: compose.yaml, compose.yml, docker-compose.yaml or
    /// docker-compose.yml here, and its .override file]
    #[arg(short, long = "file", value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// File with variables for `${…}` in the Compose files; repeatable, later ones win; variables of the shell win
    /// over all [default: .env beside the first Compose file]
    #[arg(long = "env-file", value_name = "FILE")]
    pub env_files: Vec<PathBuf>,
    /// Compose profile to activate, `*` for all; repeatable
    #[arg(long = "profile", value_name = "NAME")]
    pub profiles: Vec<String>,
}

/// The app and what it is made of: the same for every command that reads a Compose file.
#[derive(Clone, Debug, Args)]
pub struct AppArguments {
    /// The Compose files.
    #[command(flatten)]
    pub files: FileArguments,
    /// Name of the app [default: `name:` of the Compose file, else the name of its folder]
    #[arg(long)]
    pub name: Option<String>,
    /// Namespace, which must exist [default: one of its own, k4x-<workspace>-app-<id>]
    #[arg(short, long)]
    pub namespace: Option<String>,
    /// Whom the app belongs to; part of the generated namespace
    #[arg(long, env = "KOMPOX_WORKSPACE", default_value = crate::naming::WORKSPACE, value_name = "NAME")]
    pub workspace: String,
    /// Host that leads to a published port, such as git.example.com=3000; repeatable
    #[arg(long = "route", value_name = "HOST=PORT")]
    pub routes: Vec<String>,
    /// Domain under which every route also gets a host of its own
    #[arg(long)]
    pub domain: Option<String>,
    /// IngressClass of the routes [default: the operator's]
    #[arg(long, value_name = "NAME")]
    pub ingress_class: Option<String>,
    /// The disk that takes all volumes.
    #[command(flatten)]
    pub disk: DiskArguments,
}

/// The disk that takes all volumes of an app. It is made once; later runs leave it as it is.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Disk (made once; an existing one is left as it is)")]
pub struct DiskArguments {
    /// Size of the disk for all volumes
    #[arg(long, default_value = "10Gi", value_name = "QUANTITY")]
    pub disk_size: String,
    /// Option of the provider's disk, such as sku=gp3; repeatable
    #[arg(long = "disk-option", value_name = "KEY=VALUE")]
    pub disk_options: Vec<String>,
    /// Zone, as the provider writes it [default: the driver chooses]
    #[arg(long)]
    pub zone: Option<String>,
    /// Provider that makes the disk [default: found from the cluster]
    #[arg(long, value_name = "TYPE")]
    pub provider: Option<String>,
    /// Setting of the provider's driver, such as region=us-west-2; repeatable
    #[arg(long = "config", value_name = "KEY=VALUE")]
    pub config: Vec<String>,
    /// Secret in the app's namespace with the provider's credentials [default: the operator's]
    #[arg(long, value_name = "NAME")]
    pub credentials_secret: Option<String>,
    /// What becomes of the cloud disk when the KompoxDisk is deleted
    #[arg(long, value_enum, default_value_t)]
    pub deletion_policy: crate::generate::Deletion,
}
