//! The files that `tests/fixtures/make/make.sh` made with cosign, as evidence.

use aws_lc_rs::digest::{SHA256, digest};
use kompox_signature::{Evidence, PublicKey, SIMPLE_SIGNING_MEDIA_TYPE, Subject};
use std::collections::BTreeMap;

/// A file among the fixtures.
macro_rules! fixture {
    ($name:expr) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $name)).as_slice()
    };
}
pub(crate) use fixture;

/// One key and what it signed, in both forms.
pub(crate) struct Signed {
    pub(crate) name: &'static str,
    pub(crate) public: &'static [u8],
    pub(crate) private: &'static [u8],
    pub(crate) simple: Evidence,
    /// None for Ed25519: cosign writes the pre-hashed form, see [`prehashed`].
    bundle: Option<Evidence>,
}

/// What the key `$key` signed, under the file name `$name`.
macro_rules! signed {
    ($key:literal, $name:literal, $bundle:expr) => {
        Signed {
            name: $key,
            public: fixture!(concat!("keys/", $key, ".pub")),
            private: fixture!(concat!("keys/", $key, ".key")),
            simple: simple(fixture!(concat!($name, ".sig.json")), fixture!(concat!($name, ".payload.json"))),
            bundle: $bundle,
        }
    };
    ($key:literal, $name:literal) => {
        signed!($key, $name, Some(Evidence::Bundle(fixture!(concat!($name, ".bundle.json")).to_vec())))
    };
}

/// The driver, signed with a key of each kind.
pub(crate) fn every_kind() -> [Signed; 4] {
    [p256(), p384(), signed!("rsa", "rsa"), signed!("ed25519", "ed25519", None)]
}

/// The driver, signed with the key that `cosign generate-key-pair` made.
pub(crate) fn p256() -> Signed {
    signed!("p256", "p256")
}

/// The driver, signed with another key.
pub(crate) fn p384() -> Signed {
    signed!("p384", "p384")
}

/// Another artifact in the same repository, signed with the first key.
pub(crate) fn other() -> Signed {
    signed!("p256", "other")
}

/// The driver, signed by `cosign sign` with Ed25519: a form that `cosign verify` refuses.
pub(crate) fn prehashed() -> Signed {
    signed!("ed25519", "prehashed")
}

/// The driver, signed under a name of its own with a tag.
pub(crate) fn claimed() -> Evidence {
    simple(fixture!("claimed.sig.json"), fixture!("claimed.payload.json"))
}

/// An attestation about the driver, by the same key.
pub(crate) fn attestation() -> Evidence {
    Evidence::Bundle(fixture!("attestation.bundle.json").to_vec())
}

impl Signed {
    /// The signatures in both forms, as far as there are both.
    pub(crate) fn evidence(&self) -> Vec<Evidence> {
        std::iter::once(self.simple.clone()).chain(self.bundle.clone()).collect()
    }

    pub(crate) fn bundle(&self) -> Evidence {
        self.bundle.clone().unwrap()
    }

    pub(crate) fn key(&self) -> PublicKey {
        PublicKey::from_pem(self.public).unwrap()
    }

    /// The driver in the repository that this key signed in.
    pub(crate) fn subject(&self) -> Subject {
        subject(self.name, fixture!("driver/manifest.json"))
    }
}

/// A manifest in the repository of a key.
pub(crate) fn subject(key: &str, manifest: &[u8]) -> Subject {
    Subject::new(&format!("localhost:5099/acme/{key}"), &sha256(manifest)).unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    let hex: String = digest(&SHA256, bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

/// The first layer of a manifest behind a `.sig` tag, with its payload.
fn simple(manifest: &[u8], payload: &[u8]) -> Evidence {
    let manifest: serde_json::Value = serde_json::from_slice(manifest).unwrap();
    let layer = &manifest["layers"][0];
    assert_eq!(layer["mediaType"], SIMPLE_SIGNING_MEDIA_TYPE);
    assert_eq!(layer["digest"], sha256(payload).as_str());
    let annotations: BTreeMap<String, String> = serde_json::from_value(layer["annotations"].clone()).unwrap();
    Evidence::SimpleSigning { payload: payload.to_vec(), annotations }
}
