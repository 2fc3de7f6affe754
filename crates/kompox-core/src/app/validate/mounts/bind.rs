//! Binds of host paths: files that the spec supplies, a directory of a volume, or nothing a cluster has.

use super::provided::{self, Provided};
use super::{Findings, Given, Site, place, target};
use crate::app::codes;
use crate::app::problem::Problem;
use crate::app::validated::{Mount, MountSource};
use crate::naming;
use kompox_compose::model::BindMount;
use kompox_crds::Reason;
use kompox_crds::v1alpha1::app::DEFAULT_VOLUME;

/// Directory on the disk with what was a relative path.
const DIRECTORY: &str = "binds";

/// Permission bits of a supplied file, and of one that begins with `#!`.
const MODE: i32 = 0o444;
const MODE_OF_SCRIPTS: i32 = 0o555;

/// Host directories that are the system itself.
const SYSTEM: [&str; 6] = ["/proc", "/sys", "/dev", "/run", "/var/run", "/var/lib/docker"];

/// Endings of names that are those of files.
const FILE_ENDINGS: [&str; 30] = [
    "acl",
    "cer",
    "cfg",
    "cnf",
    "conf",
    "config",
    "crt",
    "csv",
    "env",
    "html",
    "htpasswd",
    "ini",
    "js",
    "json",
    "key",
    "list",
    "lua",
    "pem",
    "php",
    "properties",
    "py",
    "rules",
    "sh",
    "sql",
    "template",
    "toml",
    "txt",
    "xml",
    "yaml",
    "yml",
];

/// A bind.
pub(super) fn validate(
    given: &Given<'_>,
    site: &Site<'_>,
    bind: &BindMount,
    findings: &mut Findings,
) -> Option<Mount> {
    let own = |mode: &str| matches!(mode, "rprivate" | "private");
    if let Some(mode) = bind.propagation.as_ref().filter(|mode| !own(&mode.value)) {
        let message = format!("a pod does not pass mounts on to its host (`{}`)", mode.value);
        findings.diagnose(site.finding(&codes::PROPAGATION, message).help("remove `propagation`"));
        return None;
    }
    of_volume(given, site, &bind.path.value, None, findings)
}

/// The path of a bind, or of a volume that is one, and a directory below it.
pub(super) fn of_volume(
    given: &Given<'_>,
    site: &Site<'_>,
    path: &str,
    below: Option<&str>,
    findings: &mut Findings,
) -> Option<Mount> {
    let path = provided::normal(&below.map_or_else(|| path.to_owned(), |below| format!("{path}/{below}")));
    if let Some(found) = provided::find(given.app, given.facts, &path) {
        return Some(supplied(given, site, found, findings));
    }
    if let Some(mount) = mapped(given, site, &path, findings) {
        return mount;
    }
    if matches!(path.as_str(), "/etc/localtime" | "/etc/timezone") {
        let message = "the host's time zone is not mounted: containers run in UTC";
        let help = "set the variable `TZ`, such as `TZ: Europe/Berlin`";
        findings.diagnose(site.finding(&codes::CLOCK_FILE, message).help(help));
        return None;
    }
    if path.starts_with('/') || path.starts_with('~') {
        findings.diagnose(refused(site, &path));
        return None;
    }
    relative(given, site, &path, findings)
}

fn supplied(given: &Given<'_>, site: &Site<'_>, found: Provided, findings: &mut Findings) -> Mount {
    if !site.mount.read_only {
        let message = "the files that spec.files supplies are read-only";
        findings.diagnose(site.finding(&codes::FILES_READ_ONLY, message).help("add `:ro` to say so"));
    }
    let source = match found {
        Provided::File(source) => {
            let content = provided::content(given.facts, &source);
            let script = content.is_some_and(|content| content.expose().starts_with(b"#!"));
            MountSource::File { source, mode: if script { MODE_OF_SCRIPTS } else { MODE } }
        }
        Provided::Directory(files) => MountSource::Files(files),
    };
    Mount { read_only: true, ..site.mount(source) }
}

