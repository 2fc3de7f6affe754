//! The keys that the Compose Specification defines, per mapping
//! (<https://github.com/compose-spec/compose-spec/blob/main/schema/compose-spec.json>). A key of these lists
//! that no decoder takes is "not supported yet"; any other key is unknown.

pub(super) const PROJECT: &[&str] = &[
    "configs", "include", "jobs", "models", "name", "networks", "secrets", "services", "version", "volumes",
    "x-kompox",
];

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
    "umask",
    "use_api_socket",
    "user",
    "userns_mode",
    "uts",
    "volumes",
    "volumes_from",
    "working_dir",
    "x-kompox",
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

pub(super) const RESTART_POLICY: &[&str] = &["condition", "delay", "max_attempts", "window"];

pub(super) const UPDATE_CONFIG: &[&str] =
    &["delay", "failure_action", "max_failure_ratio", "monitor", "order", "parallelism"];

pub(super) const PLACEMENT: &[&str] = &["constraints", "max_replicas_per_node", "preferences"];

pub(super) const PREFERENCE: &[&str] = &["spread"];

pub(super) const RESOURCES: &[&str] = &["limits", "reservations"];

pub(super) const LIMITS: &[&str] = &["cpus", "memory", "pids"];

pub(super) const RESERVATIONS: &[&str] = &["cpus", "devices", "generic_resources", "memory"];

pub(super) const GENERIC_RESOURCE: &[&str] = &["discrete_resource_spec"];

pub(super) const DISCRETE_RESOURCE: &[&str] = &["kind", "value"];

pub(super) const DEVICE: &[&str] = &["capabilities", "count", "device_ids", "driver", "options"];

pub(super) const HOOK: &[&str] = &["command", "environment", "privileged", "user", "working_dir"];

pub(super) const SERVICE_MODEL: &[&str] = &["endpoint_var", "model_var"];

pub(super) const EXTENSION: &[&str] = &["livenessProbe", "models", "resources"];

pub(super) const EXTENSION_RESOURCES: &[&str] = &["limits", "requests"];

pub(super) const FILE_MOUNT: &[&str] = &["gid", "mode", "source", "target", "uid"];

pub(super) const CONFIG: &[&str] =
    &["content", "environment", "external", "file", "labels", "name", "template_driver"];

pub(super) const SECRET: &[&str] =
    &["driver", "driver_opts", "environment", "external", "file", "labels", "name", "template_driver"];

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
    "use_service_name_alias",
];

pub(super) const SERVICE_VOLUME: &[&str] =
    &["bind", "consistency", "image", "read_only", "source", "target", "tmpfs", "type", "volume"];

pub(super) const SERVICE_VOLUME_BIND: &[&str] = &["create_host_path", "propagation", "recursive", "selinux"];

pub(super) const SERVICE_VOLUME_IMAGE: &[&str] = &["subpath"];

pub(super) const SERVICE_VOLUME_TMPFS: &[&str] = &["mode", "size"];

pub(super) const SERVICE_VOLUME_VOLUME: &[&str] = &["labels", "nocopy", "subpath"];

pub(super) const VOLUME: &[&str] = &["driver", "driver_opts", "external", "labels", "name"];

/// Keys that people write and the specification lacks, with the word on what to do. A misspelling needs no
/// entry: the nearest key is suggested anyway.
pub(crate) const FOREIGN: &[(&str, &str)] = &[
    ("dockerfile", "move it below `build`"),
    ("env", "write `environment`"),
    ("net", "write `network_mode`"),
    ("volume_driver", "declare the volume at the top level and set its `driver`"),
    ("log_driver", "write `logging.driver`"),
    ("log_opt", "write `logging.options`"),
];
