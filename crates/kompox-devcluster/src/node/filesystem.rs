//! What the node sees of the file system: the host's, but with `/var` and `/run` of its own, its
//! programs at fixed places, and kernel settings that it finds as it wants them.

use super::{Error, NodeState, Programs, machine};
use crate::files;
use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

/// Kubernetes' components in one program, as the node sees it. `/run` is the one place that every
/// machine has and that is the node's own: the real place may lie under a `/var` that it cannot see.
pub(super) const CONTROL_PLANE: &str = "/run/kompox/kompox-controlplane";
/// The name server, as the node sees it.
pub(super) const COREDNS: &str = "/run/kompox/coredns";
/// The node's own configuration.
pub(super) const CONFIGURATION: &str = "/var/lib/kompox";
const SYSCTLS: &str = "/var/lib/kompox/sysctl";

/// What the kubelet would set in the kernel, for the whole host and for good (its source,
/// container_manager_linux.go). It is shown files that hold these values already.
const KERNEL_SETTINGS: [(&str, &str); 6] = [
    ("vm/overcommit_memory", "1"),
    ("vm/panic_on_oom", "0"),
    ("kernel/panic", "10"),
    ("kernel/panic_on_oops", "1"),
    ("kernel/keys/root_maxkeys", "1000000"),
    ("kernel/keys/root_maxbytes", "25000000"),
];

/// Makes the directories outside. `/run` begins empty, as after the boot of any machine.
pub(super) fn prepare(directory: &Path, programs: &Programs) -> Result<(), Error> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Error::File { path, source }
    };
    let run = directory.join("run");
    match fs::remove_dir_all(&run) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(&run)(error)),
        _ => {}
    }
    // Containers of other users reach their volumes through here; the directory above is closed.
    for path in ["run/kompox", "run/lock", "var/lib/cni/net.d", "var/log", "var/tmp", "var/cache"] {
        let path = directory.join(path);
        fs::create_dir_all(&path).map_err(failed(&path))?;
    }
    for path in [CONFIGURATION, SYSCTLS] {
        let path = directory.join(path.trim_start_matches('/'));
        files::private_directory(&path).map_err(failed(&path))?;
    }
    let link = directory.join("var/run");
    if !link.is_symlink() {
        symlink("/run", &link).map_err(failed(&link))?;
    }
    for (inside, _) in programs.places() {
        let path = directory.join(inside.trim_start_matches('/'));
        fs::write(&path, "").map_err(failed(&path))?;
    }
    for (name, value) in KERNEL_SETTINGS {
        let path = directory.join(SYSCTLS.trim_start_matches('/')).join(name.replace('/', "."));
        fs::write(&path, value).map_err(failed(&path))?;
    }
    Ok(())
}

/// Mounts everything inside; nothing of it is seen outside.
pub(super) async fn mount(node: &NodeState, programs: &Programs) -> Result<(), Error> {
    let outside = |inside: &str| node.inside(inside);
    for (inside, program) in programs.places() {
        bind(node, program, &outside(inside)).await?;
    }
    let (run, var) = ((outside("/run"), Path::new("/run")), (outside("/var"), Path::new("/var")));
    // The second must still be seen after the first has been mounted.
    let order = if node.directory.starts_with("/run") { [var, run] } else { [run, var] };
    for (source, target) in order {
        bind(node, &source, target).await?;
    }
    for (name, _) in KERNEL_SETTINGS {
        let target = Path::new("/proc/sys").join(name);
        // A kernel may lack one; the kubelet is content then.
        if target.exists() {
            bind(node, &Path::new(SYSCTLS).join(name.replace('/', ".")), &target).await?;
        }
    }
    Ok(())
}

/// The fast one, unless the directory's file system cannot carry it (as an overlay itself).
pub(super) async fn snapshotter(node: &NodeState) -> &'static str {
    let probe = "cd $(mktemp -d -p /var/tmp) && mkdir lower upper work merged && \
        mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged && umount merged";
    let Ok(mut command) = node.enter("sh") else { return "native" };
    match machine::run("probe for overlays", command.args(["-c", probe])).await {
        Ok(_) => "overlayfs",
        Err(_) => "native",
    }
}

async fn bind(node: &NodeState, source: &Path, target: &Path) -> Result<(), Error> {
    let what = format!("mount {} inside the node", target.display());
    let mut command = node.enter("mount")?;
    machine::run(&what, command.arg("--rbind").arg(source).arg(target)).await.map(drop)
}

impl Programs {
    /// Where the node sees each.
    fn places(&self) -> [(&'static str, &PathBuf); 2] {
        [(CONTROL_PLANE, &self.kubernetes), (COREDNS, &self.coredns)]
    }
}
