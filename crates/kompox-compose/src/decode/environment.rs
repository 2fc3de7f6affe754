//! `environment` and `env_file`, merged into the variables that the container gets.
//!
//! <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#environment> and `#env_file` there:
//! environment files in their order, then `environment`, which wins.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::cursor::At;
use super::{Context, keys, lists};
use crate::codes;
use crate::dotenv::{self, Format};
use crate::model::EnvironmentVariable;
use crate::provider::FileError;
use crate::span::{Span, Text};
use crate::text::shown;
use crate::yaml::Kind;

/// The variables by name.
type Variables = BTreeMap<String, EnvironmentVariable>;

/// What `environment` says, before the environment files are known.
#[derive(Default)]
struct Own {
    set: BTreeMap<String, (String, Span)>,
    /// Names without a value anywhere: they remove what an environment file says.
    absent: Vec<String>,
}

/// The merged variables.
pub(super) fn variables(
    cx: &mut Context<'_>,
    environment: Option<&At<'_>>,
    env_file: Option<&At<'_>>,
) -> Variables {
    let own = environment.map(|at| own(cx, at)).unwrap_or_default();
    let mut out = Variables::new();
    for file in env_file.map(|at| env_files(cx, at)).unwrap_or_default() {
        read(cx, &file, &own, &mut out);
    }
    for name in &own.absent {
        out.remove(name);
    }
    for (name, (value, span)) in own.set {
        out.insert(name, EnvironmentVariable { value: SecretString::from(value), span });
    }
    out
}

fn own(cx: &mut Context<'_>, at: &At<'_>) -> Own {
    let mut own = Own::default();
    for pair in lists::pairs(cx, at) {
        let name = pair.name.value;
        if !check_name(cx, &name, &pair.at.finding(&codes::INVALID_VARIABLE_NAME, "")) {
            continue;
        }
        let Some(value) = pair.value.or_else(|| cx.environment.get(&name).cloned()) else {
            let message =
                format!("the variable {} has no value here or outside: it is left out", shown(&name));
            cx.report(pair.at.finding(&codes::VARIABLE_ABSENT, message));
            own.absent.push(name);
            continue;
        };
        if value.contains('\0') {
            let message = format!("the value of {} holds a NUL character", shown(&name));
            cx.report(pair.at.finding(&codes::INVALID_VALUE, message));
            continue;
        }
        own.set.insert(name, (value, pair.name.span));
    }
    own
}

/// The kernel takes any name without `=`; Kubernetes takes printable ASCII.
fn check_name(cx: &mut Context<'_>, name: &str, place: &crate::Diagnostic) -> bool {
    let good = !name.is_empty() && name.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=');
    if !good {
        let mut finding = place.clone();
        finding.message = format!("{} is no name of an environment variable", shown(name));
        cx.report(finding.help("use letters, digits and `_`"));
    }
    good
}

struct EnvFile {
    path: String,
    required: bool,
    format: Format,
    place: crate::Diagnostic,
}

fn env_files(cx: &mut Context<'_>, at: &At<'_>) -> Vec<EnvFile> {
    lists::one_or_many(cx, at).into_iter().filter_map(|item| env_file(cx, &item)).collect()
}

fn env_file(cx: &mut Context<'_>, at: &At<'_>) -> Option<EnvFile> {
    let place = at.finding(&codes::ENV_FILE_UNREADABLE, "");
    if !matches!(at.node.kind, Kind::Mapping(_)) {
        let path = at.text(cx)?.value;
        return Some(EnvFile { path, required: true, format: Format::Compose, place });
    }
    let mut fields = at.fields(cx, keys::ENV_FILE)?;
    let path = fields.require(cx, "path").and_then(|at| at.text(cx));
    let required = fields.take("required").and_then(|at| at.boolean(cx)).is_none_or(|value| value.value);
    let format = fields.take("format").and_then(|at| match at.string(cx)? {
        "raw" => Some(Format::Raw),
        "" => Some(Format::Compose),
        _ => {
            at.invalid(cx, "`raw`, or leave the key out");
            None
        }
    });
    fields.finish(cx);
    Some(EnvFile { path: path?.value, required, format: format.unwrap_or(Format::Compose), place })
}

fn read(cx: &mut Context<'_>, file: &EnvFile, own: &Own, out: &mut Variables) {
    if *cx.budget == 0 {
        return too_much(cx, file);
    }
    let text = match cx.files.read(&file.path) {
        Ok(text) => text,
        Err(FileError::NotFound) if !file.required => return,
        Err(error) => {
            let mut finding = file.place.clone();
            finding.message = format!("failed to read the environment file {}: {error}", shown(&file.path));
            let help = match error {
                FileError::NotFound => "supply the file, or mark it with `required: false`",
                FileError::Unreadable(_) => "supply a file that can be read",
            };
            return cx.report(finding.help(help));
        }
    };
    if !cx.spend(text.len()) {
        return too_much(cx, file);
    }
    let (environment, diagnostics) = (cx.environment, &mut *cx.diagnostics);
    let of_service = |name: &str| own.set.get(name).map(|(value, _)| value.clone());
    let lookup = |name: &str| environment.get(name).cloned().or_else(|| of_service(name));
    let source = Text::new(&file.path, &text);
    for assignment in dotenv::read(&source, file.format, &lookup, cx.budget, diagnostics) {
        let place = crate::Diagnostic::new(&codes::INVALID_VARIABLE_NAME, "").at(&assignment.span);
        if check_name(cx, &assignment.name, &place) {
            let value = SecretString::from(assignment.value);
            out.insert(assignment.name, EnvironmentVariable { value, span: assignment.span });
        }
    }
}

fn too_much(cx: &mut Context<'_>, file: &EnvFile) {
    let mut finding = file.place.clone();
    finding.code = &codes::INTERPOLATION_LIMIT;
    finding.message = "the environment files hold more text than the reader accepts".into();
    cx.report(finding);
}
