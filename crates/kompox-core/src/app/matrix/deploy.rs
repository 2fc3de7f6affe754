//! Rows of `deploy` and of the older keys that say the same.

use super::{Row, mapped, near, noted};
use crate::app::codes;

pub(super) const ROWS: &[Row] = &[
    mapped("services.*.deploy", &[], "how the service is run"),
    mapped(
        "services.*.deploy.mode",
        &["Deployment", "StatefulSet", "DaemonSet", "Job"],
        "`global` is a DaemonSet, `replicated-job` a Job; `global-job` is refused",
    ),
    near(
        "services.*.deploy.endpoint_mode",
        &["Service.spec.clusterIP"],
        "the service's name leads to the addresses of its pods",
    ),
    mapped("services.*.deploy.replicas", &["spec.replicas"], "with a disk one only"),
    mapped("services.*.scale", &["spec.replicas"], "as `deploy.replicas`"),
    near(
        "services.*.deploy.labels.**",
        &["metadata.annotations"],
        "annotations of the workload; a key that cannot be one is left out",
    ),
    mapped("services.*.deploy.resources", &["containers[].resources"], "limits and requests"),
    mapped("services.*.deploy.resources.limits", &["containers[].resources.limits"], "upper bounds"),
    mapped(
        "services.*.deploy.resources.limits.cpus",
        &["containers[].resources.limits.cpu"],
        "in thousandths, rounded up",
    ),
    mapped(
        "services.*.deploy.resources.limits.memory",
        &["containers[].resources.limits.memory"],
        "in bytes",
    ),
    near("services.*.deploy.resources.limits.pids", &[], "the node bounds the processes of pods"),
    mapped("services.*.deploy.resources.reservations", &["containers[].resources.requests"], "what is kept"),
    mapped(
        "services.*.deploy.resources.reservations.cpus",
        &["containers[].resources.requests.cpu"],
        "in thousandths, rounded up",
    ),
    mapped(
        "services.*.deploy.resources.reservations.memory",
        &["containers[].resources.requests.memory"],
        "in bytes",
    ),
    mapped(
        "services.*.deploy.resources.reservations.devices.**",
        &["containers[].resources.limits"],
        "a number of GPUs as `nvidia.com/gpu` or `amd.com/gpu`; `all`, ids and options are refused",
    ),
    mapped(
        "services.*.deploy.resources.reservations.generic_resources.**",
        &["containers[].resources.limits"],
        "a kind that is the name of a resource",
    ),
    mapped("services.*.cpus", &["containers[].resources.limits.cpu"], "as `deploy.resources.limits.cpus`"),
    mapped(
        "services.*.mem_limit",
        &["containers[].resources.limits.memory"],
        "as `deploy.resources.limits.memory`",
    ),
    mapped(
        "services.*.mem_reservation",
        &["containers[].resources.requests.memory"],
        "as `deploy.resources.reservations.memory`",
    ),
    near("services.*.pids_limit", &[], "the node bounds the processes of pods"),
    near(
        "services.*.cpu_shares",
        &["containers[].resources.requests.cpu"],
        "1024 shares are one processor, unless `deploy` reserves processors",
    ),
    near(
        "services.*.cpu_quota",
        &["containers[].resources.limits.cpu"],
        "`cpu_quota` by `cpu_period`, unless a limit is given",
    ),
    near(
        "services.*.cpu_period",
        &["containers[].resources.limits.cpu"],
        "`cpu_quota` by `cpu_period`, unless a limit is given",
    ),
    mapped(
        "services.*.gpus.**",
        &["containers[].resources.limits"],
        "a number of GPUs as `nvidia.com/gpu` or `amd.com/gpu`; `all`, ids and options are refused",
    ),
    mapped(
        "services.*.deploy.restart_policy",
        &["Deployment", "StatefulSet", "Job.spec.backoffLimit"],
        "as `restart`",
    ),
    mapped(
        "services.*.deploy.restart_policy.condition",
        &["Deployment", "StatefulSet", "Job"],
        "as `restart`",
    ),
    mapped(
        "services.*.deploy.restart_policy.max_attempts",
        &["Job.spec.backoffLimit"],
        "of Jobs; other workloads are restarted without end",
    ),
    near("services.*.deploy.restart_policy.delay", &[], "the kubelet waits longer after each restart"),
    near("services.*.deploy.restart_policy.window", &[], "the kubelet waits longer after each restart"),
    mapped(
        "services.*.deploy.update_config",
        &["Deployment.spec.strategy"],
        "with a disk always one pod after the other",
    ),
    mapped(
        "services.*.deploy.update_config.parallelism",
        &["Deployment.spec.strategy.rollingUpdate"],
        "pods replaced at a time",
    ),
    mapped(
        "services.*.deploy.update_config.order",
        &["Deployment.spec.strategy.rollingUpdate"],
        "`start-first` adds pods before it removes others",
    ),
    near(
        "services.*.deploy.update_config.delay",
        &["Deployment.spec.minReadySeconds"],
        "the time that a new pod must be ready",
    ),
    noted(
        "services.*.deploy.update_config.failure_action",
        &codes::UPDATE_DETAIL,
        "a rollout that fails stays where it is until the next change",
    ),
    noted(
        "services.*.deploy.update_config.monitor",
        &codes::UPDATE_DETAIL,
        "a rollout watches readiness, not a span of time",
    ),
    noted(
        "services.*.deploy.update_config.max_failure_ratio",
        &codes::UPDATE_DETAIL,
        "a rollout stops at the first pod that does not become ready",
    ),
    noted(
        "services.*.deploy.rollback_config.**",
        &codes::UPDATE_DETAIL,
        "going back is applying the earlier file, which rolls out as any change",
    ),
    mapped("services.*.deploy.placement", &["affinity"], "where pods run"),
    mapped(
        "services.*.deploy.placement.constraints.**",
        &["affinity.nodeAffinity"],
        "`node.hostname`, `node.role`, `node.platform.*` and `node.labels.*`; others are refused",
    ),
    near(
        "services.*.deploy.placement.preferences.**",
        &["topologySpreadConstraints"],
        "spread over the values of a label of nodes",
    ),
    near(
        "services.*.deploy.placement.max_replicas_per_node",
        &["affinity.podAntiAffinity"],
        "1 only; other numbers have no effect",
    ),
];
