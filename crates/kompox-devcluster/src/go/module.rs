//! The Go modules below `devcluster/` as they were when this crate was compiled.

use sha2::{Digest as _, Sha256};
use std::{env::consts, fmt::Write as _, fs, io, path::Path};

/// A file of a module: its name and its content.
type File = (&'static str, &'static str);

/// A Go module whose programs are built from source.
#[derive(Clone, Copy, Debug)]
pub struct Module {
    /// Its folder below `devcluster/`, and below the cache.
    pub name: &'static str,
    /// The dependency that gives the module its version, as go.mod requires it.
    pub(super) leading: &'static str,
    /// What is compiled, and what the cache's key covers. One of them is go.mod.
    pub(super) files: &'static [File],
    pub(super) kind: Kind,
}

/// How the programs come out of a module.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Its own main package, as a program of this name that reports the version of Kubernetes.
    Kubernetes(&'static str),
    /// Its own main package, as a program of this name.
    Program(&'static str),
    /// The programs of others that go.mod lists as its tools (`go help tool`), each under its own name.
    Tools,
}

/// The files of a module that has tools and no code of its own.
macro_rules! tools {
    ($name:literal) => {
        &[
            ("go.mod", include_str!(concat!("../../../../devcluster/", $name, "/go.mod"))),
            ("go.sum", include_str!(concat!("../../../../devcluster/", $name, "/go.sum"))),
        ]
    };
}

/// etcd and Kubernetes' components in one program, `kompox-controlplane`; its first argument names the
/// component.
pub const CONTROL_PLANE: Module = Module {
    name: "controlplane",
    leading: "k8s.io/kubernetes",
    files: &[
        ("go.mod", include_str!("../../../../devcluster/controlplane/go.mod")),
        ("go.sum", include_str!("../../../../devcluster/controlplane/go.sum")),
        ("main.go", include_str!("../../../../devcluster/controlplane/main.go")),
    ],
    kind: Kind::Kubernetes("kompox-controlplane"),
};

/// The first process of a PID namespace: `pause`. Its version is that of Go, for it is all of it.
pub const PAUSE: Module = Module {
    name: "pause",
    leading: "go",
    files: &[
        ("go.mod", include_str!("../../../../devcluster/pause/go.mod")),
        ("main.go", include_str!("../../../../devcluster/pause/main.go")),
    ],
    kind: Kind::Program("pause"),
};

/// The cluster's name server: `coredns`.
pub const DNS: Module =
    Module { name: "dns", leading: "github.com/coredns/coredns", files: tools!("dns"), kind: Kind::Tools };

/// The sidecars of a CSI driver: `csi-attacher`, `csi-provisioner`, `csi-resizer`, `csi-snapshotter` and
/// `snapshot-controller`. The version is the snapshotter's.
pub const STORAGE: Module = Module {
    name: "storage",
    leading: "github.com/kubernetes-csi/external-snapshotter/v8",
    files: tools!("storage"),
    kind: Kind::Tools,
};

/// The conformance test of CSI drivers: `csi-sanity`.
pub const SANITY: Module = Module {
    name: "sanity",
    leading: "github.com/kubernetes-csi/csi-test/v5",
    files: tools!("sanity"),
    kind: Kind::Tools,
};

/// An OCI registry: `registry`, the reference implementation.
pub const REGISTRY: Module = Module {
    name: "registry",
    leading: "github.com/distribution/distribution/v3",
    files: tools!("registry"),
    kind: Kind::Tools,
};

/// An OCI registry that lists referrers: `referrers`, olareg in memory.
pub const REFERRERS: Module = Module {
    name: "referrers",
    leading: "github.com/olareg/olareg",
    files: &[
        ("go.mod", include_str!("../../../../devcluster/referrers/go.mod")),
        ("go.sum", include_str!("../../../../devcluster/referrers/go.sum")),
        ("main.go", include_str!("../../../../devcluster/referrers/main.go")),
    ],
    kind: Kind::Program("referrers"),
};

impl Module {
    /// Version of the dependency that leads, such as `v1.36.3`.
    #[must_use]
    pub fn version(&self) -> &'static str {
        self.version_of(self.leading)
    }

    /// Version of one of its dependencies.
    pub(crate) fn version_of(&self, dependency: &str) -> &'static str {
        self.go_mod()
            .lines()
            .find_map(|line| line.trim().strip_prefix(dependency)?.strip_prefix(' '))
            .and_then(|rest| rest.split_whitespace().next())
            .unwrap_or("v0.0.0")
    }

    /// Changes with every change to the sources, and with the platform: a home may be shared.
    pub(super) fn key(&self) -> String {
        let mut hash = Sha256::new();
        for part in
            self.files.iter().flat_map(|(name, content)| [*name, *content]).chain([consts::OS, consts::ARCH])
        {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let digest = hash.finalize();
        let mut key = format!("{}-", self.version());
        for byte in digest.iter().take(8) {
            // Writing to a String cannot fail.
            let _ = write!(key, "{byte:02x}");
        }
        key
    }

    /// The language version that go.mod asks for: major and minor, such as (1, 26).
    pub(super) fn go_version(&self) -> Option<(u32, u32)> {
        self.go_mod().lines().find_map(|line| line.strip_prefix("go ")).and_then(parse_version)
    }

    /// What `go build` is told beside its common flags; the programs go to the folder `output`.
    pub(super) fn build_arguments(&self, output: &str) -> Vec<String> {
        match self.kind {
            Kind::Kubernetes(program) => {
                let flags = kubernetes_linker_flags(self.version());
                vec!["-ldflags".into(), flags, "-o".into(), format!("{output}/{program}"), ".".into()]
            }
            Kind::Program(program) => {
                ["-ldflags", "-s -w", "-o", &format!("{output}/{program}"), "."].map(str::to_owned).to_vec()
            }
            Kind::Tools => ["-ldflags", "-s -w", "-o", output, "tool"].map(str::to_owned).to_vec(),
        }
    }

    /// Writes the module's files into `directory`, which must exist.
    pub(super) fn unpack(&self, directory: &Path) -> io::Result<()> {
        self.files.iter().try_for_each(|(name, content)| fs::write(directory.join(name), content))
    }

    fn go_mod(&self) -> &'static str {
        self.files.iter().find(|(name, _)| *name == "go.mod").map_or("", |(_, content)| content)
    }
}

