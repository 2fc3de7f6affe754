//! `network_mode`, `pid`, `ipc`: what a container shares with others.

use super::Context;
use super::cursor::At;
use crate::model::{NetworkMode, SharedNamespace};
use crate::span::Spanned;

/// `network_mode`.
pub(super) fn network_mode(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<NetworkMode>> {
    let mode = at.word(cx)?;
    Some(mode.map(|text| match text.split_once(':') {
        Some(("service", name)) => NetworkMode::Service(name.to_owned()),
        Some(("container", name)) => NetworkMode::Container(name.to_owned()),
        _ => match text.as_str() {
            "none" => NetworkMode::None,
            "host" => NetworkMode::Host,
            "bridge" | "default" => NetworkMode::Bridge,
            _ => NetworkMode::Other(text),
        },
    }))
}

/// `pid` and `ipc`. Any word that names no other owner means the container's own.
pub(super) fn shared(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<SharedNamespace>> {
    let owner = at.word(cx)?;
    Some(owner.map(|text| match text.split_once(':') {
        Some(("service", name)) => SharedNamespace::Service(name.to_owned()),
        Some(("container", name)) => SharedNamespace::Container(name.to_owned()),
        _ if text == "host" => SharedNamespace::Host,
        _ => SharedNamespace::Own(text),
    }))
}
