//! `deploy.resources` and the older keys of a service that say the same.

use super::Context;
use super::cursor::{At, Fields};
use super::keys;
use crate::codes;
use crate::model::{Device, Quantities, Resources};
use crate::span::Spanned;
use crate::yaml::{Kind, Shape};

/// Everything that bounds or keeps resources. Two keys that say the same and differ are an error.
pub(super) fn resources(cx: &mut Context<'_>, service: &mut Fields<'_>) -> Resources {
    let mut out = Resources::default();
    if let Some(at) = service.at_path(&["deploy", "resources"]) {
        deployed(cx, &at, &mut out);
    }
    let cpus = service.take("cpus").and_then(|at| micro_cpus(cx, &at));
    merge(cx, &mut out.limits.micro_cpus, cpus, "cpus", "deploy.resources.limits.cpus");
    let memory = service.take("mem_limit").and_then(|at| at.size(cx));
    merge(cx, &mut out.limits.memory, memory, "mem_limit", "deploy.resources.limits.memory");
    let memory = service.take("mem_reservation").and_then(|at| at.size(cx));
    merge(
        cx,
        &mut out.reservations.memory,
        memory,
        "mem_reservation",
        "deploy.resources.reservations.memory",
    );
    let pids = service.integer(cx, "pids_limit", -1);
    merge(cx, &mut out.limits.pids, pids, "pids_limit", "deploy.resources.limits.pids");
    out.cpu_shares = service.count(cx, "cpu_shares");
    out.cpu_quota = service.integer(cx, "cpu_quota", -1);
    out.cpu_period = service.count(cx, "cpu_period");
    if let Some(at) = service.take("gpus") {
        gpus(cx, &at, &mut out.devices);
    }
    out
}

/// Zero stands for "not set" in all of these keys.
fn merge<T: Copy + Default + PartialEq>(
    cx: &mut Context<'_>,
    slot: &mut Option<Spanned<T>>,
    older: Option<Spanned<T>>,
    older_key: &str,
    key: &str,
) {
    let Some(older) = older.filter(|older| older.value != T::default()) else { return };
    if let Some(newer) = slot.as_ref().filter(|newer| newer.value != older.value) {
        let message = format!("`{older_key}` and `{key}` say different amounts");
        let finding = crate::Diagnostic::new(&codes::INVALID_VALUE, message).at(&older.span);
        cx.report(finding.related(&newer.span, format!("`{key}` is here")).help("keep one of the two"));
    }
    slot.get_or_insert(older);
}

fn deployed(cx: &mut Context<'_>, at: &At<'_>, out: &mut Resources) {
    let Some(mut fields) = at.optional_fields(cx, keys::RESOURCES) else { return };
    if let Some(mut limits) = fields.take("limits").and_then(|at| at.optional_fields(cx, keys::LIMITS)) {
        out.limits = quantities(cx, &mut limits);
        limits.finish(cx);
    }
    if let Some(mut kept) =
        fields.take("reservations").and_then(|at| at.optional_fields(cx, keys::RESERVATIONS))
    {
        out.reservations = quantities(cx, &mut kept);
        for item in kept.take("devices").map(|at| at.items(cx)).unwrap_or_default() {
            out.devices.extend(device(cx, &item));
        }
        for item in kept.take("generic_resources").map(|at| at.items(cx)).unwrap_or_default() {
            out.generic_resources.extend(generic(cx, &item));
        }
        kept.finish(cx);
    }
    fields.finish(cx);
}

fn quantities(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Quantities {
    Quantities {
        micro_cpus: fields.take("cpus").and_then(|at| micro_cpus(cx, &at)).filter(|cpus| cpus.value > 0),
        memory: fields.take("memory").and_then(|at| at.size(cx)).filter(|memory| memory.value > 0),
        pids: fields.integer(cx, "pids", -1).filter(|pids| pids.value != 0),
    }
}

/// `discrete_resource_spec: {kind: …, value: …}`.
fn generic(cx: &mut Context<'_>, at: &At<'_>) -> Option<(Spanned<String>, u64)> {
    let mut outer = at.fields(cx, keys::GENERIC_RESOURCE)?;
    let spec = outer.require(cx, "discrete_resource_spec")?;
    outer.finish(cx);
    let mut fields = spec.fields(cx, keys::DISCRETE_RESOURCE)?;
    let kind = fields.word(cx, "kind");
    let value = fields.count(cx, "value");
    fields.finish(cx);
    Some((kind?, value.map_or(0, |value| value.value)))
}

/// Requests: each of them for GPUs, whatever its capabilities say besides.
fn gpus(cx: &mut Context<'_>, at: &At<'_>, out: &mut Vec<Device>) {
    let gpu = || Spanned::new("gpu".to_owned(), at.key.clone());
    for item in at.items(cx) {
        let Some(mut device) = device(cx, &item) else { continue };
        if device.capabilities.iter().all(|capability| capability.value != "gpu") {
            device.capabilities.push(gpu());
        }
        out.push(device);
    }
}

fn empty(at: &At<'_>) -> Device {
    Device {
        span: at.node.span.clone(),
        driver: None,
        capabilities: Vec::new(),
        count: None,
        device_ids: Vec::new(),
        options: std::collections::BTreeMap::new(),
    }
}

fn device(cx: &mut Context<'_>, at: &At<'_>) -> Option<Device> {
    let mut fields = at.fields(cx, keys::DEVICE)?;
    let device = Device {
        driver: fields.word(cx, "driver"),
        capabilities: fields.words(cx, "capabilities"),
        count: fields.take("count").and_then(|at| count(cx, &at)),
        device_ids: fields.words(cx, "device_ids"),
        options: fields.map(cx, "options"),
        ..empty(at)
    };
    fields.finish(cx);
    if let (Some(count), [_, ..]) = (&device.count, device.device_ids.as_slice()) {
        let message = "`count` and `device_ids` exclude each other";
        cx.report(at.finding(&codes::INVALID_VALUE, message).at(&count.span).help("keep one of the two"));
    }
    Some(device)
}

fn count(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<i64>> {
    match at.scalar() {
        Some(scalar) if scalar.text == "all" => Some(Spanned::new(-1, at.node.span.clone())),
        _ => at.integer(cx, -1),
    }
}

/// A number of processors in decimals, exact to the millionth; what is finer is rounded up.
fn micro_cpus(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<u64>> {
    let number = match &at.node.kind {
        Kind::Scalar(scalar) if !matches!(scalar.shape(), Shape::Null | Shape::Boolean(_)) => {
            scalar.printed().and_then(|text| millionths(&text))
        }
        _ => None,
    };
    if number.is_none() {
        at.wrong_value(cx, "a number of processors such as `0.5`");
    }
    super::spanned(number, &at.node.span)
}

fn millionths(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut out = whole;
    for place in 0..6 {
        let digit = fraction.as_bytes().get(place).map_or(0, |digit| u64::from(digit - b'0'));
        out = out.checked_mul(10)?.checked_add(digit)?;
    }
    let finer = fraction.bytes().skip(6).any(|digit| digit != b'0');
    out.checked_add(u64::from(finer))
}

#[cfg(test)]
mod tests {
    use super::millionths;

    #[test]
    fn processors() {
        let good =
            [("0.5", 500_000), ("2", 2_000_000), (".25", 250_000), ("1.", 1_000_000), ("0.0000001", 1)];
        for (text, expected) in good {
            assert_eq!(millionths(text), Some(expected), "{text}");
        }
        for text in ["", ".", "-1", "1e3", "1.x", "half", "99999999999999999999"] {
            assert_eq!(millionths(text), None, "{text}");
        }
    }
}
