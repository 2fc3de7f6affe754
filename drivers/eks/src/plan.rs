//! What a disk request would come to: rounding, zone, defaults, refusals. Pure.

use crate::config::Config;
use crate::options::{Options, Sku, finding};
use kompox_driver_sdk::disk::{DiskPlan, DiskRequest, Source};
use kompox_driver_sdk::size::{GIB, from_gib, gib};
use kompox_driver_sdk::types::{Finding, Severity, TopologyTerm};

/// The well-known node label; it is there before the CSI driver registers and stays when the cluster
/// changes to EKS Auto Mode.
pub(crate) const ZONE_LABEL: &str = "topology.kubernetes.io/zone";

/// A request with everything filled in.
#[derive(Clone, Debug)]
pub(crate) struct Planned {
    /// In GiB; 0 = as large as the source.
    pub(crate) size: u64,
    pub(crate) zone: Option<String>,
    pub(crate) options: Options,
    pub(crate) findings: Vec<Finding>,
}

/// Plans a request.
pub(crate) fn plan(config: &Config, request: &DiskRequest) -> Planned {
    let mut findings = Vec::new();
    let options = Options::read(&request.options, &mut findings).with_defaults(config);
    let size = options.sku.map_or(0, |sku| size(sku, request, &mut findings));
    options.check(size, matches!(request.source, Source::Snapshot(_)), &mut findings);
    let zone = zone(config, request.zone.as_deref(), &mut findings);
    Planned { size, zone, options, findings }
}

impl Planned {
    /// As the host sees it.
    pub(crate) fn into_plan(self) -> DiskPlan {
        let topology = self.zone.iter().map(|zone| zone_term(zone)).collect();
        DiskPlan {
            size_bytes: from_gib(self.size),
            zone: self.zone,
            options: self.options.into_attributes(),
            topology,
            findings: self.findings,
            attributes: Vec::new(),
        }
    }
}

/// A volume is usable by the nodes of its zone.
pub(crate) fn zone_term(zone: &str) -> TopologyTerm {
    TopologyTerm { key: ZONE_LABEL.into(), values: vec![zone.to_owned()] }
}

fn size(sku: &Sku, request: &DiskRequest, findings: &mut Vec<Finding>) -> u64 {
    if request.size_bytes == 0 {
        if request.source == Source::Empty {
            let message = "a blank disk needs a size".to_owned();
            findings.push(finding(Severity::Error, "Required", "size", message));
        }
        return 0;
    }
    let asked = gib(request.size_bytes);
    let size = asked.max(sku.min_size);
    if asked > sku.max_size {
        let message = format!("{} volumes have at most {} GiB, not {asked}", sku.name, sku.max_size);
        findings.push(finding(Severity::Error, "OutOfRange", "size", message));
    } else if size > asked {
        let message = format!("{} volumes have at least {size} GiB", sku.name);
        findings.push(finding(Severity::Info, "SizeRaised", "size", message));
    } else if !request.size_bytes.is_multiple_of(GIB) {
        let message = format!("rounded up to {size} GiB");
        findings.push(finding(Severity::Info, "SizeRoundedUp", "size", message));
    }
    size
}

/// `a` and `us-west-2a` name the same zone of us-west-2.
fn zone(config: &Config, zone: Option<&str>, findings: &mut Vec<Finding>) -> Option<String> {
    let Some(zone) = zone.filter(|zone| !zone.is_empty()) else {
        let message = format!("EBS volumes belong to a zone: set one, such as {}a", config.region);
        findings.push(finding(Severity::Error, "Required", "zone", message));
        return None;
    };
    let is_letter = zone.len() == 1 && zone.bytes().all(|byte| byte.is_ascii_lowercase());
    let full = if is_letter { format!("{}{zone}", config.region) } else { zone.to_owned() };
    let rest = full.strip_prefix(config.region.as_str()).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    // A local zone is us-west-2-lax-1a.
    let ends = rest.bytes().next_back().is_some_and(|byte| byte.is_ascii_lowercase());
    if ends && rest.bytes().all(plain) && full.len() <= 63 {
        return Some(full);
    }
    let region = &config.region;
    let message =
        format!("\"{zone}\" is not the name of a zone of {region} (a zone id such as usw2-az1 is none)");
    findings.push(finding(Severity::Error, "UnknownZone", "zone", message));
    None
}

#[cfg(test)]
mod tests {
    use super::plan;
    use crate::config::Config;
    use kompox_driver_sdk::disk::{DiskRequest, Source};
    use kompox_driver_sdk::size::GIB;
    use kompox_driver_sdk::types::Severity;

    fn config() -> Config {
        Config { region: "us-west-2".into(), ..Config::default() }
    }

    fn request(size_bytes: u64, zone: Option<&str>, sku: &str, source: Source) -> DiskRequest {
        let options = vec![("sku".to_owned(), sku.to_owned())];
        DiskRequest { size_bytes, zone: zone.map(str::to_owned), source, options }
    }

    #[test]
    fn sizes_are_rounded_raised_and_refused() {
        let snapshot = || Source::Snapshot("snap-1".into());
        for (size, sku, source, expected, finding) in [
            (10 * GIB, "gp3", Source::Empty, 10, None),
            (10 * GIB + 1, "gp3", Source::Empty, 11, Some("SizeRoundedUp")),
            (1, "gp3", Source::Empty, 1, Some("SizeRoundedUp")),
            (10 * GIB, "st1", Source::Empty, 125, Some("SizeRaised")),
            (1025 * GIB, "standard", Source::Empty, 1025, Some("OutOfRange")),
            (u64::MAX, "gp3", Source::Empty, 1 << 34, Some("OutOfRange")),
            (0, "gp3", Source::Empty, 0, Some("Required")),
            (0, "gp3", snapshot(), 0, None),
        ] {
            let planned = plan(&config(), &request(size, Some("us-west-2a"), sku, source));
            let reasons: Vec<_> = planned.findings.iter().map(|finding| finding.reason.as_str()).collect();
            assert_eq!((planned.size, reasons), (expected, finding.into_iter().collect()), "{size} {sku}");
        }
    }

    #[test]
    fn zones_are_named_in_full() {
        for (zone, expected) in [
            (Some("us-west-2a"), Some("us-west-2a")),
            (Some("b"), Some("us-west-2b")),
            (Some("us-west-2-lax-1a"), Some("us-west-2-lax-1a")),
            (Some("us-east-1a"), None),
            (Some("usw2-az1"), None),
            (Some("us-west-2"), None),
            (Some("us-west-2a\nx"), None),
            (Some(""), None),
            (None, None),
        ] {
            let planned = plan(&config(), &request(GIB, zone, "gp3", Source::Empty)).into_plan();
            assert_eq!(planned.zone.as_deref(), expected, "{zone:?}");
            let errors =
                planned.findings.iter().filter(|finding| finding.severity == Severity::Error).count();
            assert_eq!(errors, usize::from(expected.is_none()));
            let values: Vec<_> = planned.topology.iter().flat_map(|term| &term.values).collect();
            assert_eq!(values, expected.iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_plan_of_a_plan_is_the_same() {
        let first = plan(&config(), &request(GIB + 1, Some("a"), "gp3", Source::Empty)).into_plan();
        let again = DiskRequest {
            size_bytes: first.size_bytes,
            zone: first.zone.clone(),
            source: Source::Empty,
            options: first.options.clone(),
        };
        let second = plan(&config(), &again).into_plan();
        assert_eq!(second.findings, []);
        assert_eq!(
            (second.size_bytes, second.zone, second.options),
            (first.size_bytes, first.zone, first.options)
        );
    }
}
