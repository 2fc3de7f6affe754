//! Names of the objects that the CLI makes. Functions of the user's input alone, so that any machine finds
//! the same objects again.

use std::collections::BTreeMap;

use kompox_crds::names::{self, labels};
use sha2::{Digest as _, Sha256};

/// Field manager of everything the CLI applies.
pub const FIELD_MANAGER: &str = "kompoxops";
/// Name of the disk that takes all volumes of an app.
pub const DISK: &str = "default";
/// The workspace when none is given.
pub const WORKSPACE: &str = "default";

/// Labels by which the operator knows a namespace that it looks after.
pub fn namespace_labels(workspace: &str, app: &str) -> BTreeMap<&'static str, String> {
    BTreeMap::from([
        (labels::MANAGED_BY, labels::MANAGED_BY_KOMPOX.to_owned()),
        (labels::APP_ID, names::app_id(workspace, app)),
        (labels::TENANT, workspace.to_owned()),
    ])
}

/// ConfigMap with the Compose files of an app.
pub fn compose_map(app: &str) -> String {
    format!("{app}-compose")
}

/// Secret with the variables for interpolation.
pub fn variables_secret(app: &str) -> String {
    format!("{app}-variables")
}

/// Secret with the files that the Compose file names.
pub fn files_secret(app: &str) -> String {
    format!("{app}-files")
}

/// A path as a key of a ConfigMap or Secret (`[-._a-zA-Z0-9]+`). A path that had to be changed gets a hash,
/// so that no two paths share a key.
pub fn key_of_path(path: &str) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if path.chars().all(fits)
        && !path.is_empty()
        && path.len() <= 200
        && path != "."
        && !path.starts_with("..")
    {
        return path.to_owned();
    }
    let kept: String = path.chars().map(|c| if fits(c) { c } else { '-' }).take(200).collect();
    let hash: String = Sha256::digest(path).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{hash}", kept.trim_start_matches(['.', '-']))
}

/// True for a DNS label (RFC 1123) of at most `longest` characters.
pub fn is_label(text: &str, longest: usize) -> bool {
    let inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    !text.is_empty()
        && text.len() <= longest
        && text.chars().all(inner)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_fit_and_stay_apart() {
        assert_eq!(key_of_path("./app.env"), "app.env");
        assert_eq!(key_of_path(".env"), ".env");
        let (a, b) = (key_of_path("conf/app.env"), key_of_path("conf-app.env"));
        assert_ne!(a, b);
        assert!(a.starts_with("conf-app.env-"), "{a}");
        assert!(key_of_path("../up.env").starts_with("up.env-"));
        assert!(key_of_path(&"x".repeat(5_000)).len() <= 253);
        assert!(!key_of_path("..").starts_with(".."));
    }

    #[test]
    fn labels_are_labels() {
        for good in ["a", "a-1", "0"] {
            assert!(is_label(good, 63), "{good}");
        }
        for bad in ["", "A", "-a", "a-", "a.b", "ü"] {
            assert!(!is_label(bad, 63), "{bad}");
        }
        assert!(!is_label("abc", 2));
    }
}
