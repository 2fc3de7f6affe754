//! The environment of a service, as the keys of a Secret.

use super::Findings;
use crate::app::codes;
use crate::app::secret_text::SecretText;
use crate::hash::FieldHasher;
use kompox_compose::Diagnostic;
use kompox_compose::model::{EnvironmentVariable, Service};
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;

/// The longest `NAME=value` that Linux passes to a program (`MAX_ARG_STRLEN`), with its final NUL.
const MAX_VARIABLE: usize = 128 * 1024;

/// The largest Secret, all values together.
const MAX_SECRET: usize = 1024 * 1024;

/// The environment and its hash.
pub(super) fn validate(service: &Service, findings: &mut Findings) -> (BTreeMap<String, SecretText>, String) {
    let mut hasher = FieldHasher::default();
    let mut environment = BTreeMap::new();
    let mut total = 0;
    for (name, variable) in &service.environment {
        let value = variable.value.expose_secret();
        check_variable(service, name, variable, findings);
        total += name.len() + value.len();
        hasher.field(name).field(value);
        environment.insert(name.clone(), SecretText::new(value.as_bytes()));
    }
    if total > MAX_SECRET {
        let message = format!("the environment is {total} bytes long, more than a Secret holds");
        findings.diagnose(
            Diagnostic::new(&codes::ENVIRONMENT_SIZE, message)
                .at(&service.name.span)
                .path(format!("services.{}.environment", service.name.value))
                .help("move large values into files of the image or of a volume"),
        );
    }
    (environment, hasher.hex())
}

fn check_variable(service: &Service, name: &str, variable: &EnvironmentVariable, findings: &mut Findings) {
    let path = format!("services.{}.environment.{name}", service.name.value);
    let value = variable.value.expose_secret();
    if !is_secret_key(name) {
        findings.diagnose(
            Diagnostic::new(&codes::ENVIRONMENT_NAME, format!("a Secret cannot have the key `{name}`"))
                .at(&variable.span)
                .path(&path)
                .help("use letters, digits, `_`, `-` and `.`, at most 253"),
        );
    }
    if name.len() + value.len() + 2 > MAX_VARIABLE || value.contains('\0') {
        let message = "the value is longer than Linux passes to a program, or contains a NUL";
        findings.diagnose(Diagnostic::new(&codes::ENVIRONMENT_SIZE, message).at(&variable.span).path(&path));
    }
}

/// Keys of Secrets that `envFrom` turns into variables.
fn is_secret_key(name: &str) -> bool {
    (1..=253).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        && name != "."
        && !name.starts_with("..")
}
