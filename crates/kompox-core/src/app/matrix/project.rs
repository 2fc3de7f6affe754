//! Rows of the keys of the file, and of jobs and models.

use super::{Row, ignored, mapped, near, noted, refused};
use crate::app::codes;

/// Extensions, wherever they stand.
pub(super) const EXTENSION: Row = ignored("x-*.**", "extensions of others mean nothing here");

pub(super) const ROWS: &[Row] = &[
    noted("version", &codes::DOCKER_ONLY, "the specification has no versions any more"),
    ignored("name", "the names of objects come from the KompoxApp; `${COMPOSE_PROJECT_NAME}` has this value"),
    mapped("include.**", &[], "the other files are read from the same ConfigMap and become part of this one"),
    mapped("services", &[], "a workload for each service"),
    mapped(
        "services.*",
        &["Deployment", "StatefulSet", "Job", "DaemonSet", "Service"],
        "a workload and a headless Service under the service's name",
    ),
    EXTENSION,
    mapped("x-kompox.**", &[], "nothing is defined for it; an unknown key is an error"),
    refused(
        "models.**",
        &codes::MODELS,
        "no model runner belongs to a cluster; services take the URL of one by `x-kompox.models`",
    ),
    refused(
        "jobs.**",
        &codes::JOBS,
        "jobs by time or by hand are not run; use a CronJob, or a service with `restart: \"no\"`",
    ),
    near(
        "networks",
        &["NetworkPolicy"],
        "the networks of a file become one: every service reaches every other",
    ),
    near(
        "networks.*",
        &["NetworkPolicy"],
        "the networks of a file become one: every service reaches every other",
    ),
    ignored("networks.*.name", "a network of the app has no name of its own"),
    near("networks.*.driver", &[], "`bridge` and `overlay` are the cluster's network; others are refused"),
    near(
        "networks.*.internal",
        &["NetworkPolicy.spec.egress"],
        "the network is not cut off from the outside",
    ),
    near("networks.*.external.**", &[], "others on this network are not reached through it"),
    noted(
        "networks.*.driver_opts.**",
        &codes::NETWORK_OPTION,
        "the cluster's network is set up by its administrator",
    ),
    noted("networks.*.attachable", &codes::NETWORK_OPTION, "what else joins is a matter of network policies"),
    noted(
        "networks.*.enable_ipv4",
        &codes::NETWORK_OPTION,
        "the cluster decides about the families of addresses",
    ),
    noted(
        "networks.*.enable_ipv6",
        &codes::NETWORK_OPTION,
        "the cluster decides about the families of addresses",
    ),
    noted("networks.*.labels.**", &codes::NETWORK_OPTION, "there is no object that could carry the labels"),
    noted(
        "networks.*.ipam.**",
        &codes::ADDRESS_RANGE,
        "a cluster gives every pod an address of its own range",
    ),
    mapped("volumes", &[], "each volume is a directory of a disk"),
    mapped(
        "volumes.*",
        &["PersistentVolumeClaim", "volumes[].persistentVolumeClaim"],
        "a directory of the disk that `spec.volumes` names, else of the disk `default`",
    ),
    near("volumes.*.name", &[], "`spec.volumes` says where a volume lives"),
    near(
        "volumes.*.external.**",
        &["volumes[].persistentVolumeClaim"],
        "an existing disk or claim, named in `spec.volumes`",
    ),
    near("volumes.*.driver", &[], "`local` is the app's disk; others are refused"),
    near(
        "volumes.*.driver_opts.**",
        &["volumes[].nfs", "volumes[].emptyDir"],
        "NFS and memory file systems are mounted as such; others are refused",
    ),
    near("volumes.*.labels.**", &[], "there is no object of a single volume that could carry the labels"),
    mapped("configs", &[], "ConfigMaps that the operator makes"),
    mapped("configs.*", &["ConfigMap"], "a ConfigMap that is never changed, only replaced"),
    mapped("configs.*.content", &["ConfigMap.data"], "verbatim, variables replaced"),
    mapped("configs.*.environment", &["ConfigMap.data"], "the value of the variable"),
    mapped(
        "configs.*.file",
        &["ConfigMap.data", "ConfigMap.binaryData"],
        "the content that `spec.files.mounts` gives the path",
    ),
    mapped("configs.*.external.**", &["volumes[].configMap"], "a ConfigMap of the namespace"),
    mapped(
        "configs.*.name",
        &["volumes[].configMap.name"],
        "the name of an external one; else without effect",
    ),
    noted(
        "configs.*.labels.**",
        &codes::FILE_LABELS,
        "the objects of the operator carry its own labels only",
    ),
    refused(
        "configs.*.template_driver",
        &codes::FILE_DRIVER,
        "content is not expanded by templates; write the finished content",
    ),
    mapped("secrets", &[], "Secrets that the operator makes"),
    mapped("secrets.*", &["Secret"], "a Secret that is never changed, only replaced"),
    mapped("secrets.*.environment", &["Secret.data"], "the value of the variable"),
    mapped("secrets.*.file", &["Secret.data"], "the content that `spec.files.mounts` gives the path"),
    mapped("secrets.*.external.**", &["volumes[].secret"], "a Secret of the namespace"),
    mapped(
        "secrets.*.name",
        &["volumes[].secret.secretName"],
        "the name of an external one; else without effect",
    ),
    noted(
        "secrets.*.labels.**",
        &codes::FILE_LABELS,
        "the objects of the operator carry its own labels only",
    ),
    refused(
        "secrets.*.driver",
        &codes::FILE_DRIVER,
        "secret stores are reached by operators of the cluster; make a Secret and mark this one `external`",
    ),
    refused(
        "secrets.*.driver_opts.**",
        &codes::FILE_DRIVER,
        "secret stores are reached by operators of the cluster; make a Secret and mark this one `external`",
    ),
    refused(
        "secrets.*.template_driver",
        &codes::FILE_DRIVER,
        "content is not expanded by templates; write the finished content",
    ),
];