/// By the longest prefix of `spec.bindMap`; `None`: no prefix fits.
fn mapped(given: &Given<'_>, site: &Site<'_>, path: &str, findings: &mut Findings) -> Option<Option<Mount>> {
    let fits = |prefix: &str| prefix == "/" || path == prefix || target::is_below(path, prefix);
    let entries = given.app.spec.bind_map.iter().map(|entry| (provided::normal(&entry.prefix), entry));
    let (prefix, entry) =
        entries.filter(|(prefix, _)| fits(prefix)).max_by_key(|(prefix, _)| prefix.len())?;
    let rest = path.strip_prefix(prefix.as_str()).unwrap_or_default().trim_matches('/');
    let parts = [entry.sub_path.as_deref().unwrap_or_default().trim_matches('/'), rest];
    let below = parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/");
    // Between the prefix and the disk nothing may climb.
    if below.split('/').any(|part| part == "..") {
        findings.diagnose(refused(site, path));
        return Some(None);
    }
    let Some(volume) = place::entry(given, &entry.volume) else {
        findings.problem(Problem::in_spec(
            Reason::VolumeNotMapped,
            format!("spec.bindMap[{}].volume", entry.prefix),
            format!("there is no entry `{}` in spec.volumes", entry.volume),
            "name one of the entries of spec.volumes",
        ));
        return Some(None);
    };
    let below = Some(below).filter(|below| !below.is_empty());
    let source = if entry.volume == DEFAULT_VOLUME {
        place::of_default(given, &below.unwrap_or_else(|| directory_of(path)), None)
    } else {
        place::of_own(volume, below.as_deref())
    };
    Some(source.map(|source| site.mount(source)))
}

/// The directory of what was a host path, on the disk of the entry `default`.
fn directory_of(path: &str) -> String {
    format!("{DIRECTORY}/{}", naming::slug(path, naming::MAX_LABEL))
}

fn refused(site: &Site<'_>, path: &str) -> kompox_compose::Diagnostic {
    let socket = path.ends_with("/docker.sock") || path.ends_with("/podman.sock");
    let system = path == "/" || SYSTEM.iter().any(|own| path == *own || target::is_below(path, own));
    if socket {
        let message = format!("a cluster has no `{path}`: its containers are not Docker's");
        return site.finding(&codes::HOST_SYSTEM_PATH, message).help("remove the mount, and what needs it");
    }
    if system {
        let message = format!("`{path}` is part of the host's own system");
        return site.finding(&codes::HOST_SYSTEM_PATH, message).help("remove the mount");
    }
    let message = format!("the host path `{path}` does not exist in a cluster");
    site.finding(&codes::HOST_PATH, message)
        .help("map it with spec.bindMap to a volume, or use a named volume")
}

fn relative(given: &Given<'_>, site: &Site<'_>, path: &str, findings: &mut Findings) -> Option<Mount> {
    if is_file(path) || is_file(&site.mount.target) {
        let message = format!("the content of `{path}` is not given");
        let help = format!("add `{path}` to spec.files.mounts");
        findings.diagnose(site.finding(&codes::FILE_WITHOUT_CONTENT, message).help(help));
        return None;
    }
    let shown = if path.is_empty() { "." } else { path };
    let Some(source) = place::of_default(given, &directory_of(shown), None) else {
        let message = format!("the directory `{shown}` has no place");
        let help = "add `default` to spec.volumes, or supply the files with spec.files";
        findings.diagnose(site.finding(&codes::VOLUME_NOT_MAPPED, message).help(help));
        findings.problem(Problem::in_spec(
            Reason::VolumeNotMapped,
            "spec.volumes",
            format!("service {} binds `{shown}`, which has no place", site.service.name.value),
            "add the entry `default`, with a diskRef",
        ));
        return None;
    };
    let message = format!("`{shown}` becomes a directory on a disk, and starts empty");
    let help = "put the files there once, or supply them with spec.files";
    findings.diagnose(site.finding(&codes::BIND_STARTS_EMPTY, message).help(help));
    Some(site.mount(source))
}

/// Nothing here can look at the file system: names tell.
pub(super) fn is_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    matches!(name, "Caddyfile" | "Dockerfile" | "Makefile")
        || ending.is_some_and(|ending| FILE_ENDINGS.contains(&ending.as_str()))
}
