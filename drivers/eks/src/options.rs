//! Disk options: reading them, and the limits of the EBS volume types. Pure.
//!
//! Limits: <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volume-types.html>.

use crate::config::Config;
use kompox_driver_sdk::attributes::{Attributes, get};
use kompox_driver_sdk::types::{Error, Finding, Severity};

/// Limits of a volume type. Sizes in GiB.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Sku {
    pub(crate) name: &'static str,
    pub(crate) min_size: u64,
    pub(crate) max_size: u64,
    /// None: not provisioned by the user.
    pub(crate) iops: Option<Performance>,
    /// In MiB/s; None: not provisioned by the user.
    pub(crate) throughput: Option<Performance>,
    /// Most IOPS for each GiB.
    iops_per_gib: u64,
}

/// A range that the user may provision.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Performance {
    pub(crate) min: u64,
    pub(crate) max: u64,
    /// None: the user must say.
    pub(crate) default: Option<u64>,
}

const fn plain(name: &'static str, min_size: u64, max_size: u64) -> Sku {
    Sku { name, min_size, max_size, iops: None, throughput: None, iops_per_gib: 0 }
}

const SKUS: [Sku; 7] = [
    Sku {
        iops: Some(Performance { min: 3_000, max: 80_000, default: Some(3_000) }),
        throughput: Some(Performance { min: 125, max: 2_000, default: Some(125) }),
        iops_per_gib: 500,
        ..plain("gp3", 1, 65_536)
    },
    plain("gp2", 1, 16_384),
    Sku {
        iops: Some(Performance { min: 100, max: 256_000, default: None }),
        iops_per_gib: 1_000,
        ..plain("io2", 4, 65_536)
    },
    Sku {
        iops: Some(Performance { min: 100, max: 64_000, default: None }),
        iops_per_gib: 50,
        ..plain("io1", 4, 16_384)
    },
    plain("st1", 125, 16_384),
    plain("sc1", 125, 16_384),
    plain("standard", 1, 1_024),
];
/// gp3: a MiB/s needs four IOPS.
const IOPS_PER_THROUGHPUT: u64 = 4;
/// Range of `volumeInitializationRate` in MiB/s.
const INITIALIZATION_RATE: std::ops::RangeInclusive<u64> = 100..=300;

/// The volume type of that name.
pub(crate) fn sku(name: &str) -> Option<&'static Sku> {
    SKUS.iter().find(|sku| sku.name == name)
}

/// A disk's options as written; nothing is filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    pub(crate) sku: Option<&'static Sku>,
    pub(crate) iops: Option<u64>,
    pub(crate) throughput: Option<u64>,
    pub(crate) encrypted: Option<bool>,
    pub(crate) kms_key: Option<String>,
    pub(crate) initialization_rate: Option<u64>,
    pub(crate) csi_driver: Option<String>,
}

/// A finding about `path`.
pub(crate) fn finding(severity: Severity, reason: &str, path: &str, message: String) -> Finding {
    Finding { severity, reason: reason.into(), message, path: path.into() }
}

fn wrong(findings: &mut Vec<Finding>, reason: &str, path: &str, message: String) {
    findings.push(finding(Severity::Error, reason, path, message));
}

/// The first finding that forbids the request, as an error.
pub(crate) fn refuse(findings: &[Finding]) -> Result<(), Error> {
    let fatal = findings.iter().find(|finding| finding.severity == Severity::Error);
    fatal.map_or(Ok(()), |finding| {
        Err(Error::invalid(&finding.path, &finding.reason, finding.message.as_str()))
    })
}

impl Options {
    /// Reads options; what is wrong goes to `findings`. Unknown keys are ignored: the schema refuses
    /// them before.
    pub(crate) fn read(options: &[(String, String)], findings: &mut Vec<Finding>) -> Self {
        let mut number = |key: &str| {
            let text = get(options, key)?;
            let value = text.parse::<u64>().ok();
            if value.is_none() {
                wrong(
                    findings,
                    "NotANumber",
                    &format!("options.{key}"),
                    format!("\"{text}\" is not a number"),
                );
            }
            value
        };
        let (iops, throughput) = (number("iops"), number("throughput"));
        let initialization_rate = number("volumeInitializationRate");
        Self {
            sku: read_sku(options, findings),
            iops,
            throughput,
            encrypted: read_bool(options, findings),
            kms_key: get(options, "kmsKey").map(str::to_owned),
            initialization_rate,
            csi_driver: get(options, "csiDriver").map(str::to_owned),
        }
    }

