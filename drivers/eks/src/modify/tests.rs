//! Tests of the interface `disk-modify`.

use super::{may_be_key, modify};
use crate::client::Client;
use crate::fixtures::{
    OURS, VOLUME, actions, answer, assert_form, config, error, pairs, target, volume_fields, volumes,
};
use kompox_driver_sdk::disk_modify::DiskChange;
use kompox_driver_sdk::size::GIB;
use kompox_driver_sdk::testing::Script;
use kompox_driver_sdk::types::{Effect, Error, ErrorCode, Outcome};

fn change(size_gib: u64, options: &[(&str, &str)]) -> DiskChange {
    DiskChange { size_bytes: Some(size_gib * GIB), options: pairs(options) }
}

fn run(script: &mut Script, change: &DiskChange, resume: Option<&str>) -> Result<Outcome, Error> {
    modify(&mut Client::new(script, &config()), &target(VOLUME), change, resume)
}

/// gp3, 10 GiB, 3000 IOPS, 125 MiB/s.
fn start() -> Script {
    Script::new().answer(200, volumes(&[volume_fields(VOLUME, "in-use", OURS, "")]))
}

fn modification(state: &str, size: u64) -> String {
    format!(
        "<volumeId>{VOLUME}</volumeId><modificationState>{state}</modificationState><targetSize>{size}</targetSize>\
         <targetIops>4000</targetIops><targetVolumeType>gp3</targetVolumeType><progress>7</progress>\
         <startTime>2026-11-23T19:42:44.000Z</startTime>"
    )
}

fn modifications(state: &str, size: u64) -> String {
    let item =
        format!("<volumeModificationSet><item>{}</item></volumeModificationSet>", modification(state, size));
    answer("DescribeVolumesModifications", &item)
}

fn never_modified() -> String {
    error("InvalidVolumeModification.NotFound")
}

#[test]
fn one_request_changes_size_and_options() {
    let accepted = format!("<volumeModification>{}</volumeModification>", modification("modifying", 20));
    let mut script = start().answer(400, never_modified()).answer(200, answer("ModifyVolume", &accepted));
    let outcome =
        run(&mut script, &change(20, &[("sku", "gp3"), ("iops", "4000"), ("throughput", "125")]), None)
            .unwrap();
    let pending = outcome.pending.unwrap();
    assert_eq!((pending.percent, pending.poll_after_ms), (Some(7), 2000));
    assert_form(&script, 1, "DescribeVolumesModifications", &[("VolumeId.1", VOLUME)]);
    assert_form(&script, 2, "ModifyVolume", &[("VolumeId", VOLUME), ("Size", "20"), ("Iops", "4000")]);
}

#[test]
fn a_new_type_gets_its_values_in_full() {
    for (options, expected) in [
        (vec![("sku", "gp2")], vec![("VolumeType", "gp2")]),
        (vec![("sku", "io2"), ("iops", "5000")], vec![("VolumeType", "io2"), ("Iops", "5000")]),
    ] {
        let accepted = format!("<volumeModification>{}</volumeModification>", modification("completed", 10));
        let mut script = start().answer(400, never_modified()).answer(200, answer("ModifyVolume", &accepted));
        assert_eq!(run(&mut script, &change(10, &options), None).unwrap().pending, None);
        let mut expected = expected;
        expected.push(("VolumeId", VOLUME));
        assert_form(&script, 2, "ModifyVolume", &expected);
    }
}

#[test]
fn what_is_so_already_needs_no_request() {
    for change in [
        change(10, &[]),
        change(5, &[("sku", "gp3"), ("iops", "3000"), ("throughput", "125"), ("encrypted", "false")]),
        DiskChange { size_bytes: None, options: vec![] },
    ] {
        let mut script = start();
        assert_eq!(run(&mut script, &change, None).unwrap().pending, None);
        assert_eq!(actions(&script), ["DescribeVolumes"]);
    }
}

