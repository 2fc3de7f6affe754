//! The keys that the Compose Specification defines, per mapping
//! (<https://github.com/compose-spec/compose-spec/blob/main/schema/compose-spec.json>). A key of these lists
//! that no decoder takes is "not supported yet"; any other key is unknown.

pub(super) const PROJECT: &[&str] =
    &["configs", "include", "models", "name", "networks", "secrets", "services", "version", "volumes"];

pub(super) const SERVICE: &[&str] = &[
    "annotations",
    "attach",
    "blkio_config",
    "build",
    "cap_add",
    "cap_drop",
    "cgroup",
    "cgroup_parent",
    "command",
    "configs",
    "container_name",
    "cpu_count",
    "cpu_percent",
    "cpu_period",
    "cpu_quota",
    "cpu_rt_period",
    "cpu_rt_runtime",
    "cpu_shares",
    "cpus",
    "cpuset",
    "credential_spec",
    "depends_on",
    "deploy",
    "develop",
    "device_cgroup_rules",
    "devices",
    "dns",
    "dns_opt",
    "dns_search",
    "domainname",
    "entrypoint",
    "env_file",
    "environment",
    "expose",
    "extends",
    "external_links",
    "extra_hosts",
    "gpus",
    "group_add",
    "healthcheck",
    "hostname",
    "image",
    "init",
    "ipc",
    "isolation",
    "label_file",
    "labels",
    "links",
    "logging",
    "mac_address",
    "mem_limit",
    "mem_reservation",
    "mem_swappiness",
    "memswap_limit",
    "models",
    "network_mode",
    "networks",
    "oom_kill_disable",
    "oom_score_adj",
    "pid",
    "pids_limit",
    "platform",
    "ports",
    "post_start",
    "pre_start",
    "pre_stop",
    "privileged",
    "profiles",
    "provider",
    "pull_policy",
    "pull_refresh_after",
    "read_only",
    "restart",
    "runtime",
    "scale",
    "secrets",
    "security_opt",
    "shm_size",
    "stdin_open",
    "stop_grace_period",
    "stop_signal",
    "storage_opt",
    "sysctls",
    "tmpfs",
    "tty",
    "ulimits",
    "use_api_socket",
    "user",
    "userns_mode",
    "uts",
    "volumes",
    "volumes_from",
    "working_dir",
];

pub(super) const DEPENDENCY: &[&str] = &["condition", "required", "restart"];

pub(super) const DEPLOY: &[&str] = &[
    "endpoint_mode",
    "labels",
    "mode",
    "placement",
    "replicas",
    "resources",
    "restart_policy",
    "rollback_config",
    "update_config",
];

pub(super) const ENV_FILE: &[&str] = &["format", "path", "required"];

pub(super) const HEALTHCHECK: &[&str] =
    &["disable", "interval", "retries", "start_interval", "start_period", "test", "timeout"];

pub(super) const NETWORK: &[&str] = &[
    "attachable",
    "driver",
    "driver_opts",
    "enable_ipv4",
    "enable_ipv6",
    "external",
    "internal",
    "ipam",
    "labels",
    "name",
];

pub(super) const PORT: &[&str] =
    &["app_protocol", "host_ip", "mode", "name", "protocol", "published", "target"];

pub(super) const SERVICE_NETWORK: &[&str] = &[
    "aliases",
    "driver_opts",
    "gw_priority",
    "interface_name",
    "ipv4_address",
    "ipv6_address",
    "link_local_ips",
    "mac_address",
    "priority",
];

pub(super) const SERVICE_VOLUME: &[&str] =
    &["bind", "consistency", "image", "read_only", "source", "target", "tmpfs", "type", "volume"];

pub(super) const SERVICE_VOLUME_TMPFS: &[&str] = &["mode", "size"];

pub(super) const SERVICE_VOLUME_VOLUME: &[&str] = &["labels", "nocopy", "subpath"];

pub(super) const VOLUME: &[&str] = &["driver", "driver_opts", "external", "labels", "name"];

/// Keys that people write and the specification lacks, with the word on what to do. A misspelling needs no
/// entry: the nearest key is suggested anyway.
pub(super) const FOREIGN: &[(&str, &str)] = &[
    ("dockerfile", "move it below `build`"),
    ("env", "write `environment`"),
    ("net", "write `network_mode`"),
    ("volume_driver", "declare the volume at the top level and set its `driver`"),
    ("log_driver", "write `logging.driver`"),
    ("log_opt", "write `logging.options`"),
];
