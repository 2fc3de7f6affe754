//! What a real node takes, and what of it is not here. Looks only; installs nothing.

use super::{
    config::PLUGIN_DIRECTORIES,
    machine::{self, PATH},
};
use std::{fmt, path::Path};

/// Each program that must be found, and the Debian package that has it.
const PROGRAMS: [(&str, &str); 11] = [
    ("containerd", "containerd"),
    ("containerd-shim-runc-v2", "containerd"),
    ("ctr", "containerd"),
    ("runc", "runc"),
    ("ip", "iproute2"),
    ("nft", "nftables"),
    ("iptables", "iptables"),
    ("mount", "mount"),
    ("nsenter", "util-linux"),
    ("unshare", "util-linux"),
    ("sh", "dash"),
];
/// The CNI plugins that the pods' network is made of.
const PLUGINS: [&str; 4] = ["ptp", "host-local", "portmap", "loopback"];
const PLUGINS_PACKAGE: &str = "containernetworking-plugins";

/// Why there can be no real node here, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// What is not there, for people.
    pub what: Vec<String>,
    /// The Debian packages that would bring it, sorted; empty if none would.
    pub packages: Vec<&'static str>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "failed to find what a real node takes: {}", self.what.join(", "))?;
        match &*self.packages {
            [] => Ok(()),
            packages => write!(
                f,
                "\n  remedy: apt-get install -y {} (or your distribution's packages with these programs)",
                packages.join(" ")
            ),
        }
    }
}

impl std::error::Error for Missing {}

/// Whether a real node can run here.
///
/// # Errors
/// [`Missing`]: what is not there, and the command that installs it.
pub async fn requirements() -> Result<(), Missing> {
    let missing = look(PATH, &PLUGIN_DIRECTORIES);
    if !missing.what.is_empty() {
        return Err(missing);
    }
    let only = |what: &str| Missing { what: vec![what.to_owned()], packages: Vec::new() };
    if !rustix::process::geteuid().is_root() {
        return Err(only("root (containers need it here; start again with sudo)"));
    }
    let mut probe = machine::command(Path::new("true"));
    machine::run("make namespaces", &mut probe)
        .await
        .map(drop)
        .map_err(|error| only(&format!("the right to make namespaces ({error})")))
}

/// The directory that has all CNI plugins.
pub(super) fn plugin_directory() -> Option<&'static str> {
    PLUGIN_DIRECTORIES.into_iter().find(|directory| has_plugins(directory))
}

fn look(path: &str, plugin_directories: &[&str]) -> Missing {
    let found = |program: &str| path.split(':').any(|directory| Path::new(directory).join(program).is_file());
    let (mut what, mut packages) = (Vec::new(), Vec::new());
    for (program, package) in PROGRAMS.into_iter().filter(|(program, _)| !found(program)) {
        what.push(program.to_owned());
        packages.push(package);
    }
    if !plugin_directories.iter().any(|directory| has_plugins(directory)) {
        what.push(format!("the CNI plugins {} in {}", PLUGINS.join(", "), plugin_directories.join(" or ")));
        packages.push(PLUGINS_PACKAGE);
    }
    packages.sort_unstable();
    packages.dedup();
    Missing { what, packages }
}

fn has_plugins(directory: &str) -> bool {
    PLUGINS.iter().all(|plugin| Path::new(directory).join(plugin).is_file())
}

#[cfg(test)]
mod tests {
    use super::{PLUGINS, PROGRAMS, look};
    use std::fs;

    #[test]
    fn what_is_missing_is_named_with_the_command_that_installs_it() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().to_str().unwrap();
        let text = look(directory, &[directory]).to_string();
        assert!(text.contains("containerd-shim-runc-v2") && text.contains("ptp"), "{text}");
        assert!(
            text.contains("apt-get install -y containerd containernetworking-plugins dash iproute2"),
            "{text}"
        );
        for name in PROGRAMS.map(|(program, _)| program).into_iter().chain(PLUGINS) {
            fs::write(root.path().join(name), "").unwrap();
        }
        assert!(look(directory, &[directory]).what.is_empty());
        fs::remove_file(root.path().join("runc")).unwrap();
        let missing = look(directory, &[directory]);
        assert_eq!((missing.what, missing.packages), (vec!["runc".to_owned()], vec!["runc"]));
    }
}
