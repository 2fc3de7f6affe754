//! `volumes`, `tmpfs` and `volumes_from` of a service:
//! <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#volumes>.

use std::collections::BTreeMap;

use super::cursor::{At, Fields};
use super::{Context, files, keys, lists};
use crate::codes;
use crate::model::{BindMount, ImageMount, Mount, MountSource, TmpfsMount, VolumeMount, VolumesFrom};
use crate::span::Spanned;
use crate::text::shown;
use crate::units;

/// What a service mounts by `volumes` and `tmpfs`.
pub(super) fn mounts(cx: &mut Context<'_>, fields: &mut Fields<'_>, service: &str) -> Vec<Mount> {
    let mut mounts = Mounts::default();
    if let Some(at) = fields.take("volumes") {
        for item in at.items(cx) {
            mounts.add_entry(cx, &item);
        }
    }
    if let Some(at) = fields.take("tmpfs") {
        for item in lists::one_or_many(cx, &at) {
            mounts.list.extend(tmpfs_text(cx, &item));
        }
    }
    check(cx, &mounts.list, service);
    mounts.list
}

#[derive(Default)]
struct Mounts {
    list: Vec<Mount>,
    /// Where in `list` the target of an entry of `volumes` is.
    by_target: BTreeMap<String, usize>,
}

impl Mounts {
    /// Like the reference, a later entry with the same target replaces an earlier one.
    fn add_entry(&mut self, cx: &mut Context<'_>, item: &At<'_>) {
        let Some(mount) = self::long(cx, item) else { return };
        match self.by_target.get(&mount.target).and_then(|&index| self.list.get_mut(index)) {
            Some(earlier) => {
                lists::repeated(cx, item);
                *earlier = mount;
            }
            None => {
                self.by_target.insert(mount.target.clone(), self.list.len());
                self.list.push(mount);
            }
        }
    }
}

/// Reports targets that are mounted twice.
fn check(cx: &mut Context<'_>, mounts: &[Mount], service: &str) {
    let mut seen = BTreeMap::new();
    for Mount { target, span, path, .. } in mounts {
        if let Some(first) = seen.insert(target, span) {
            let message = format!("service {} mounts something twice at {}", shown(service), shown(target));
            let finding = crate::Diagnostic::new(&codes::DUPLICATE_TARGET, message)
                .at(span)
                .path(path)
                .related(first, "first mounted here");
            cx.report(finding);
        }
    }
}

fn mount(at: &At<'_>, target: String, read_only: bool, source: MountSource) -> Mount {
    Mount { span: at.node.span.clone(), path: at.path.to_string(), target, read_only, source }
}

/// An absolute path without trailing slashes.
fn absolute(path: &str) -> Option<String> {
    if !path.starts_with('/') || path.split('/').any(|part| part == "..") || path.contains('\0') {
        return None;
    }
    let trimmed = path.trim_end_matches('/');
    (!trimmed.is_empty()).then(|| trimmed.to_owned())
}

