//! Services, and what runs containers like them.

use super::Type::{
    Any, Bytes, Choice, Command, Counted, Duration, Environment, Flag, Float, Gpus, Hosts, Labels, List,
    Listed, Long, MultiOptions, Named, Nullable, Object, OptOut, Options, Ports, Printed, Shown, Test, Text,
    Texts, Tristate, Ulimit, Whole,
};
use super::build::{BUILD, DEVELOP};
use super::deploy::DEPLOY;
use super::shared::{FILE_MOUNT, HOOK, TEXTS};
use super::{Keys, Short, Type, Unique};

const ENTRIES: Type = List(&Text, Unique::Name);

pub(super) static SERVICE: Keys = Keys::new(&[
    ("attach", Tristate),
    ("container_name", Text),
    ("deploy", Nullable(&DEPLOY)),
    ("develop", Nullable(&DEVELOP)),
    ("extends", Long(&EXTENDS, Short::Key("service"))),
    ("external_links", TEXTS),
    ("links", ENTRIES),
    ("post_start", List(&Object(&HOOK), Unique::No)),
    ("pre_start", List(&Object(&PRE_START), Unique::No)),
    ("pre_stop", List(&Object(&HOOK), Unique::No)),
    ("profiles", ENTRIES),
    ("provider", Object(&PROVIDER)),
    ("restart", Text),
    ("scale", Counted),
])
.with(&[&CONTAINER, &WORKLOAD]);

pub(super) static JOB: Keys = Keys::new(&[("profiles", ENTRIES), ("triggers", Any)])
    .requires(&["triggers"])
    .with(&[&CONTAINER, &WORKLOAD]);

static PRE_START: Keys = Keys::new(&[("per_replica", Flag)]).with(&[&CONTAINER]);

static EXTENDS: Keys = Keys::new(&[("file", Text), ("service", Text)]).requires(&["service"]).closed();
static PROVIDER: Keys = Keys::new(&[("options", MultiOptions), ("type", Text)]).requires(&["type"]);

static WORKLOAD: Keys = Keys::new(&[
    ("build", Long(&BUILD, Short::Key("context"))),
    ("depends_on", Listed(&Object(&DEPENDENCY), Short::Dependency)),
    ("expose", List(&Printed, Unique::Equal)),
    ("healthcheck", Object(&HEALTHCHECK)),
    ("ports", Ports),
    ("stdin_open", Flag),
    ("tty", Flag),
]);

static DEPENDENCY: Keys = Keys::new(&[
    ("condition", Choice(&["service_started", "service_healthy", "service_completed_successfully"])),
    ("required", Shown),
    ("restart", Flag),
])
.requires(&["condition"]);

static HEALTHCHECK: Keys = Keys::new(&[
    ("disable", Flag),
    ("interval", Duration),
    ("retries", Counted),
    ("start_interval", Duration),
    ("start_period", Duration),
    ("test", Test),
    ("timeout", Duration),
]);

pub(crate) static PORT: Keys = Keys::new(&[
    ("app_protocol", Text),
    ("host_ip", Text),
    ("mode", Text),
    ("name", Text),
    ("protocol", Text),
    ("published", Printed),
    ("target", Whole),
]);

