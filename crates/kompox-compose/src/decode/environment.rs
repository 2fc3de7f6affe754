//! `environment` and `env_file`, merged into the variables that the container gets.
//!
//! <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#environment> and `#env_file` there:
//! environment files in their order, then `environment`, which wins.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::cursor::{At, Fields};
use super::{Context, keys, lists};
use crate::codes;
use crate::dotenv::{self, Format};
use crate::model::EnvironmentVariable;
use crate::provider::FileError;
use crate::span::{Span, Spanned, Text};
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
pub(super) fn variables(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Variables {
    let own = fields.take("environment").map(|at| own(cx, &at)).unwrap_or_default();
    let mut out = Variables::new();
    for file in fields.take("env_file").map(|at| env_files(cx, &at)).unwrap_or_default() {
        let of_service = |name: &str| own.set.get(name).map(|(value, _)| value.clone());
        for assignment in read(cx, &file, &of_service) {
            let place = crate::Diagnostic::new(&codes::INVALID_VARIABLE_NAME, "").at(&assignment.span);
            if check_name(cx, &assignment.name, &place) {
                let value = SecretString::from(assignment.value);
                out.insert(assignment.name, EnvironmentVariable { value, span: assignment.span });
            }
        }
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
    /// Of `label_file`, whose files are all required.
    of_labels: bool,
    place: crate::Diagnostic,
}

fn env_files(cx: &mut Context<'_>, at: &At<'_>) -> Vec<EnvFile> {
    lists::one_or_many(cx, at).into_iter().filter_map(|item| env_file(cx, &item)).collect()
}

fn env_file(cx: &mut Context<'_>, at: &At<'_>) -> Option<EnvFile> {
    let place = at.finding(&codes::ENV_FILE_UNREADABLE, "");
    if !matches!(at.node.kind, Kind::Mapping(_)) {
        let path = at.text(cx)?.value;
        return Some(EnvFile { path, required: true, format: Format::Compose, of_labels: false, place });
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
    Some(EnvFile {
        path: path?.value,
        required,
        format: format.unwrap_or(Format::Compose),
        of_labels: false,
        place,
    })
}

/// The assignments of a file; none when it cannot be read, which is reported unless it need not be there.
/// Variables in it come from outside, else from `own`.
fn read(
    cx: &mut Context<'_>,
    file: &EnvFile,
    own: &dyn Fn(&str) -> Option<String>,
) -> Vec<dotenv::Assignment> {
    if *cx.budget == 0 {
        too_much(cx, file);
        return Vec::new();
    }
    let text = match cx.files.read(&file.path) {
        Ok(text) => text,
        Err(FileError::NotFound) if !file.required => return Vec::new(),
        Err(error) => {
            unreadable(cx, file, &error);
            return Vec::new();
        }
    };
    if !cx.spend(text.len()) {
        too_much(cx, file);
        return Vec::new();
    }
    let (environment, diagnostics) = (cx.environment, &mut *cx.diagnostics);
    let lookup = |name: &str| environment.get(name).cloned().or_else(|| own(name));
    let source = Text::new(&file.path, &text);
    dotenv::read(&source, file.format, &lookup, cx.budget, diagnostics)
}

fn unreadable(cx: &mut Context<'_>, file: &EnvFile, error: &FileError) {
    let mut finding = file.place.clone();
    finding.message = format!("failed to read the file {}: {error}", shown(&file.path));
    let help = match error {
        FileError::NotFound if file.of_labels => "supply the file",
        FileError::NotFound => "supply the file, or mark it with `required: false`",
        FileError::Unreadable(_) => "supply a file that can be read",
    };
    cx.report(finding.help(help));
}

fn too_much(cx: &mut Context<'_>, file: &EnvFile) {
    let mut finding = file.place.clone();
    finding.code = &codes::INTERPOLATION_LIMIT;
    finding.message = "the environment files hold more text than the reader accepts".into();
    cx.report(finding);
}

/// `label_file`, overridden by `labels`.
pub(super) fn labels(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> BTreeMap<String, Spanned<String>> {
    let mut out = BTreeMap::new();
    for item in fields.take("label_file").map(|at| lists::one_or_many(cx, &at)).unwrap_or_default() {
        let Some(path) = item.text(cx) else { continue };
        let place = item.finding(&codes::ENV_FILE_UNREADABLE, "");
        let file =
            EnvFile { path: path.value, required: true, format: Format::Compose, of_labels: true, place };
        for label in read(cx, &file, &|_| None) {
            out.insert(label.name, Spanned::new(label.value, label.span));
        }
    }
    out.extend(fields.map(cx, "labels"));
    out
}
