//! `driver` and `driver_opts` of a volume: what the `local` driver mounts by them.

use super::Findings;
use crate::app::codes;
use kompox_compose::Diagnostic;
use kompox_compose::model::Volume;

/// What a volume without an entry in `spec.volumes` is.
pub(super) enum Driver {
    /// A directory that starts empty.
    Local,
    /// Memory.
    Memory {
        /// Bytes.
        size: Option<u64>,
    },
    /// A directory of an NFS server.
    Nfs {
        /// Host name or address.
        server: String,
        /// Absolute path.
        path: String,
    },
    /// A path of the host.
    Bind {
        /// The path, as written.
        path: String,
    },
}

/// The driver; `None` when a finding says why there is none.
pub(super) fn read(name: &str, volume: Option<&Volume>, findings: &mut Findings) -> Option<Driver> {
    let Some(volume) = volume else { return Some(Driver::Local) };
    let other = volume.driver.as_ref().filter(|driver| !matches!(driver.value.as_str(), "" | "local"));
    if let Some(driver) = other {
        let message = format!("a cluster has no volume driver `{}`", driver.value);
        findings.diagnose(refused(name, volume, message));
        return None;
    }
    let option = |key: &str| {
        volume.driver_opts.get(key).map(|value| value.value.as_str()).filter(|value| !value.is_empty())
    };
    let options: Vec<&str> = option("o").unwrap_or_default().split(',').filter(|o| !o.is_empty()).collect();
    // Options are often variables that are left empty.
    if volume.driver_opts.values().all(|value| value.value.is_empty()) {
        return Some(Driver::Local);
    }
    let value = |key: &str| options.iter().find_map(|o| o.strip_prefix(key)?.strip_prefix('='));
    let driver = match (option("type").unwrap_or("none"), option("device")) {
        ("tmpfs", _) => Some((Driver::Memory { size: value("size").and_then(bytes) }, "size")),
        ("nfs" | "nfs4", Some(device)) => nfs(device, value("addr")).map(|driver| (driver, "addr")),
        ("none" | "bind", Some(device)) if options.iter().any(|o| matches!(*o, "bind" | "rbind")) => {
            Some((Driver::Bind { path: device.to_owned() }, "bind"))
        }
        _ => None,
    };
    let Some((driver, used)) = driver else {
        findings.diagnose(refused(
            name,
            volume,
            "the driver options describe no volume of a cluster".to_owned(),
        ));
        return None;
    };
    let harmless = |o: &&&str| !matches!(**o, "rw" | "bind" | "rbind") && o.split('=').next() != Some(used);
    for lost in options.iter().filter(harmless) {
        let message =
            format!("the mount option `{}` has no effect", lost.split('=').next().unwrap_or_default());
        findings.diagnose(at(name, volume, Diagnostic::new(&codes::VOLUME_OPTION, message)));
    }
    Some(driver)
}

/// `device` is `:/path` or `server:/path`.
fn nfs(device: &str, address: Option<&str>) -> Option<Driver> {
    let (server, path) = device.split_once(':').unwrap_or(("", device));
    let server = address.unwrap_or(server);
    let valid = !server.is_empty() && path.starts_with('/');
    valid.then(|| Driver::Nfs { server: server.to_owned(), path: path.to_owned() })
}

/// The kernel's sizes: a number with `k`, `m` or `g`.
fn bytes(text: &str) -> Option<u64> {
    let (number, shift) = match text.char_indices().next_back()? {
        (end, 'k' | 'K') => (text.get(..end)?, 10),
        (end, 'm' | 'M') => (text.get(..end)?, 20),
        (end, 'g' | 'G') => (text.get(..end)?, 30),
        _ => (text, 0),
    };
    number.parse::<u64>().ok()?.checked_mul(1 << shift)
}

fn refused(name: &str, volume: &Volume, message: String) -> Diagnostic {
    at(name, volume, Diagnostic::new(&codes::VOLUME_DRIVER, message))
        .help(format!("add `{name}` to spec.volumes: then the driver is not used"))
}

fn at(name: &str, volume: &Volume, diagnostic: Diagnostic) -> Diagnostic {
    diagnostic.at(&volume.span).path(format!("volumes.{name}"))
}
