//! `volumes` and `tmpfs` of a service: <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#volumes>.

use std::collections::BTreeMap;

use super::cursor::At;
use super::{Context, keys, lists};
use crate::codes;
use crate::model::{NamedVolume, Tmpfs};
use crate::text::shown;
use crate::units;
use crate::yaml::{Kind, Shape};

/// What a service mounts.
#[derive(Default)]
pub(super) struct Mounts {
    pub(super) volumes: Vec<NamedVolume>,
    /// Where in `volumes` a target is.
    by_target: BTreeMap<String, usize>,
    pub(super) tmpfs: Vec<Tmpfs>,
}

impl Mounts {
    /// Adds the entries of `volumes`. Like the reference, a later entry with the same target replaces an
    /// earlier one.
    pub(super) fn add_volumes(&mut self, cx: &mut Context<'_>, at: &At<'_>) {
        for item in at.items(cx) {
            if matches!(item.node.kind, Kind::Mapping(_)) {
                self.add_long(cx, &item);
            } else if let Some(volume) = short(cx, &item) {
                self.add_volume(cx, &item, volume);
            }
        }
    }

    fn add_volume(&mut self, cx: &mut Context<'_>, item: &At<'_>, volume: NamedVolume) {
        match self.by_target.get(&volume.target).and_then(|&index| self.volumes.get_mut(index)) {
            Some(earlier) => {
                lists::repeated(cx, item);
                *earlier = volume;
            }
            None => {
                self.by_target.insert(volume.target.clone(), self.volumes.len());
                self.volumes.push(volume);
            }
        }
    }

    fn add_long(&mut self, cx: &mut Context<'_>, at: &At<'_>) {
        let Some(mut fields) = at.fields(cx, keys::SERVICE_VOLUME) else { return };
        let kind = fields.require(cx, "type");
        let Some(kind) = kind.and_then(|at| at.string(cx).map(str::to_owned)) else { return };
        let target = fields.require(cx, "target").and_then(|at| target(cx, &at));
        fields.ignore(cx, "consistency", "it concerns Docker on a desktop only");
        match kind.as_str() {
            "volume" => {
                let volume = long_volume(cx, &mut fields, at, target);
                fields.finish(cx);
                if let Some(volume) = volume {
                    self.add_volume(cx, at, volume);
                }
            }
            "tmpfs" => {
                let size = fields.take("tmpfs").and_then(|at| tmpfs_size(cx, &at));
                fields.finish(cx);
                self.tmpfs.extend(target.map(|target| Tmpfs { span: at.node.span.clone(), target, size }));
            }
            "bind" => bind(cx, at),
            _ => {
                let message = format!("volumes of the type {} are not supported yet", shown(&kind));
                cx.report(at.finding(&codes::UNSUPPORTED_VALUE, message).help("use `volume` or `tmpfs`"));
            }
        }
    }

    /// Adds the entries of `tmpfs`: `PATH[:OPTIONS]`.
    pub(super) fn add_tmpfs(&mut self, cx: &mut Context<'_>, at: &At<'_>) {
        for item in lists::one_or_many(cx, at) {
            let Some(text) = item.text(cx) else { continue };
            let (path, options) = text.value.split_once(':').unwrap_or((&text.value, ""));
            let Some(target) = absolute(path) else {
                item.invalid(cx, "`/absolute/path[:size=64m]`");
                continue;
            };
            let size = tmpfs_options(cx, &item, options);
            self.tmpfs.push(Tmpfs { span: text.span, target, size });
        }
    }

    /// Reports targets that are mounted twice.
    pub(super) fn check(&self, cx: &mut Context<'_>, service: &str) {
        let volumes = self.volumes.iter().map(|volume| (&volume.target, &volume.span));
        let tmpfs = self.tmpfs.iter().map(|tmpfs| (&tmpfs.target, &tmpfs.span));
        let mut seen = BTreeMap::new();
        for (target, span) in volumes.chain(tmpfs) {
            if let Some(first) = seen.insert(target, span) {
                let message =
                    format!("service {} mounts something twice at {}", shown(service), shown(target));
                let finding = crate::Diagnostic::new(&codes::DUPLICATE_TARGET, message)
                    .at(span)
                    .path(format!("services.{service}.volumes"))
                    .related(first, "first mounted here");
                cx.report(finding);
            }
        }
    }
}

