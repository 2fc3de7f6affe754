//! The Go module `devcluster/controlplane` as it was when this crate was compiled.
//!
//! It is embedded so that an installed CLI can build the control plane without a checkout.

use sha2::{Digest as _, Sha256};
use std::{env::consts, fmt::Write as _, fs, io, path::Path};

/// Name and content of every file of the module; what is compiled and what the cache key covers.
const FILES: [(&str, &str); 3] = [
    ("go.mod", include_str!("../../../../devcluster/controlplane/go.mod")),
    ("go.sum", include_str!("../../../../devcluster/controlplane/go.sum")),
    ("main.go", include_str!("../../../../devcluster/controlplane/main.go")),
];

const GO_MOD: &str = include_str!("../../../../devcluster/controlplane/go.mod");

/// Changes with every change to the sources, and with the platform: a home may be shared.
pub(super) fn key() -> String {
    let mut hash = Sha256::new();
    for part in
        FILES.into_iter().flat_map(|(name, content)| [name, content]).chain([consts::OS, consts::ARCH])
    {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut key = format!("{}-", kubernetes_version());
    for byte in digest.iter().take(8) {
        // Writing to a String cannot fail.
        let _ = write!(key, "{byte:02x}");
    }
    key
}

/// `v1.36.3`, as go.mod requires it.
pub(super) fn kubernetes_version() -> &'static str {
    GO_MOD
        .lines()
        .find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "))
        .map_or("v0.0.0", |version| version.split_whitespace().next().unwrap_or(version))
}

/// The language version that go.mod asks for: major and minor, such as (1, 26).
pub(super) fn go_version() -> Option<(u32, u32)> {
    GO_MOD.lines().find_map(|line| line.strip_prefix("go ")).and_then(parse_version)
}

/// Major and minor of `1.26.0`, `1.26` or `1.26rc1`.
pub(super) fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().split('.').map(|part| {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part.get(..digits)?.parse::<u32>().ok()
    });
    Some((numbers.next()??, numbers.next()??))
}

/// Linker flags. Without the version the API server calls itself v0.0.0 and then serves the API of
/// the wrong compatibility version (k8s.io/component-base/version).
pub(super) fn linker_flags() -> String {
    const PACKAGE: &str = "k8s.io/component-base/version";
    let version = kubernetes_version();
    let (major, minor) = parse_version(version.trim_start_matches('v')).unwrap_or_default();
    format!(
        "-s -w -X {PACKAGE}.gitVersion={version} -X {PACKAGE}.gitMajor={major} -X {PACKAGE}.gitMinor={minor}"
    )
}

/// Writes the module's files into `directory`, which must exist.
pub(super) fn unpack(directory: &Path) -> io::Result<()> {
    FILES.into_iter().try_for_each(|(name, content)| fs::write(directory.join(name), content))
}
