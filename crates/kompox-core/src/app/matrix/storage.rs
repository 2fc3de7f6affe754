//! Rows of the keys of a service that mount something.

use super::{Row, mapped, near, noted};
use crate::app::codes;

pub(super) const ROWS: &[Row] = &[
    mapped("services.*.volumes", &["containers[].volumeMounts"], "each entry by its type"),
    mapped("services.*.volumes[]", &["containers[].volumeMounts"], "each entry by its type"),
    mapped(
        "services.*.volumes[].type",
        &["volumes[]"],
        "`volume`, `bind`, `tmpfs` and `image`; `npipe` and `cluster` are refused",
    ),
    mapped(
        "services.*.volumes[].source",
        &["volumes[]", "containers[].volumeMounts[].subPath"],
        "a directory of a disk; of a bind, what `bindMap` or `files.mounts` give the path; without one the image's content, lost with the container",
    ),
    mapped("services.*.volumes[].target", &["containers[].volumeMounts[].mountPath"], "as it says"),
    mapped("services.*.volumes[].read_only", &["containers[].volumeMounts[].readOnly"], "as it says"),
    noted("services.*.volumes[].consistency", &codes::DOCKER_ONLY, "it concerns Docker on a desktop only"),
    near("services.*.volumes[].bind", &[], "options of a bind"),
    near(
        "services.*.volumes[].bind.propagation",
        &[],
        "`private` and `rprivate` are what a pod does anyway; the others are refused",
    ),
    near(
        "services.*.volumes[].bind.create_host_path",
        &[],
        "directories on disks are made when they are missing",
    ),
    near("services.*.volumes[].bind.recursive", &[], "mounts below a bind are those of its disk"),
    noted(
        "services.*.volumes[].bind.selinux",
        &codes::SELINUX,
        "the kubelet labels the volumes of a pod itself",
    ),
    mapped("services.*.volumes[].volume", &[], "options of a volume"),
    mapped(
        "services.*.volumes[].volume.nocopy",
        &["initContainers[]"],
        "what the image has at the target is not copied into an empty volume",
    ),
    mapped(
        "services.*.volumes[].volume.subpath",
        &["containers[].volumeMounts[].subPath"],
        "below the volume's directory",
    ),
    noted(
        "services.*.volumes[].volume.labels.**",
        &codes::VOLUME_LABELS,
        "there is no object of a single volume that could carry the labels",
    ),
    mapped("services.*.volumes[].tmpfs", &["volumes[].emptyDir"], "a file system in memory"),
    mapped(
        "services.*.volumes[].tmpfs.size",
        &["volumes[].emptyDir.sizeLimit"],
        "it counts to the memory limit",
    ),
    near("services.*.volumes[].tmpfs.mode", &[], "the mode is always 1777"),
    mapped("services.*.volumes[].image", &["volumes[].image"], "options of an image"),
    mapped(
        "services.*.volumes[].image.subpath",
        &["containers[].volumeMounts[].subPath"],
        "below the image's root",
    ),
    mapped("services.*.volumes_from.**", &["containers[].volumeMounts"], "the mounts of the other service"),
    mapped(
        "services.*.tmpfs.**",
        &["volumes[].emptyDir"],
        "a file system in memory, with the mode 1777, in which programs can run; options other than `size` have no effect",
    ),
    mapped("services.*.configs", &["volumes[].configMap"], "a file for each entry"),
    mapped("services.*.configs[]", &["volumes[].configMap"], "a file, readable by all"),
    mapped("services.*.configs[].source", &["volumes[].configMap"], "as it says"),
    mapped(
        "services.*.configs[].target",
        &["containers[].volumeMounts[].mountPath"],
        "`/<config>` unless the key says otherwise",
    ),
    near("services.*.configs[].uid", &[], "files belong to root"),
    near("services.*.configs[].gid", &[], "files belong to root"),
    mapped(
        "services.*.configs[].mode",
        &["volumes[].configMap.items[].mode"],
        "0444 unless the key says otherwise",
    ),
    mapped("services.*.secrets", &["volumes[].secret"], "a file for each entry"),
    mapped("services.*.secrets[]", &["volumes[].secret"], "a file, readable by all"),
    mapped("services.*.secrets[].source", &["volumes[].secret"], "as it says"),
    mapped(
        "services.*.secrets[].target",
        &["containers[].volumeMounts[].mountPath"],
        "`/run/secrets/<secret>` unless the key says otherwise",
    ),
    near("services.*.secrets[].uid", &[], "files belong to root"),
    near("services.*.secrets[].gid", &[], "files belong to root"),
    mapped(
        "services.*.secrets[].mode",
        &["volumes[].secret.items[].mode"],
        "0444 unless the key says otherwise",
    ),
    near(
        "services.*.storage_opt.**",
        &["containers[].resources.limits.ephemeral-storage"],
        "`size` only; others are refused",
    ),
];
