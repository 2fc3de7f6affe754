//! `deploy.resources` and its older forms, `cpu_shares`, `cpu_quota`, `storage_opt`, devices, and `x-kompox`
//! resources: requests and limits of the container. What the file does not bound is not bounded.

mod amount;
mod devices;

use super::Findings;
use super::subject::Subject;
use crate::app::codes;
use crate::quantity;
use amount::nanos;
use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kompox_compose::{Span, Spanned};
use std::collections::BTreeMap;

const CPU: &str = "cpu";
const MEMORY: &str = "memory";
const EPHEMERAL_STORAGE: &str = "ephemeral-storage";

/// Below this limit a container does not start: its runtime needs so much itself.
const MIN_MEMORY: u64 = 6 << 20;

/// The smallest share that the kernel can give: 1 ms of each 100 ms.
const MIN_MICRO_CPUS: u64 = 10_000;

/// Microseconds of `cpu_quota`'s period where the file gives none.
const DEFAULT_CPU_PERIOD: u64 = 100_000;

/// `cpu_shares` that stand for one processor.
const SHARES_PER_CPU: u64 = 1024;

/// An amount and where it was asked for.
struct Amount {
    quantity: Quantity,
    key: String,
    span: Span,
}

type Amounts = BTreeMap<String, Amount>;

/// Requests and limits of the container.
pub(super) fn validate(subject: &Subject<'_>, findings: &mut Findings) -> ResourceRequirements {
    let mut limits = limits(subject, findings);
    let mut requests = requests(subject, findings);
    for (name, amount) in devices::validate(subject, findings) {
        insert(&mut requests, &name, &amount.quantity, &amount.key, &amount.span);
        insert(&mut limits, &name, &amount.quantity, &amount.key, &amount.span);
    }
    let extension = &subject.service.extension;
    extend(subject, &mut limits, "limits", &extension.limits, findings);
    extend(subject, &mut requests, "requests", &extension.requests, findings);
    pair_extended(&mut requests, &mut limits);
    check_order(subject, &requests, &limits, findings);
    ResourceRequirements { claims: None, limits: quantities(limits), requests: quantities(requests) }
}

fn limits(subject: &Subject<'_>, findings: &mut Findings) -> Amounts {
    let resources = &subject.service.resources;
    let mut limits = Amounts::new();
    match (&resources.limits.micro_cpus, &resources.cpu_quota) {
        (Some(cpus), _) => {
            processors(
                subject,
                &mut limits,
                "deploy.resources.limits.cpus",
                cpus.value,
                &cpus.span,
                findings,
            );
        }
        (None, Some(quota)) if quota.value > 0 => {
            let period =
                resources.cpu_period.as_ref().map_or(DEFAULT_CPU_PERIOD, |period| period.value).max(1);
            let micro = quota.value.unsigned_abs().saturating_mul(1_000_000).div_ceil(period);
            processors(subject, &mut limits, "cpu_quota", micro, &quota.span, findings);
        }
        _ => {}
    }
    if let Some(memory) = &resources.limits.memory {
        memory_limit(subject, &mut limits, memory, findings);
    }
    if let Some(pids) = resources.limits.pids.as_ref().filter(|pids| pids.value > 0) {
        let message = "the number of processes is that of the node's settings";
        findings.diagnose(subject.at(
            &codes::PIDS_LIMIT,
            "deploy.resources.limits.pids",
            &pids.span,
            message,
        ));
    }
    storage(subject, &mut limits, findings);
    limits
}

fn requests(subject: &Subject<'_>, findings: &mut Findings) -> Amounts {
    let resources = &subject.service.resources;
    let mut requests = Amounts::new();
    match (&resources.reservations.micro_cpus, &resources.cpu_shares) {
        (Some(cpus), _) => {
            let key = "deploy.resources.reservations.cpus";
            processors(subject, &mut requests, key, cpus.value, &cpus.span, findings);
        }
        (None, Some(shares)) if shares.value > 0 => {
            let micro = shares.value.saturating_mul(1_000_000).div_ceil(SHARES_PER_CPU);
            let milli = Quantity(cpu_text(micro));
            insert(&mut requests, CPU, &milli, "cpu_shares", &shares.span);
        }
        _ => {}
    }
    if let Some(memory) = resources.reservations.memory.as_ref().filter(|memory| memory.value > 0) {
        let key = "deploy.resources.reservations.memory";
        insert(&mut requests, MEMORY, &quantity::quantity(memory.value), key, &memory.span);
    }
    requests
}

fn processors(
    subject: &Subject<'_>,
    amounts: &mut Amounts,
    key: &str,
    micro: u64,
    span: &Span,
    findings: &mut Findings,
) {
    // Docker takes zero for "not set".
    if micro == 0 {
        return;
    }
    if micro < MIN_MICRO_CPUS {
        let message = "the kernel gives a hundredth of a processor at least";
        findings.diagnose(subject.at(&codes::CPU_ROUNDED, key, span, message));
    }
    insert(amounts, CPU, &Quantity(cpu_text(micro.max(MIN_MICRO_CPUS))), key, span);
}

