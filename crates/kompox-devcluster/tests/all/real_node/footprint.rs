//! What a real node leaves in the kernel and in the file system of the host.

use super::{exists, printed};
use crate::support::eventually;
use anyhow::{Context as _, Result};
use kompox_devcluster::NodeState;
use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};
use tokio::process::Command;

/// What the kubelet sets on a machine of its own.
const SETTINGS: [&str; 7] = [
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
    "net/ipv4/ip_forward",
];

/// The settings of the host's kernel, for a comparison.
pub(super) fn kernel_settings() -> Vec<Option<String>> {
    SETTINGS.map(|name| fs::read_to_string(Path::new("/proc/sys").join(name)).ok()).to_vec()
}

/// A node's identity in the kernel, taken while it runs.
pub(super) struct Footprint {
    node: NodeState,
    /// Inode of its PID namespace, and of its network namespace.
    namespaces: [u64; 2],
}

impl Footprint {
    pub(super) fn of(node: &NodeState) -> Result<Self> {
        let inode =
            |kind: &str| namespace(node.machine.pid, kind).with_context(|| format!("no {kind} namespace"));
        Ok(Self { node: node.clone(), namespaces: [inode("pid")?, inode("net")?] })
    }

    /// How many processes are in the node's PID or network namespace; pods have namespaces of their own,
    /// but their first processes' parents are the shims, which are in the node's.
    pub(super) fn processes(&self) -> usize {
        let all = fs::read_dir("/proc").into_iter().flatten().flatten();
        all.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).filter(|pid| self.owns(*pid)).count()
    }

    fn owns(&self, pid: u32) -> bool {
        let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap_or_default();
        cgroups.contains(&self.node.cgroup)
            || ["pid", "net"]
                .iter()
                .zip(self.namespaces)
                .any(|(kind, inode)| namespace(pid, kind) == Some(inode))
    }

    /// Waits, for the kernel takes its time, until nothing of the node is left.
    pub(super) async fn is_gone(&self) -> Result<()> {
        eventually("nothing of the node is left", || async {
            let left = self.left().await?;
            if left.is_empty() { Ok(true) } else { Err(anyhow::anyhow!("left: {}", left.join(", "))) }
        })
        .await
    }

    async fn left(&self) -> Result<Vec<String>> {
        let mut left = Vec::new();
        if self.processes() > 0 {
            left.push(format!("{} processes", self.processes()));
        }
        let directory = self.node.directory.display().to_string();
        let mounts = fs::read_to_string("/proc/self/mountinfo")?;
        left.extend(mounts.lines().filter(|line| line.contains(&directory)).map(str::to_owned));
        if exists(Path::new("/sys/class/net"), &self.node.cable) {
            left.push(self.node.cable.clone());
        }
        let routes = printed(Command::new("ip").args(["-4", "route", "show", "table", "all"])).await?;
        let ours = [self.node.pod_range.clone(), self.node.host_address.to_string()];
        left.extend(
            routes.lines().filter(|route| ours.iter().any(|our| route.contains(our))).map(str::to_owned),
        );
        let loops = fs::read_dir("/sys/block").into_iter().flatten().flatten();
        let backing = |path: PathBuf| fs::read_to_string(path.join("loop/backing_file")).ok();
        left.extend(loops.filter_map(|entry| backing(entry.path())).filter(|file| file.contains(&directory)));
        let rules = printed(Command::new("nft").args(["list", "tables"])).await?;
        left.extend(rules.lines().filter(|table| table.contains("kube-proxy")).map(str::to_owned));
        left.extend(cgroups(&self.node.cgroup));
        Ok(left)
    }
}

/// Directories of the cgroup in each hierarchy, of either version.
fn cgroups(name: &str) -> Vec<String> {
    let root = Path::new("/sys/fs/cgroup");
    let hierarchies = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = hierarchies.chain([root.to_owned()]);
    all.filter(|hierarchy| exists(hierarchy, name))
        .map(|found| format!("{}{name}", found.display()))
        .collect()
}

fn namespace(pid: u32, kind: &str) -> Option<u64> {
    fs::metadata(format!("/proc/{pid}/ns/{kind}")).ok().map(|data| data.ino())
}
