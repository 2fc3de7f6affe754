//! Flags and environment of `kompox-operator`. Raw values only; what follows from them is decided in
//! `run`.

use crate::telemetry::LogFormat;
use clap::Parser;
use std::{net::SocketAddr, path::PathBuf};
use tracing::Level;

/// Runs Compose applications and their cloud disks on this Kubernetes cluster.
///
/// The operator reconciles KompoxDisk, KompoxSnapshot and KompoxApp objects. It finds the cluster as
/// kubectl does: the service account inside a pod, else KUBECONFIG, else ~/.kube/config.
#[derive(Clone, Debug, Parser)]
#[command(name = "kompox-operator", version)]
pub struct Args {
    /// Namespace the operator itself lives in: Secrets and ConfigMaps of drivers are read there.
    #[arg(long, env = "KOMPOX_NAMESPACE", value_name = "NAMESPACE", default_value = kompox_crds::names::OPERATOR_NAMESPACE)]
    pub namespace: String,

    /// Look after the objects of this namespace only. Default: of all namespaces. Run at most one
    /// operator for a namespace.
    #[arg(long, env = "KOMPOX_WATCH_NAMESPACE", value_name = "NAMESPACE")]
    pub watch_namespace: Option<String>,

    /// Directory of the built-in drivers, one WebAssembly component (*.wasm) each. Default: `drivers`
    /// beside this program.
    #[arg(long, env = "KOMPOX_DRIVERS_DIR", value_name = "DIR")]
    pub drivers_dir: Option<PathBuf>,

    /// Labels of the KompoxDrivers that this operator looks after, such as `team=storage`. Default: all.
    /// KompoxDrivers belong to the whole cluster: where several operators share one, give each its own.
    #[arg(long, env = "KOMPOX_DRIVER_SELECTOR", value_name = "SELECTOR")]
    pub driver_selector: Option<String>,

    /// Directory that keeps compiled drivers between starts; it is made with mode 0700 and holds native
    /// code, so nobody else may write to it. Default: `kompox/components` in the user's cache directory.
    #[arg(long, env = "KOMPOX_COMPONENT_CACHE_DIR", value_name = "DIR")]
    pub component_cache_dir: Option<PathBuf>,

    /// Directory that keeps the components of drivers between starts, so that the operator starts without a
    /// registry and goes on with the last good component; it is made with mode 0700. Put it on a volume that
    /// outlives the pod. Default: `kompox/driver-store` in the user's cache directory.
    #[arg(long, env = "KOMPOX_COMPONENT_STORE_DIR", value_name = "DIR")]
    pub component_store_dir: Option<PathBuf>,

    /// File (YAML) that says how registries are reached, by longest prefix: `registries: [{prefix, ca, plainHttp,
    /// mirrors}]`. Read at start. A registry that it does not name is reached over https with the public
    /// certificate authorities. Proxies are those of HTTPS_PROXY, HTTP_PROXY and NO_PROXY.
    #[arg(long, env = "KOMPOX_REGISTRIES_CONFIG", value_name = "FILE")]
    pub registries_config: Option<PathBuf>,

    /// Seconds between two looks at what a tag of a driver names. A reference with a digest is never looked up again.
    #[arg(long, env = "KOMPOX_RESOLVE_TAGS_EVERY", value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    pub resolve_tags_every: u32,

    /// File (`trusted_root.json`) with the authorities and logs that vouch for keyless signatures of drivers, as
    /// `cosign trusted-root create` writes it: for a private Sigstore instance, or a newer copy of the public one.
    /// Read at start. Default: Sigstore's public instance, as this release knows it; nothing is fetched.
    #[arg(long, env = "KOMPOX_SIGSTORE_TRUSTED_ROOT", value_name = "FILE")]
    pub sigstore_trusted_root: Option<PathBuf>,

    /// Address of the HTTP server for probes and metrics: /healthz, /readyz, /metrics. Port 0 takes any
    /// free port and logs it.
    #[arg(long, env = "KOMPOX_LISTEN", value_name = "ADDRESS", default_value = "0.0.0.0:8080")]
    pub listen: SocketAddr,

    /// Objects of one kind that are worked on at the same time. More is faster with many objects, and
    /// asks more of the API server and the cloud at once.
    #[arg(long, env = "KOMPOX_CONCURRENCY", value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub concurrency: u16,

    /// Name of this process in events; in a pod, its name.
    #[arg(long, env = "HOSTNAME", value_name = "NAME", default_value = "kompox-operator")]
    pub instance: String,

    /// IngressClass of apps that name none. Default: the cluster's default class.
    #[arg(long, env = "KOMPOX_INGRESS_CLASS", value_name = "CLASS")]
    pub ingress_class: Option<String>,

    /// Namespace in which an ingress controller runs: its pods may reach the routed ports of isolated
    /// apps. Repeatable.
    #[arg(long, env = "KOMPOX_INGRESS_NAMESPACE", value_name = "NAMESPACE", value_delimiter = ',', default_value = kompox_crds::names::TRAEFIK_NAMESPACE)]
    pub ingress_namespace: Vec<String>,

    /// How log lines look: `json`, one object per line, or `text`, for people.
    #[arg(long, env = "KOMPOX_LOG_FORMAT", value_name = "FORMAT", value_enum, default_value_t)]
    pub log_format: LogFormat,

    /// Least severity that is logged: error, warn, info, debug or trace. Libraries are never logged
    /// below info.
    #[arg(long, env = "KOMPOX_LOG_LEVEL", value_name = "LEVEL", default_value_t = Level::INFO)]
    pub log_level: Level,

    /// Administrators, for development: let drivers reach endpoints in this network over plain http,
    /// also private and loopback addresses. Credentials then travel unencrypted. Repeatable;
    /// a cloud double on this machine needs 127.0.0.0/8. Never set it in production.
    #[arg(
        long,
        env = "KOMPOX_ALLOW_PLAIN_HTTP_CIDR",
        value_name = "CIDR",
        value_delimiter = ',',
        help_heading = "Development"
    )]
    pub allow_plain_http_cidr: Vec<ipnet::IpNet>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    fn parse(arguments: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["kompox-operator"], arguments].concat())
    }

    #[test]
    fn the_definition_is_sound_and_every_flag_teaches() {
        Args::command().debug_assert();
        for flag in Args::command().get_arguments().filter(|flag| flag.get_long() != Some("help")) {
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.len() > 10 || flag.get_long() == Some("version"), "{}: {help}", flag.get_id());
        }
    }

    #[test]
    fn defaults_are_those_of_a_cluster() {
        let args = parse(&[]).unwrap();
        assert_eq!(args.namespace, "k4x-system");
        assert_eq!((args.concurrency, args.log_format), (32, LogFormat::Json));
        assert!(args.watch_namespace.is_none() && args.allow_plain_http_cidr.is_empty());
    }

    #[test]
    fn bad_values_are_refused_with_the_flag() {
        for (arguments, flag) in [
            (["--concurrency", "0"], "--concurrency"),
            (["--listen", "here"], "--listen"),
            (["--allow-plain-http-cidr", "127.0.0.1/64"], "--allow-plain-http-cidr"),
            (["--log-level", "loud"], "--log-level"),
        ] {
            let error = parse(&arguments).unwrap_err().to_string();
            assert!(error.contains(flag), "{error}");
        }
    }
}