/// Millionths of a processor as a quantity, rounded up to thousandths.
fn cpu_text(micro: u64) -> String {
    let milli = micro.div_ceil(1000);
    if milli.is_multiple_of(1000) { (milli / 1000).to_string() } else { format!("{milli}m") }
}

fn memory_limit(subject: &Subject<'_>, limits: &mut Amounts, memory: &Spanned<u64>, findings: &mut Findings) {
    let key = "deploy.resources.limits.memory";
    if memory.value == 0 {
        return;
    }
    if memory.value < MIN_MEMORY {
        let message = format!("no container starts with {} bytes of memory", memory.value);
        let diagnostic = subject.at(&codes::MEMORY_TOO_SMALL, key, &memory.span, message);
        findings.diagnose(diagnostic.help("give 6 MiB at least (`6m`)"));
    }
    insert(limits, MEMORY, &quantity::quantity(memory.value), key, &memory.span);
}

/// `storage_opt.size`: what the container may write outside of its volumes.
fn storage(subject: &Subject<'_>, limits: &mut Amounts, findings: &mut Findings) {
    for (name, value) in &subject.service.storage_opt {
        let key = format!("storage_opt.{name}");
        match kompox_compose::units::bytes(&value.value).filter(|bytes| name == "size" && *bytes > 0) {
            Some(bytes) => insert(limits, EPHEMERAL_STORAGE, &quantity::quantity(bytes), &key, &value.span),
            None => {
                let message = format!("no container can have the storage option `{name}={}`", value.value);
                let diagnostic = subject.at(&codes::STORAGE_OPTION, &key, &value.span, message);
                findings.diagnose(diagnostic.help("give a `size` such as `10g`, or remove it"));
            }
        }
    }
}

fn insert(amounts: &mut Amounts, name: &str, quantity: &Quantity, key: &str, span: &Span) {
    let amount = Amount { quantity: quantity.clone(), key: key.to_owned(), span: span.clone() };
    amounts.insert(name.to_owned(), amount);
}

/// `x-kompox.resources` is written for Kubernetes: it wins.
fn extend(
    subject: &Subject<'_>,
    amounts: &mut Amounts,
    list: &str,
    given: &BTreeMap<String, Spanned<String>>,
    findings: &mut Findings,
) {
    for (name, value) in given {
        let key = format!("x-kompox.resources.{list}.{name}");
        if amount::is_resource_name(name) && nanos(&value.value).is_some() {
            insert(amounts, name, &Quantity(value.value.clone()), &key, &value.span);
            continue;
        }
        let message = format!("`{name}: {}` is no resource with a quantity", value.value);
        findings.diagnose(
            subject
                .at(&codes::RESOURCE_INVALID, &key, &value.span, message)
                .help("write, for example, `cpu: 500m`, `memory: 1Gi` or `example.com/device: \"1\"`"),
        );
    }
}

/// Kubernetes does not overcommit extended resources: what is requested is the limit, and the reverse.
fn pair_extended(requests: &mut Amounts, limits: &mut Amounts) {
    complete(requests, limits);
    complete(limits, requests);
}

fn complete(from: &Amounts, to: &mut Amounts) {
    let extended = |name: &str| name.contains('/') || name.starts_with("hugepages-");
    for (name, amount) in from.iter().filter(|(name, _)| extended(name)) {
        if !to.contains_key(name) {
            insert(to, name, &amount.quantity, &amount.key, &amount.span);
        }
    }
}

fn check_order(subject: &Subject<'_>, requests: &Amounts, limits: &Amounts, findings: &mut Findings) {
    for (name, request) in requests {
        let Some(limit) = limits.get(name) else { continue };
        if nanos(&request.quantity.0) > nanos(&limit.quantity.0) {
            let message = format!(
                "{} of `{name}` are reserved and only {} allowed",
                request.quantity.0, limit.quantity.0
            );
            findings.diagnose(
                subject
                    .at(&codes::REQUEST_ABOVE_LIMIT, &request.key, &request.span, message)
                    .related(&limit.span, "the limit")
                    .help("reserve at most the limit"),
            );
        }
    }
}

fn quantities(amounts: Amounts) -> Option<BTreeMap<String, Quantity>> {
    (!amounts.is_empty()).then(|| amounts.into_iter().map(|(name, amount)| (name, amount.quantity)).collect())
}

#[cfg(test)]
mod tests {
    use super::cpu_text;

    #[test]
    fn processors_are_rounded_up_to_thousandths() {
        for (micro, text) in [(1, "1m"), (500_000, "500m"), (1_500_001, "1501m"), (2_000_000, "2")] {
            assert_eq!(cpu_text(micro), text, "{micro}");
        }
    }
}
