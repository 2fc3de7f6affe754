//! What a disk request would come to: rounding, zone, obvious refusals. Pure.

use crate::ZONE_LABEL;
use crate::config::Config;
use kompox_driver_sdk::disk::{DiskPlan, DiskRequest, Source};
use kompox_driver_sdk::types::{Error, Finding, Severity, TopologyTerm};

const MIB: u64 = 1 << 20;
/// The service's bounds.
const SIZES: std::ops::RangeInclusive<u64> = 16 * MIB..=16 << 40;

/// `disk.plan`.
#[must_use]
pub fn plan(config: &Config, request: &DiskRequest) -> DiskPlan {
    let mut findings = Vec::new();
    let size_bytes = size(request, &mut findings);
    let zone = request.zone.clone().or_else(|| config.zone.clone()).filter(|zone| !zone.is_empty());
    if zone.is_none() {
        let message = "a volume belongs to a zone: set spec.zone, or config.zone for all disks";
        findings.push(finding(Severity::Error, "Required", "zone", message.to_owned()));
    }
    DiskPlan {
        size_bytes,
        topology: zone.iter().map(|zone| zone_term(zone)).collect(),
        zone,
        options: request.options.clone(),
        findings,
        attributes: Vec::new(),
    }
}

/// A volume is usable by the nodes of its zone.
#[must_use]
pub fn zone_term(zone: &str) -> TopologyTerm {
    TopologyTerm { key: ZONE_LABEL.to_owned(), values: vec![zone.to_owned()] }
}

/// The first finding that forbids the request, as an error.
///
/// # Errors
/// If there is one.
pub fn refuse(plan: &DiskPlan) -> Result<(), Error> {
    match plan.findings.iter().find(|finding| finding.severity == Severity::Error) {
        Some(wrong) => Err(Error::invalid(&wrong.path, &wrong.reason, wrong.message.as_str())),
        None => Ok(()),
    }
}

fn size(request: &DiskRequest, findings: &mut Vec<Finding>) -> u64 {
    let asked = request.size_bytes;
    if asked == 0 {
        if request.source == Source::Empty {
            findings.push(finding(
                Severity::Error,
                "Required",
                "size",
                "a blank disk needs a size".to_owned(),
            ));
        }
        return 0;
    }
    let size = asked.max(*SIZES.start()).checked_next_multiple_of(MIB).unwrap_or(u64::MAX);
    if size > *SIZES.end() {
        findings.push(finding(
            Severity::Error,
            "OutOfRange",
            "size",
            "a volume has at most 16 TiB".to_owned(),
        ));
    } else if size > asked {
        let message = format!("raised to {size} bytes: a volume has whole MiB, and 16 at least");
        findings.push(finding(Severity::Info, "SizeRaised", "size", message));
    }
    size
}

fn finding(severity: Severity, reason: &str, path: &str, message: String) -> Finding {
    Finding { severity, reason: reason.to_owned(), message, path: path.to_owned() }
}
