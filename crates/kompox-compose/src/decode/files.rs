//! `configs` and `secrets`, of the file and of services:
//! <https://github.com/compose-spec/compose-spec/blob/main/08-configs.md> and `09-secrets.md` there.

use secrecy::SecretString;

use super::cursor::{At, Fields};
use super::{Context, keys};
use crate::codes;
use crate::model::{Config, Content, FileMount, Secret};
use crate::span::Spanned;
use crate::yaml::Shape;

/// The entries of a service. `root` is where a relative target and the default lie, without a slash.
pub(super) fn mounts(cx: &mut Context<'_>, at: &At<'_>, root: &str) -> Vec<FileMount> {
    let mut out: Vec<FileMount> = Vec::new();
    for item in at.items(cx) {
        let Some(mount) = mount(cx, &item, root) else { continue };
        if let Some(first) = out.iter().find(|other| other.target == mount.target) {
            let message = "two files are mounted at the same target";
            let finding = item.finding(&codes::DUPLICATE_TARGET, message).at(&mount.span);
            cx.report(finding.related(&first.span, "first mounted here"));
        }
        out.push(mount);
    }
    out
}

fn mount(cx: &mut Context<'_>, at: &At<'_>, root: &str) -> Option<FileMount> {
    let span = at.node.span.clone();
    let mut fields = at.fields(cx, keys::FILE_MOUNT)?;
    let source = fields.require(cx, "source").and_then(|at| at.text(cx));
    let target = fields.word(cx, "target");
    let uid = fields.printed(cx, "uid");
    let gid = fields.printed(cx, "gid");
    let mode = fields.take("mode").and_then(|at| mode(cx, &at));
    fields.finish(cx);
    let source = source?;
    let target = match target.map(|target| target.value) {
        Some(target) if target.starts_with('/') => target,
        Some(target) => format!("{root}/{target}"),
        None => format!("{root}/{}", source.value),
    };
    Some(FileMount { span, source, target, uid, gid, mode })
}

/// Permission bits: a number as YAML reads it, or octal digits in quotes.
pub(super) fn mode(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<u32>> {
    let mode = match at.scalar().map(|scalar| (scalar, scalar.shape())) {
        Some((_, Shape::Integer(number))) => u32::try_from(number).ok(),
        Some((scalar, Shape::Text)) => {
            let digits = scalar.text.strip_prefix("0o").unwrap_or(&scalar.text);
            u32::from_str_radix(digits, 8).ok()
        }
        _ => None,
    };
    let mode = mode.filter(|mode| *mode <= 0o7777);
    if mode.is_none() {
        at.wrong_value(cx, "octal permission bits such as `0440`");
    }
    super::spanned(mode, &at.node.span)
}

/// A config of the file.
pub(super) fn config(cx: &mut Context<'_>, at: &At<'_>) -> Option<Config> {
    let mut fields = at.fields(cx, keys::CONFIG)?;
    let name = fields.written_word(cx, "name");
    let labels = fields.map(cx, "labels");
    let content = content(cx, &mut fields, &["content", "environment", "file"]);
    fields.finish(cx);
    Some(Config { span: at.key.clone(), name, content: content?, labels })
}

/// A secret of the file.
pub(super) fn secret(cx: &mut Context<'_>, at: &At<'_>) -> Option<Secret> {
    let mut fields = at.fields(cx, keys::SECRET)?;
    let name = fields.written_word(cx, "name");
    let labels = fields.map(cx, "labels");
    let content = content(cx, &mut fields, &["environment", "file"]);
    fields.finish(cx);
    Some(Secret { span: at.key.clone(), name, content: content?, labels })
}

/// The one source of the content. `external: true` needs none.
fn content(cx: &mut Context<'_>, fields: &mut Fields<'_>, sources: &[&str]) -> Option<Content> {
    let external = fields.flag(cx, "external").filter(|external| external.value);
    let driver = fields.get("driver").is_some();
    let mut found: Vec<Content> = Vec::new();
    if let Some(file) = fields.word(cx, "file") {
        found.push(Content::File(file));
    }
    if let Some(variable) = fields.word(cx, "environment") {
        let value = cx.environment.get(&variable.value).cloned().map(SecretString::from);
        found.push(Content::Environment { variable, value });
    }
    if let Some(at) = fields.take("content").filter(|at| !at.node.is_null()) {
        let text = SecretString::from(at.string(cx)?.to_owned());
        found.push(Content::Inline { text, span: at.node.span.clone() });
    }
    if let Some(external) = external {
        return Some(Content::External(external.span));
    }
    let needed = sources.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    if found.len() > 1 {
        let message = format!("{} has more than one source", crate::text::shown(&fields.at.name()));
        cx.report(fields.at.finding(&codes::INVALID_VALUE, message).help(format!("keep one of {needed}")));
    }
    match found.into_iter().next() {
        Some(content) => Some(content),
        // What a driver gives is not known here; the conversion refuses drivers.
        None if driver => Some(Content::External(fields.at.key.clone())),
        None => {
            let message = format!("{} has no source", crate::text::shown(&fields.at.name()));
            let help = format!("write one of {needed}, or `external: true`");
            cx.report(fields.at.finding(&codes::MISSING_KEY, message).help(help));
            None
        }
    }
}