fn is_relative(path: &str) -> bool {
    !path.is_empty() && !path.contains('\0') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

fn target(cx: &mut Context<'_>, at: &At<'_>) -> Option<String> {
    let target = absolute(at.string(cx)?);
    if target.is_none() {
        at.invalid(cx, "an absolute path other than `/`");
    }
    target
}

fn long(cx: &mut Context<'_>, at: &At<'_>) -> Option<Mount> {
    let mut fields = at.fields(cx, keys::SERVICE_VOLUME)?;
    let kind = fields.require(cx, "type").and_then(|at| at.text(cx));
    let target = fields.require(cx, "target").and_then(|at| target(cx, &at));
    let read_only = fields.flag(cx, "read_only").is_some_and(|value| value.value);
    let kind = kind?;
    let source = match kind.value.as_str() {
        "volume" => volume(cx, &mut fields),
        "bind" => bind(cx, &mut fields),
        "tmpfs" => tmpfs(cx, &mut fields),
        "image" => image(cx, &mut fields),
        "npipe" | "cluster" => Some(MountSource::Other(kind)),
        _ => {
            at.finding_below(cx, "type", "`volume`, `bind`, `tmpfs`, `image`, `npipe` or `cluster`");
            None
        }
    };
    fields.finish(cx);
    Some(mount(at, target?, read_only, source?))
}

fn volume(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<MountSource> {
    let name = fields.word(cx, "source");
    let options = fields.take("volume").and_then(|at| at.optional_fields(cx, keys::SERVICE_VOLUME_VOLUME));
    let (mut nocopy, mut subpath) = (false, None);
    if let Some(mut options) = options {
        nocopy = options.flag(cx, "nocopy").is_some_and(|value| value.value);
        subpath = options.take("subpath").and_then(|at| self::subpath(cx, &at));
        options.finish(cx);
    }
    let mut subpath = subpath.map(|subpath| subpath.value);
    let name = match name.as_ref().map(|name| name.value.split_once('/')) {
        Some(Some((name, below))) => {
            if !is_relative(below) || subpath.is_some() {
                fields.at.finding_below(cx, "source", "`name/sub/path` without `..`, or `volume.subpath`");
                return None;
            }
            subpath = Some(below.to_owned());
            Some(name.to_owned())
        }
        _ => name.map(|name| name.value),
    };
    Some(MountSource::Volume(VolumeMount { name, nocopy, subpath }))
}

fn subpath(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<String>> {
    let text = at.word(cx)?;
    if !is_relative(&text.value) {
        at.invalid(cx, "a relative path without `..`");
        return None;
    }
    Some(text)
}

fn bind(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<MountSource> {
    let path = fields.require(cx, "source").and_then(|at| at.text(cx));
    let options = fields.take("bind").and_then(|at| at.optional_fields(cx, keys::SERVICE_VOLUME_BIND));
    let (mut propagation, mut recursive, mut create_host_path) = (None, None, None);
    if let Some(mut options) = options {
        propagation = options.word(cx, "propagation");
        recursive = options.word(cx, "recursive");
        create_host_path = options.flag(cx, "create_host_path");
        options.finish(cx);
    }
    Some(MountSource::Bind(BindMount { path: path?, propagation, recursive, create_host_path }))
}

fn tmpfs(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<MountSource> {
    let (mut size, mut mode) = (None, None);
    let options = fields.take("tmpfs").and_then(|at| at.optional_fields(cx, keys::SERVICE_VOLUME_TMPFS));
    if let Some(mut options) = options {
        size = options.take("size").and_then(|at| at.size(cx));
        mode = options.take("mode").and_then(|at| files::mode(cx, &at));
        options.finish(cx);
    }
    let size = size.map(|size| size.value).filter(|size| *size > 0);
    Some(MountSource::Tmpfs(TmpfsMount { size, mode, options: Vec::new() }))
}

fn image(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<MountSource> {
    let reference = fields.require(cx, "source").and_then(|at| at.text(cx));
    let options = fields.take("image").and_then(|at| at.optional_fields(cx, keys::SERVICE_VOLUME_IMAGE));
    let mut subpath = None;
    if let Some(mut options) = options {
        subpath = options.take("subpath").and_then(|at| self::subpath(cx, &at));
        options.finish(cx);
    }
    Some(MountSource::Image(ImageMount { reference: reference?, subpath }))
}

/// An entry of `tmpfs`: `PATH[:OPTIONS]`.
fn tmpfs_text(cx: &mut Context<'_>, item: &At<'_>) -> Option<Mount> {
    let text = item.text(cx)?;
    let (path, options) = text.value.split_once(':').unwrap_or((&text.value, ""));
    let Some(target) = absolute(path) else {
        item.invalid(cx, "`/absolute/path[:size=64m]`");
        return None;
    };
    let mut out = TmpfsMount { size: None, mode: None, options: Vec::new() };
    let mut read_only = false;
    for option in options.split(',').filter(|option| !option.is_empty()) {
        match option.split_once('=') {
            Some(("size", size)) => match units::bytes(size) {
                Some(size) => out.size = Some(size).filter(|size| *size > 0),
                None => item.invalid(cx, "a size such as `size=64m`"),
            },
            Some(("mode", mode)) => match u32::from_str_radix(mode, 8) {
                Ok(mode) => out.mode = Some(Spanned::new(mode, item.node.span.clone())),
                Err(_) => item.invalid(cx, "octal permission bits such as `mode=1777`"),
            },
            _ if option == "ro" => read_only = true,
            _ if option == "rw" => read_only = false,
            _ => out.options.push(Spanned::new(option.to_owned(), item.node.span.clone())),
        }
    }
    Some(mount(item, target, read_only, MountSource::Tmpfs(out)))
}

/// `SERVICE[:ro|rw]`. `container:NAME` is a container outside the project.
pub(super) fn volumes_from(cx: &mut Context<'_>, at: &At<'_>) -> Vec<VolumesFrom> {
    let mut out = Vec::new();
    for item in at.items(cx) {
        let Some(text) = item.text(cx) else { continue };
        if text.value.starts_with("container:") {
            let message =
                "`volumes_from` names a container outside the project, which a cluster does not have";
            let finding = item.finding(&codes::UNSUPPORTED_VALUE, message);
            cx.report(finding.help("name a service, or mount the volumes themselves"));
            continue;
        }
        let (service, read_only) = match text.value.rsplit_once(':') {
            Some((service, "ro")) => (service, true),
            Some((service, "rw")) => (service, false),
            Some(_) => {
                item.invalid(cx, "`SERVICE` or `SERVICE:ro`");
                continue;
            }
            None => (text.value.as_str(), false),
        };
        out.push(VolumesFrom { span: text.span.clone(), service: service.to_owned(), read_only });
    }
    out
}
