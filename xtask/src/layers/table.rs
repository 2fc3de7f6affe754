//! The layers of ARCHITECTURE.md as data. A new member must be entered here, or the check fails.

/// What a member may depend on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    /// The member; a trailing `*` stands for any ending.
    pub(super) member: &'static str,
    /// Members it may use, `*` for all.
    pub(super) may_use: &'static [&'static str],
    /// Packages that may not occur anywhere below it, direct or not.
    pub(super) never: &'static [&'static str],
    /// Whether it maps values to values: its own clippy.toml bans clock, environment and files.
    pub(super) purity: Purity,
}

/// Whether clippy keeps clock, environment and files out of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purity {
    /// No clock, no environment, no files.
    Pure,
    /// Free to do IO.
    Io,
}

/// What no pure member may reach: an async runtime, a Kubernetes client, an HTTP or WebAssembly engine.
const IO: &[&str] = &["tokio", "hyper", "kube-client", "kube-runtime", "reqwest", "wasmtime"];

/// As [`IO`], and no Kubernetes at all: the Compose model stands on its own.
const IO_AND_KUBERNETES: &[&str] =
    &["tokio", "hyper", "kube-client", "kube-runtime", "reqwest", "wasmtime", "kube", "k8s-openapi"];

/// The host's side, which a driver never sees.
const HOST_SIDE: &[&str] = &["tokio", "hyper", "kube", "kube-client", "k8s-openapi", "reqwest", "wasmtime"];

/// Lowest layer first.
pub(super) const RULES: &[Rule] = &[
    Rule { member: "kompox-crds", may_use: &[], never: IO, purity: Purity::Io },
    Rule { member: "kompox-compose", may_use: &[], never: IO_AND_KUBERNETES, purity: Purity::Pure },
    Rule { member: "kompox-signature", may_use: &[], never: IO_AND_KUBERNETES, purity: Purity::Pure },
    Rule {
        member: "kompox-core",
        may_use: &["kompox-crds", "kompox-compose", "kompox-signature"],
        never: IO,
        purity: Purity::Pure,
    },
    Rule { member: "kompox-driver-sdk", may_use: &[], never: HOST_SIDE, purity: Purity::Io },
    Rule {
        member: "kompox-driver-runtime",
        may_use: &["kompox-core"],
        never: &["kube-client", "kube-runtime"],
        purity: Purity::Io,
    },
    Rule {
        member: "kompox-oci",
        may_use: &["kompox-signature"],
        never: &["wasmtime", "kube", "kube-client", "k8s-openapi"],
        purity: Purity::Io,
    },
    Rule { member: "kompox-driver-*", may_use: &["kompox-driver-sdk"], never: HOST_SIDE, purity: Purity::Io },
    // The source of the driver `eks` once more, linked natively by measurements.
    Rule {
        member: "kompox-native-eks",
        may_use: &["kompox-driver-sdk"],
        never: HOST_SIDE,
        purity: Purity::Io,
    },
    Rule {
        member: "kompox-devcloud",
        may_use: &[],
        never: &["wasmtime", "kube-client", "k8s-openapi"],
        purity: Purity::Io,
    },
    Rule {
        member: "kompox-devcloud-csi",
        may_use: &["kompox-devcloud"],
        never: &["kube", "kube-client", "k8s-openapi", "wasmtime"],
        purity: Purity::Io,
    },
    Rule { member: "kompox-devcluster", may_use: &["kompox-crds"], never: &["wasmtime"], purity: Purity::Io },
    Rule {
        member: "kompox-operator",
        may_use: &["kompox-crds", "kompox-core", "kompox-driver-runtime", "kompox-oci", "kompox-signature"],
        never: &[],
        purity: Purity::Io,
    },
    Rule {
        member: "kompoxops",
        may_use: &[
            "kompox-crds",
            "kompox-compose",
            "kompox-core",
            "kompox-driver-runtime",
            "kompox-oci",
            "kompox-signature",
            "kompox-devcluster",
        ],
        never: &[],
        purity: Purity::Io,
    },
    Rule { member: "kompox-images", may_use: &[], never: &["tokio", "kube", "wasmtime"], purity: Purity::Io },
    Rule { member: "kompox-demo-service", may_use: &[], never: &["kube", "wasmtime"], purity: Purity::Io },
    Rule { member: "kompox-tests", may_use: &["*"], never: &[], purity: Purity::Io },
    // Light on purpose: every task waits for it to build.
    Rule { member: "xtask", may_use: &[], never: &["tokio", "kube", "wasmtime"], purity: Purity::Io },
];

/// Members at the top: not even a test of a lower member may use them.
pub(super) const TOP: &[&str] = &["kompox-operator", "kompoxops", "kompox-tests", "xtask"];

/// Packages that may occur nowhere: a second crypto provider, a C TLS library, an abandoned YAML crate.
pub(super) const BANNED: &[&str] = &["ring", "openssl", "openssl-sys", "native-tls", "serde_yaml"];

/// What a pure member's clippy.toml must ban.
pub(super) const PURE_BANS: &[&str] = &[
    "std::time::SystemTime::now",
    "std::time::Instant::now",
    "std::env::var",
    "std::env::vars",
    "std::fs::read",
    "std::fs::read_to_string",
    "std::fs::write",
    "std::fs::File::open",
];

/// The rule of a member: the exact name before a pattern.
pub(super) fn rule_of(member: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.member == member).or_else(|| RULES.iter().find(|rule| rule.fits(member)))
}

impl Rule {
    fn fits(&self, member: &str) -> bool {
        self.member.strip_suffix('*').is_some_and(|start| member.starts_with(start))
    }

    /// True when the table lets this member use the other.
    pub(super) fn allows(&self, other: &str) -> bool {
        self.may_use.iter().any(|allowed| *allowed == "*" || *allowed == other)
    }
}
