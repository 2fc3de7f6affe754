//! Tests of the options and their limits.

use super::{Options, refuse};
use crate::config::Config;
use kompox_driver_sdk::attributes::Attributes;
use kompox_driver_sdk::types::ErrorCode;

fn pairs(list: &[(&str, &str)]) -> Attributes {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn reasons(options: &[(&str, &str)], size: u64, from_snapshot: bool) -> Vec<String> {
    let mut findings = Vec::new();
    let options = Options::read(&pairs(options), &mut findings).with_defaults(&Config::default());
    options.check(size, from_snapshot, &mut findings);
    findings.into_iter().map(|finding| format!("{} {}", finding.path, finding.reason)).collect()
}

#[test]
fn limits_of_each_type_are_kept() {
    for (options, size, expected) in [
        (vec![], 1, vec![]),
        (vec![("sku", "gp3"), ("iops", "80000"), ("throughput", "2000")], 160, vec![]),
        (vec![("sku", "gp3"), ("iops", "2999"), ("throughput", "125")], 10, vec!["options.iops OutOfRange"]),
        (vec![("iops", "80001")], 1000, vec!["options.iops OutOfRange"]),
        (vec![("iops", "6000")], 10, vec!["options.iops IopsForSize"]),
        (vec![("iops", "5000")], 10, vec![]),
        (vec![("iops", "6000")], 0, vec![]),
        (vec![("throughput", "751")], 10, vec!["options.throughput ThroughputForIops"]),
        (vec![("throughput", "750")], 10, vec![]),
        (vec![("throughput", "124")], 10, vec!["options.throughput OutOfRange"]),
        (vec![("sku", "gp2")], 10, vec![]),
        (vec![("sku", "gp2"), ("iops", "100")], 10, vec!["options.iops NotForThisType"]),
        (vec![("sku", "st1"), ("throughput", "125")], 125, vec!["options.throughput NotForThisType"]),
        (vec![("sku", "io1")], 10, vec!["options.iops Required"]),
        (vec![("sku", "io1"), ("iops", "500")], 10, vec![]),
        (vec![("sku", "io1"), ("iops", "501")], 10, vec!["options.iops IopsForSize"]),
        (vec![("sku", "io2"), ("iops", "10000")], 10, vec![]),
        (vec![("sku", "io2"), ("iops", "10001")], 10, vec!["options.iops IopsForSize"]),
        (vec![("sku", "gp9")], 10, vec!["options.sku UnknownVolumeType"]),
        (vec![("sku", "gp3"), ("type", "gp2")], 10, vec!["options.type SkuConflict"]),
        (vec![("type", "gp2")], 10, vec![]),
        (vec![("iops", "-1")], 10, vec!["options.iops NotANumber"]),
        (vec![("encrypted", "yes")], 10, vec!["options.encrypted NotABoolean"]),
        (vec![("encrypted", "false"), ("kmsKey", "k")], 10, vec!["options.encrypted EncryptionConflict"]),
    ] {
        assert_eq!(reasons(&options, size, false), expected, "{options:?} at {size}");
    }
}

#[test]
fn the_initialization_rate_is_for_restores() {
    let path = "options.volumeInitializationRate";
    for (rate, from_snapshot, expected) in
        [("100", true, None), ("301", true, Some("OutOfRange")), ("200", false, Some("NotARestore"))]
    {
        let got = reasons(&[("volumeInitializationRate", rate)], 10, from_snapshot);
        assert_eq!(got, expected.map(|reason| format!("{path} {reason}")).into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn defaults_are_filled_in() {
    let config = Config { kms_key: Some("alias/k".into()), ..Config::default() };
    for (options, expected) in [
        (
            vec![],
            vec![
                ("encrypted", "true"),
                ("iops", "3000"),
                ("kmsKey", "alias/k"),
                ("sku", "gp3"),
                ("throughput", "125"),
            ],
        ),
        (vec![("encrypted", "false"), ("sku", "gp2")], vec![("encrypted", "false"), ("sku", "gp2")]),
        (
            vec![("kmsKey", "own"), ("type", "gp2")],
            vec![("encrypted", "true"), ("kmsKey", "own"), ("sku", "gp2")],
        ),
    ] {
        let filled = Options::read(&pairs(&options), &mut Vec::new()).with_defaults(&config);
        assert_eq!(filled.into_attributes(), pairs(&expected));
    }
}

#[test]
fn the_first_error_refuses_the_request() {
    let mut findings = Vec::new();
    Options::read(&pairs(&[("iops", "x")]), &mut findings);
    let error = refuse(&findings).unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (ErrorCode::InvalidArgument, "NotANumber"));
    assert_eq!(error.details, pairs(&[("field", "options.iops")]));
    assert!(refuse(&[]).is_ok());
}