    /// Fills in the defaults of the type and of the configuration.
    pub(crate) fn with_defaults(mut self, config: &Config) -> Self {
        let sku = self.sku.unwrap_or(&SKUS[0]);
        self.sku = Some(sku);
        self.iops = self.iops.or_else(|| sku.iops.as_ref()?.default);
        self.throughput = self.throughput.or_else(|| sku.throughput.as_ref()?.default);
        if self.encrypted != Some(false) {
            self.kms_key = self.kms_key.or_else(|| config.kms_key.clone());
        }
        if self.kms_key.is_some() && self.encrypted.is_none() {
            self.encrypted = Some(true);
        }
        self
    }

    /// Checks filled options against the type's limits. `size` in GiB, 0 = not known yet;
    /// `from_snapshot`: whether the volume is filled from one.
    pub(crate) fn check(&self, size: u64, from_snapshot: bool, findings: &mut Vec<Finding>) {
        let Some(sku) = self.sku else { return };
        check_range(sku, "iops", "IOPS", self.iops, sku.iops.as_ref(), findings);
        check_range(sku, "throughput", "MiB/s", self.throughput, sku.throughput.as_ref(), findings);
        self.check_ratios(sku, size, findings);
        if self.encrypted == Some(false) && self.kms_key.is_some() {
            let message = "a volume with a KMS key is encrypted".to_owned();
            wrong(findings, "EncryptionConflict", "options.encrypted", message);
        }
        let Some(rate) = self.initialization_rate else { return };
        let path = "options.volumeInitializationRate";
        if !from_snapshot {
            wrong(
                findings,
                "NotARestore",
                path,
                "only a volume made from a snapshot has this rate".to_owned(),
            );
        } else if !INITIALIZATION_RATE.contains(&rate) {
            wrong(findings, "OutOfRange", path, format!("{rate} MiB/s is not within 100 and 300"));
        }
    }

    fn check_ratios(&self, sku: &Sku, size: u64, findings: &mut Vec<Finding>) {
        let iops = self.iops.unwrap_or_default();
        let floor = sku.iops.as_ref().map_or(0, |iops| iops.min);
        let most = size.saturating_mul(sku.iops_per_gib).max(floor);
        if size > 0 && sku.iops.is_some() && iops > most {
            let message = format!("{} gives at most {most} IOPS at {size} GiB, not {iops}", sku.name);
            wrong(findings, "IopsForSize", "options.iops", message);
        }
        let throughput = self.throughput.unwrap_or_default();
        if sku.throughput.is_some() && throughput.saturating_mul(IOPS_PER_THROUGHPUT) > iops {
            let needed = throughput.saturating_mul(IOPS_PER_THROUGHPUT);
            let message = format!("{throughput} MiB/s need at least {needed} IOPS, not {iops}");
            wrong(findings, "ThroughputForIops", "options.throughput", message);
        }
    }

    /// As the host keeps them.
    pub(crate) fn into_attributes(self) -> Attributes {
        let number = |value: Option<u64>| value.map(|value| value.to_string());
        let known = [
            ("csiDriver", self.csi_driver),
            ("encrypted", self.encrypted.map(|encrypted| encrypted.to_string())),
            ("iops", number(self.iops)),
            ("kmsKey", self.kms_key),
            ("sku", self.sku.map(|sku| sku.name.to_owned())),
            ("throughput", number(self.throughput)),
            ("volumeInitializationRate", number(self.initialization_rate)),
        ];
        known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))).collect()
    }
}

fn read_sku(options: &[(String, String)], findings: &mut Vec<Finding>) -> Option<&'static Sku> {
    let name = get(options, "sku").or_else(|| get(options, "type"))?;
    if get(options, "type").is_some_and(|other| other != name) {
        wrong(
            findings,
            "SkuConflict",
            "options.type",
            "sku and type are the same option and differ".to_owned(),
        );
    }
    let found = sku(name);
    if found.is_none() {
        wrong(findings, "UnknownVolumeType", "options.sku", format!("\"{name}\" is not an EBS volume type"));
    }
    found
}

fn read_bool(options: &[(String, String)], findings: &mut Vec<Finding>) -> Option<bool> {
    let text = get(options, "encrypted")?;
    let value = text.parse().ok();
    if value.is_none() {
        wrong(findings, "NotABoolean", "options.encrypted", format!("\"{text}\" is neither true nor false"));
    }
    value
}

fn check_range(
    sku: &Sku,
    key: &str,
    unit: &str,
    value: Option<u64>,
    range: Option<&Performance>,
    findings: &mut Vec<Finding>,
) {
    let path = format!("options.{key}");
    match (range, value) {
        (None, Some(_)) => {
            wrong(findings, "NotForThisType", &path, format!("{} volumes have no {key} option", sku.name));
        }
        (Some(_), None) => wrong(findings, "Required", &path, format!("{} volumes need {key}", sku.name)),
        (Some(range), Some(value)) if !(range.min..=range.max).contains(&value) => {
            let (min, max) = (range.min, range.max);
            let message = format!("{value} {unit} is not within {min} and {max} for {}", sku.name);
            wrong(findings, "OutOfRange", &path, message);
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests;
