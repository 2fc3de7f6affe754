//! The environment of a service, as the keys of a Secret.

use super::Findings;
use super::hooks::Variables;
use super::subject::Subject;
use crate::app::codes;
use crate::app::secret_text::SecretText;
use crate::app::validated::NamedVariable;
use crate::hash::FieldHasher;
use kompox_compose::model::EnvironmentVariable;
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;

/// The longest `NAME=value` that Linux passes to a program (`MAX_ARG_STRLEN`), with its final NUL.
const MAX_VARIABLE: usize = 128 * 1024;

/// The largest Secret, all values together.
const MAX_SECRET: usize = 1024 * 1024;

/// The environment of a service.
pub(super) struct Environment {
    /// Variables whose names can be keys of a Secret.
    pub(super) plain: BTreeMap<String, SecretText>,
    /// The others, by name.
    pub(super) named: BTreeMap<String, NamedVariable>,
    /// SHA-256 over all of them.
    pub(super) hash: String,
}

/// The environment of the file, and `more` that other keys need.
pub(super) fn validate(subject: &Subject<'_>, more: Variables, findings: &mut Findings) -> Environment {
    let service = subject.service;
    let mut hasher = FieldHasher::default();
    let mut environment = Environment { plain: more, named: BTreeMap::new(), hash: String::new() };
    let mut total = 0;
    for (name, variable) in &service.environment {
        let value = variable.value.expose_secret();
        check_variable(subject, name, variable, findings);
        let text = SecretText::new(value.as_bytes());
        if is_secret_key(name) {
            environment.plain.insert(name.clone(), text);
        } else {
            let key = format!("variable-{}", FieldHasher::default().field(name).short());
            environment.named.insert(name.clone(), NamedVariable { key, value: text });
        }
    }
    let named = environment.named.iter().map(|(name, variable)| (name, &variable.value));
    let mut all: Vec<_> = environment.plain.iter().chain(named).collect();
    all.sort_by_key(|(name, _)| *name);
    for (name, value) in all {
        total += name.len() + value.expose().len();
        hasher.field(name).field(value.expose());
    }
    environment.hash = hasher.hex();
    if total > MAX_SECRET {
        let message = format!("the environment is {total} bytes long, more than a Secret holds");
        let span = &service.name.span;
        findings.diagnose(
            subject
                .at(&codes::ENVIRONMENT_SIZE, "environment", span, message)
                .help("move large values into files of the image or of a volume"),
        );
    }
    environment
}

fn check_variable(
    subject: &Subject<'_>,
    name: &str,
    variable: &EnvironmentVariable,
    findings: &mut Findings,
) {
    let key = format!("environment.{name}");
    let value = variable.value.expose_secret();
    let at = |code, message: String| subject.at(code, &key, &variable.span, message);
    if name.is_empty() || !name.chars().all(|c| matches!(c, ' '..='~') && c != '=') {
        let message = format!("no container can have the variable `{}`", name.escape_debug());
        findings.diagnose(at(&codes::ENVIRONMENT_NAME, message).help("use letters, digits and `_`"));
    }
    if value.contains('\0') {
        let message = "the value contains a NUL, which no environment can".to_owned();
        findings.diagnose(at(&codes::ENVIRONMENT_VALUE, message).help("pass binary data in a file"));
    }
    if name.len() + value.len() + 2 > MAX_VARIABLE {
        let message = "the value is longer than Linux passes to a program".to_owned();
        let diagnostic = at(&codes::ENVIRONMENT_SIZE, message);
        findings.diagnose(diagnostic.help("give at most 128 KiB, or pass the data in a file"));
    }
}

/// Keys of Secrets that `envFrom` turns into variables.
fn is_secret_key(name: &str) -> bool {
    (1..=253).contains(&name.len())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        && name != "."
        && !name.starts_with("..")
}

#[cfg(test)]
mod tests {
    use super::is_secret_key;

    #[test]
    fn odd_names_are_no_keys() {
        for (name, key) in [
            ("A", true),
            ("1A", true),
            ("a.b-c_d", true),
            (".", false),
            ("..a", false),
            ("a b", false),
            ("", false),
        ] {
            assert_eq!(is_secret_key(name), key, "{name}");
        }
    }
}