pub(crate) static CONTAINER: Keys = Keys::new(&[
    ("annotations", Labels),
    ("blkio_config", Object(&BLKIO)),
    ("cap_add", ENTRIES),
    ("cap_drop", ENTRIES),
    ("cgroup", Choice(&["host", "private"])),
    ("cgroup_parent", Text),
    ("command", Command),
    ("configs", List(&Long(&FILE_MOUNT, Short::Key("source")), Unique::Below(""))),
    ("cpu_count", Whole),
    ("cpu_percent", Float),
    ("cpu_period", Whole),
    ("cpu_quota", Whole),
    ("cpu_rt_period", Whole),
    ("cpu_rt_runtime", Whole),
    ("cpu_shares", Whole),
    ("cpus", Float),
    ("cpuset", Text),
    ("credential_spec", Object(&CREDENTIAL_SPEC)),
    ("device_cgroup_rules", TEXTS),
    ("devices", List(&Long(&DEVICE, Short::Device), Unique::Target)),
    ("dns", Texts),
    ("dns_opt", ENTRIES),
    ("dns_search", Texts),
    ("domainname", Text),
    ("entrypoint", Command),
    ("env_file", List(&Long(&ENV_FILE, Short::Key("path")), Unique::Path)),
    ("environment", Environment),
    ("extra_hosts", Hosts),
    ("gpus", Gpus),
    ("group_add", List(&Printed, Unique::Required)),
    ("hostname", Text),
    ("image", Text),
    ("init", Tristate),
    ("ipc", Text),
    ("isolation", Text),
    ("label_file", Texts),
    ("labels", Labels),
    ("logging", Object(&LOGGING)),
    ("mac_address", Text),
    ("mem_limit", Bytes),
    ("mem_reservation", Bytes),
    ("mem_swappiness", Bytes),
    ("memswap_limit", Bytes),
    ("models", Listed(&Nullable(&MODEL_USE), Short::Null)),
    ("network_mode", Text),
    ("networks", Listed(&Nullable(&NETWORK_USE), Short::Null)),
    ("oom_kill_disable", Flag),
    ("oom_score_adj", Whole),
    ("pid", Text),
    ("pids_limit", Whole),
    ("platform", Text),
    ("privileged", Flag),
    ("pull_policy", Text),
    ("pull_refresh_after", Text),
    ("read_only", Flag),
    ("runtime", Text),
    ("secrets", List(&Long(&FILE_MOUNT, Short::Key("source")), Unique::Below("/run/secrets"))),
    ("security_opt", TEXTS),
    ("shm_size", Bytes),
    ("stop_grace_period", Duration),
    ("stop_signal", Text),
    ("storage_opt", Options),
    ("sysctls", Labels),
    ("tmpfs", Texts),
    ("ulimits", Named(&Ulimit)),
    ("umask", Counted),
    ("use_api_socket", Flag),
    ("user", Text),
    ("userns_mode", Text),
    ("uts", Text),
    ("volumes", List(&Long(&VOLUME, Short::Volume), Unique::Target)),
    ("volumes_from", TEXTS),
    ("working_dir", Text),
]);

static BLKIO: Keys = Keys::new(&[
    ("device_read_bps", List(&Object(&BLKIO_LIMIT), Unique::No)),
    ("device_read_iops", List(&Object(&BLKIO_LIMIT), Unique::No)),
    ("device_write_bps", List(&Object(&BLKIO_LIMIT), Unique::No)),
    ("device_write_iops", List(&Object(&BLKIO_LIMIT), Unique::No)),
    ("weight", Whole),
    ("weight_device", List(&Object(&BLKIO_WEIGHT), Unique::No)),
])
.closed();
static BLKIO_LIMIT: Keys = Keys::new(&[("path", Text), ("rate", Bytes)]).closed();
static BLKIO_WEIGHT: Keys = Keys::new(&[("path", Text), ("weight", Whole)]).closed();

static CREDENTIAL_SPEC: Keys = Keys::new(&[("config", Text), ("file", Text), ("registry", Text)]);
static DEVICE: Keys =
    Keys::new(&[("permissions", Text), ("source", Text), ("target", Text)]).requires(&["source"]);
static ENV_FILE: Keys =
    Keys::new(&[("format", Text), ("path", Text), ("required", OptOut)]).requires(&["path"]).closed();
static LOGGING: Keys = Keys::new(&[("driver", Text), ("options", Options)]);
static MODEL_USE: Keys = Keys::new(&[("endpoint_var", Text), ("model_var", Text)]);

static NETWORK_USE: Keys = Keys::new(&[
    ("aliases", ENTRIES),
    ("driver_opts", Options),
    ("gw_priority", Whole),
    ("interface_name", Text),
    ("ipv4_address", Text),
    ("ipv6_address", Text),
    ("link_local_ips", ENTRIES),
    ("mac_address", Text),
    ("priority", Whole),
    ("use_service_name_alias", Tristate),
]);

pub(crate) static VOLUME: Keys = Keys::new(&[
    ("bind", Object(&BIND)),
    ("consistency", Text),
    ("image", Object(&IMAGE)),
    ("read_only", Flag),
    ("source", Text),
    ("target", Text),
    ("tmpfs", Object(&TMPFS)),
    ("type", Choice(&["bind", "volume", "tmpfs", "cluster", "npipe", "image"])),
    ("volume", Object(&NAMED_VOLUME)),
])
.requires(&["type"]);
static BIND: Keys = Keys::new(&[
    ("create_host_path", OptOut),
    ("propagation", Text),
    ("recursive", Choice(&["enabled", "disabled", "writable", "readonly"])),
    ("selinux", Choice(&["z", "Z"])),
]);
static IMAGE: Keys = Keys::new(&[("subpath", Text)]);
static TMPFS: Keys = Keys::new(&[("mode", Whole), ("size", Bytes)]);
static NAMED_VOLUME: Keys = Keys::new(&[("labels", Labels), ("nocopy", Flag), ("subpath", Text)]);
