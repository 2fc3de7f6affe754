//! `deploy.resources.reservations.devices`, `gpus` and `generic_resources`: extended resources, which a cluster
//! counts and does not let anybody choose from.

use super::{Amount, amount};
use crate::app::codes;
use crate::app::validate::Findings;
use crate::app::validate::subject::Subject;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kompox_compose::model::Device;
use std::collections::BTreeMap;

/// Drivers of the Engine and the resources of the device plugins for the same hardware.
const DRIVERS: [(&str, &str); 2] = [("amd", "amd.com/gpu"), ("nvidia", "nvidia.com/gpu")];

/// The driver where the file names none: the Engine knows only this one of itself.
const DEFAULT_DRIVER: &str = "nvidia";

/// Where requests for devices stand.
const KEY: &str = "deploy.resources.reservations.devices";

/// Resource names with how many of each.
pub(super) fn validate(subject: &Subject<'_>, findings: &mut Findings) -> Vec<(String, Amount)> {
    let mut counts: BTreeMap<String, (u64, Amount)> = BTreeMap::new();
    let resources = &subject.service.resources;
    for (index, device) in resources.devices.iter().enumerate() {
        let key = format!("{KEY}[{index}]");
        let Some((name, count)) = request(subject, &key, device, findings) else { continue };
        let amount = Amount { quantity: Quantity(String::new()), key, span: device.span.clone() };
        counts.entry(name.to_owned()).or_insert((0, amount)).0 += count;
    }
    for (index, (kind, count)) in resources.generic_resources.iter().enumerate() {
        let key = format!("deploy.resources.reservations.generic_resources[{index}]");
        if kind.value.contains('/') && amount::is_resource_name(&kind.value) {
            let amount = Amount { quantity: Quantity(String::new()), key, span: kind.span.clone() };
            counts.entry(kind.value.clone()).or_insert((0, amount)).0 += count;
            continue;
        }
        let message = format!("no node offers `{}`", kind.value);
        findings.diagnose(
            subject
                .at(&codes::DEVICE_UNKNOWN, &key, &kind.span, message)
                .help("give the name of a resource of the cluster, such as `example.com/device`"),
        );
    }
    let named = |(name, (count, amount)): (String, (u64, Amount))| {
        (name, Amount { quantity: Quantity(count.to_string()), ..amount })
    };
    counts.into_iter().map(named).collect()
}

fn request(
    subject: &Subject<'_>,
    key: &str,
    device: &Device,
    findings: &mut Findings,
) -> Option<(&'static str, u64)> {
    let driver = device.driver.as_ref().map_or(DEFAULT_DRIVER, |driver| driver.value.as_str());
    let resource = DRIVERS.iter().find(|(name, _)| *name == driver).map(|(_, resource)| *resource);
    let is_gpu = device.capabilities.is_empty()
        || device.capabilities.iter().any(|capability| capability.value == "gpu");
    let at = |code, message: String| subject.at(code, key, &device.span, message);
    let (Some(resource), true) = (resource, is_gpu) else {
        let message = format!(
            "devices of the driver `{driver}` other than graphics processors have no name in a cluster"
        );
        let help = "name the device plugin's resource under `x-kompox.resources.limits`";
        findings.diagnose(at(&codes::DEVICE_UNKNOWN, message).help(help));
        return None;
    };
    if !device.device_ids.is_empty() || !device.options.is_empty() {
        let message = "a cluster gives any devices: they cannot be chosen by id or option".to_owned();
        findings.diagnose(at(&codes::DEVICE_CHOICE, message).help("give a `count` instead"));
        return None;
    }
    let count = device.count.as_ref().and_then(|count| u64::try_from(count.value).ok());
    if count.is_none() {
        let message = "how many devices a node has is not known here".to_owned();
        findings.diagnose(at(&codes::DEVICE_COUNT, message).help("give a `count`, such as 1"));
    }
    Some((resource, count?))
}
