//! What the process was given: words, environment, user, limits, namespaces, mounts. Reads only.

use std::collections::BTreeMap;
use std::fs;

use serde::Serialize;

/// Everything but the mounts.
#[derive(Debug, Serialize)]
pub(crate) struct Facts {
    args: Vec<String>,
    env: BTreeMap<String, String>,
    directory: Option<String>,
    hostname: String,
    pid: u32,
    uid: u32,
    gid: u32,
    /// Supplementary groups, sorted.
    groups: Vec<u32>,
    /// Lines of /proc/self/status that say what it may do: capabilities, seccomp, no_new_privs, umask.
    status: BTreeMap<String, String>,
}

/// One line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Mount {
    /// Directory within the file system that is mounted: what a subPath becomes.
    root: String,
    path: String,
    options: Vec<String>,
    fs_type: String,
    source: String,
    /// Options of the file system, such as a tmpfs' size.
    super_options: Vec<String>,
}

const STATUS_LINES: [&str; 8] =
    ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp", "Umask"];

impl Facts {
    /// As it is now.
    pub(crate) fn read() -> Self {
        let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        let mut groups: Vec<u32> =
            rustix::process::getgroups().unwrap_or_default().iter().map(|id| id.as_raw()).collect();
        groups.sort_unstable();
        Self {
            args: std::env::args_os().map(lossy).collect(),
            env: std::env::vars_os().map(|(name, value)| (lossy(name), lossy(value))).collect(),
            directory: std::env::current_dir().ok().map(|path| path.display().to_string()),
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            pid: std::process::id(),
            uid: rustix::process::geteuid().as_raw(),
            gid: rustix::process::getegid().as_raw(),
            groups,
            status: status(&fs::read_to_string("/proc/self/status").unwrap_or_default()),
        }
    }
}

fn status(text: &str) -> BTreeMap<String, String> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .filter(|(key, _)| STATUS_LINES.contains(key))
        .map(|(key, value)| (key.to_owned(), value.trim().to_owned()))
        .collect()
}

/// All mounts in their order.
pub(crate) fn mounts() -> std::io::Result<Vec<Mount>> {
    Ok(fs::read_to_string("/proc/self/mountinfo")?.lines().filter_map(mount).collect())
}

/// `id parent major:minor root path options optional… - type source super-options`.
fn mount(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ').skip(3).map(unescaped);
    let mut after = after.splitn(3, ' ').map(unescaped);
    let list = |text: String| text.split(',').map(ToOwned::to_owned).collect();
    Some(Mount {
        root: before.next()?,
        path: before.next()?,
        options: list(before.next()?),
        fs_type: after.next()?,
        source: after.next()?,
        super_options: list(after.next()?),
    })
}

/// The kernel writes blank, tab, line break and backslash as octal numbers.
fn unescaped(text: &str) -> String {
    text.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_mountinfo_is_taken_apart() {
        let line = "36 35 98:0 /my\\040sub /mnt ro,noatime master:1 shared:2 - tmpfs tmpfs rw,size=64k";
        let texts = |texts: [&str; 2]| texts.map(str::to_owned).to_vec();
        let expected = Mount {
            root: "/my sub".into(),
            path: "/mnt".into(),
            options: texts(["ro", "noatime"]),
            fs_type: "tmpfs".into(),
            source: "tmpfs".into(),
            super_options: texts(["rw", "size=64k"]),
        };
        assert_eq!(mount(line), Some(expected));
        assert_eq!(mount("36 35"), None);
    }

    #[test]
    fn facts_are_this_process() {
        let facts = Facts::read();
        assert_eq!(facts.pid, std::process::id());
        assert_eq!(facts.env.get("CARGO_PKG_NAME").map(String::as_str), Some("kompox-demo-service"));
        assert!(facts.status.contains_key("CapEff") && !facts.hostname.is_empty());
        assert!(mounts().unwrap().iter().any(|mount| mount.path == "/"));
    }
}