/// An absolute path without trailing slashes.
fn absolute(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.split('/').any(|part| part == "..") || path.contains('\0') {
        return None;
    }
    let trimmed = path.trim_end_matches('/');
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

fn target(cx: &mut Context<'_>, at: &At<'_>) -> Option<String> {
    let target = absolute(at.string(cx)?);
    if target.is_none() {
        at.invalid(cx, "an absolute path other than `/`");
    }
    target
}

fn bind(cx: &mut Context<'_>, at: &At<'_>) {
    let help = "use a named volume for data; give single files through `files.mounts` of the KompoxApp";
    let message = "bind mounts are not supported yet: a cluster has no such path";
    cx.report(at.finding(&codes::BIND_MOUNT, message).help(help));
}

/// Whether a source of the short form is a path of the host: `.`, `/`, `~`, `\\` or a drive letter.
fn is_host_path(source: &str) -> bool {
    let mut chars = source.chars();
    let drive = chars.next().is_some_and(char::is_alphabetic) && chars.next() == Some(':');
    source.starts_with(['.', '/', '~']) || source.starts_with("\\\\") || drive
}

fn short(cx: &mut Context<'_>, item: &At<'_>) -> Option<NamedVolume> {
    let text = item.string(cx)?;
    if is_host_path(text) && text.contains(':') {
        bind(cx, item);
        return None;
    }
    let mut parts = text.split(':');
    let (source, path, options, more) = (parts.next()?, parts.next(), parts.next(), parts.next());
    let Some(path) = path else {
        let message = "anonymous volumes are not supported yet";
        let help = "give the volume a name: `name:/path`, with `volumes: { name: {} }` at the top level";
        cx.report(item.finding(&codes::UNSUPPORTED_VALUE, message).help(help));
        return None;
    };
    let (volume, subpath) = match source.split_once('/') {
        Some((volume, subpath)) => (volume, Some(subpath)),
        None => (source, None),
    };
    let target = absolute(path);
    let good = !volume.is_empty() && more.is_none() && subpath.is_none_or(is_relative);
    let Some(target) = target.filter(|_| good) else {
        item.invalid(cx, "`name:/absolute/path[:ro]`");
        return None;
    };
    let mut out = NamedVolume {
        span: item.node.span.clone(),
        volume: volume.to_owned(),
        target,
        read_only: false,
        nocopy: false,
        subpath: subpath.map(str::to_owned),
    };
    for option in options.into_iter().flat_map(|options| options.split(',')) {
        short_option(cx, item, option, &mut out);
    }
    Some(out)
}

fn short_option(cx: &mut Context<'_>, item: &At<'_>, option: &str, volume: &mut NamedVolume) {
    match option {
        "ro" => volume.read_only = true,
        "rw" => volume.read_only = false,
        "nocopy" => volume.nocopy = true,
        "z" | "Z" | "cached" | "delegated" | "consistent" => {
            let message = format!("the mount option `{option}` has no effect in a cluster");
            cx.report(item.finding(&codes::IGNORED_OPTION, message));
        }
        _ => {
            let message = format!("unknown mount option in {}", shown(&item.name()));
            cx.report(item.finding(&codes::INVALID_VALUE, message).help("write `ro`, `rw` or `nocopy`"));
        }
    }
}

fn is_relative(path: &str) -> bool {
    !path.is_empty() && !path.contains('\0') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn long_volume(
    cx: &mut Context<'_>,
    fields: &mut super::cursor::Fields<'_>,
    at: &At<'_>,
    target: Option<String>,
) -> Option<NamedVolume> {
    let read_only = fields.take("read_only").and_then(|at| at.boolean(cx)).is_some_and(|value| value.value);
    let (nocopy, subpath) = fields.take("volume").map(|at| volume_options(cx, &at)).unwrap_or_default();
    let Some(source) = fields.take("source").and_then(|at| at.text(cx)) else {
        let message = "a volume without `source` is anonymous, which is not supported yet";
        cx.report(
            at.finding(&codes::UNSUPPORTED_VALUE, message).help("name a volume of the top level as `source`"),
        );
        return None;
    };
    Some(NamedVolume {
        span: at.node.span.clone(),
        volume: source.value,
        target: target?,
        read_only,
        nocopy,
        subpath,
    })
}

fn volume_options(cx: &mut Context<'_>, at: &At<'_>) -> (bool, Option<String>) {
    let Some(mut fields) = at.fields(cx, keys::SERVICE_VOLUME_VOLUME) else { return (false, None) };
    let nocopy = fields.take("nocopy").and_then(|at| at.boolean(cx)).is_some_and(|value| value.value);
    let subpath = fields.take("subpath").and_then(|at| {
        let text = at.string(cx)?;
        if !is_relative(text) {
            at.invalid(cx, "a relative path without `..`");
            return None;
        }
        Some(text.to_owned())
    });
    fields.finish(cx);
    (nocopy, subpath)
}

fn tmpfs_size(cx: &mut Context<'_>, at: &At<'_>) -> Option<u64> {
    let mut fields = at.fields(cx, keys::SERVICE_VOLUME_TMPFS)?;
    let size = fields.take("size").and_then(|at| size(cx, &at));
    if let Some(at) = fields.take("mode") {
        let message = "`tmpfs.mode` has no effect: the mode is always 1777";
        cx.report(at.finding(&codes::IGNORED_OPTION, message));
    }
    fields.finish(cx);
    size
}

fn size(cx: &mut Context<'_>, at: &At<'_>) -> Option<u64> {
    let size = match at.scalar().map(|scalar| (scalar, scalar.shape())) {
        Some((_, Shape::Integer(number))) => u64::try_from(number).ok(),
        Some((scalar, Shape::Text)) => units::bytes(&scalar.text),
        _ => None,
    };
    if size.is_none() {
        at.wrong_value(cx, "a size such as `64m`");
    }
    size.filter(|size| *size > 0)
}

fn tmpfs_options(cx: &mut Context<'_>, item: &At<'_>, options: &str) -> Option<u64> {
    let mut size = None;
    for option in options.split(',').filter(|option| !matches!(*option, "" | "rw" | "mode=1777")) {
        if let Some(text) = option.strip_prefix("size=") {
            size = units::bytes(text);
            if size.is_none() {
                item.invalid(cx, "a size such as `size=64m`");
            }
        } else {
            let name = option.split('=').next().unwrap_or(option);
            let message = format!("the tmpfs option {} has no effect in a cluster", shown(name));
            cx.report(item.finding(&codes::IGNORED_OPTION, message));
        }
    }
    size.filter(|size| *size > 0)
}