#[test]
fn what_cannot_be_is_refused_before_it_is_asked() {
    for (options, size, reason) in [
        (vec![("encrypted", "true")], 10, "Immutable"),
        (vec![("kmsKey", "alias/k")], 10, "Immutable"),
        (vec![("csiDriver", "ebs.csi.eks.amazonaws.com")], 10, "Immutable"),
        (vec![("iops", "9000")], 10, "IopsForSize"),
        (vec![("sku", "io1")], 10, "Required"),
        (vec![("sku", "st1")], 20, "OutOfRange"),
        (vec![], 70_000, "OutOfRange"),
    ] {
        let mut script = start();
        let error = run(&mut script, &change(size, &options), None).unwrap_err();
        assert_eq!((error.reason.as_str(), error.effect), (reason, Effect::None), "{options:?}");
        assert_eq!(actions(&script), ["DescribeVolumes"]);
    }
}

#[test]
fn a_modification_that_goes_on_is_not_repeated() {
    let grow = change(20, &[]);
    for (state, resume) in [("modifying", None), ("modifying", Some("r")), ("completed", Some("r"))] {
        let mut script = start().answer(200, modifications(state, 20));
        assert!(run(&mut script, &grow, resume).unwrap().pending.is_some(), "{state}");
    }
    for (state, size, resume, code, effect) in [
        ("modifying", 30, None, ErrorCode::Conflict, Effect::None),
        ("optimizing", 15, None, ErrorCode::Throttled, Effect::None),
        ("failed", 20, Some("r"), ErrorCode::FailedPrecondition, Effect::Spent),
    ] {
        let mut script = start().answer(200, modifications(state, size));
        let error = run(&mut script, &grow, resume).unwrap_err();
        assert_eq!((error.code, error.effect), (code, effect), "{state}");
    }
    // An old modification is over, and a failed one may be tried again.
    for (state, size) in [("completed", 10), ("failed", 20)] {
        let accepted = format!("<volumeModification>{}</volumeModification>", modification("optimizing", 20));
        let mut script =
            start().answer(200, modifications(state, size)).answer(200, answer("ModifyVolume", &accepted));
        assert_eq!(run(&mut script, &grow, None).unwrap().pending, None);
        assert_eq!(script.unused(), 0);
    }
}

#[test]
fn a_cool_down_is_throttling_with_a_time() {
    for (code, wait) in
        [("VolumeModificationRateExceeded", 3_600_000), ("IncorrectModificationState", 300_000)]
    {
        let mut script = start().answer(400, never_modified()).answer(400, error(code));
        let error = run(&mut script, &change(20, &[]), None).unwrap_err();
        assert_eq!((error.code, error.effect), (ErrorCode::Throttled, Effect::None));
        assert_eq!(error.retry_after_ms, Some(wait));
    }
}

#[test]
fn only_the_right_volume_is_modified() {
    let foreign = volumes(&[volume_fields(VOLUME, "available", &[("kompox.dev/name", "other")], "")]);
    for (list, code) in [(volumes(&[]), ErrorCode::NotFound), (foreign, ErrorCode::OwnerMismatch)] {
        let mut script = Script::new().answer(200, list);
        assert_eq!(run(&mut script, &change(20, &[]), None).unwrap_err().code, code);
    }
}

#[test]
fn keys_are_compared_as_far_as_they_can() {
    let arn = Some("arn:aws:kms:us-west-2:1:key/abc");
    for (wanted, present, expected) in [
        ("arn:aws:kms:us-west-2:1:key/abc", arn, true),
        ("abc", arn, true),
        ("alias/k", arn, true),
        ("arn:aws:kms:us-west-2:1:key/abd", arn, false),
        ("bc", arn, false),
        ("alias/k", None, false),
    ] {
        assert_eq!(may_be_key(wanted, present), expected, "{wanted}");
    }
}