/// Without the version the API server calls itself v0.0.0 and then serves the API of the wrong
/// compatibility version (k8s.io/component-base/version).
fn kubernetes_linker_flags(version: &str) -> String {
    const PACKAGE: &str = "k8s.io/component-base/version";
    let (major, minor) = parse_version(version.trim_start_matches('v')).unwrap_or_default();
    format!(
        "-s -w -X {PACKAGE}.gitVersion={version} -X {PACKAGE}.gitMajor={major} -X {PACKAGE}.gitMinor={minor}"
    )
}

/// Major and minor of `1.26.0`, `1.26` or `1.26rc1`.
pub(super) fn parse_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().split('.').map(|part| {
        let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        part.get(..digits)?.parse::<u32>().ok()
    });
    Some((numbers.next()??, numbers.next()??))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_comes_from_the_module() {
        let version = CONTROL_PLANE.version();
        assert!(version.starts_with("v1."), "{version}");
        let flags = kubernetes_linker_flags(version);
        assert!(flags.contains(&format!("gitVersion={version} ")), "{flags}");
        assert!(CONTROL_PLANE.key().starts_with(&format!("{version}-")), "{}", CONTROL_PLANE.key());
        assert!(CONTROL_PLANE.go_version() >= Some((1, 26)));
    }

    #[test]
    fn every_module_has_a_version_and_a_key_of_its_own() {
        let modules = [CONTROL_PLANE, PAUSE, DNS, STORAGE, SANITY, REGISTRY, REFERRERS];
        let keys: std::collections::BTreeSet<String> = modules.iter().map(Module::key).collect();
        assert_eq!(keys.len(), modules.len());
        for module in modules {
            assert_ne!(module.version(), "v0.0.0", "{}", module.name);
        }
    }

    #[test]
    fn versions_of_go_are_read() {
        for (text, want) in [
            ("1.26.8 linux/amd64", Some((1, 26))),
            ("1.26rc1", Some((1, 26))),
            ("1.9", Some((1, 9))),
            ("devel +abc", None),
            ("1", None),
        ] {
            assert_eq!(parse_version(text), want, "{text}");
        }
    }
}
