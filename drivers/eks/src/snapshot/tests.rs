//! Tests of the interface `snapshot`.

use super::{create, delete, find, set_tags};
use crate::client::Client;
use crate::fixtures::{
    OURS, SNAPSHOT, VOLUME, actions, answer, assert_form, config, error, intent, pairs, snapshot_fields,
    snapshots, target, volume_fields, volumes,
};
use kompox_driver_sdk::size::GIB;
use kompox_driver_sdk::snapshot::{SnapshotRequest, SnapshotState};
use kompox_driver_sdk::testing::Script;
use kompox_driver_sdk::types::{Effect, Error, ErrorCode, Outcome, Query, TagChange};

fn run_create(script: &mut Script, resume: Option<&str>) -> Result<Outcome, Error> {
    let request = SnapshotRequest { disk_handle: VOLUME.into(), options: vec![] };
    create(&mut Client::new(script, &config()), &intent(), &request, resume)
}

fn source() -> String {
    volumes(&[volume_fields(VOLUME, "in-use", OURS, "")])
}

fn one(status: &str) -> String {
    snapshots(&[snapshot_fields(SNAPSHOT, status, OURS)])
}

#[test]
fn a_snapshot_is_tagged_as_it_is_taken() {
    let taken = answer("CreateSnapshot", &snapshot_fields(SNAPSHOT, "pending", OURS));
    let mut script = Script::new().answer(200, snapshots(&[])).answer(200, source()).answer(200, taken);
    let outcome = run_create(&mut script, None).unwrap();
    assert_eq!(outcome.handle.as_deref(), Some(SNAPSHOT));
    assert_eq!(outcome.pending.unwrap().percent, Some(42));
    let by_name = [
        ("Filter.1.Name", "tag:kompox.dev/name"),
        ("Filter.1.Value.1", "k4x-1"),
        ("MaxResults", "200"),
        ("Owner.1", "self"),
    ];
    assert_form(&script, 0, "DescribeSnapshots", &by_name);
    let expected = [
        ("VolumeId", VOLUME),
        ("Description", "Kompox snapshot k4x-1"),
        ("TagSpecification.1.ResourceType", "snapshot"),
        ("TagSpecification.1.Tag.1.Key", "kompox-disk-uid"),
        ("TagSpecification.1.Tag.1.Value", "u1"),
        ("TagSpecification.1.Tag.2.Key", "kompox.dev/name"),
        ("TagSpecification.1.Tag.2.Value", "k4x-1"),
        ("TagSpecification.1.Tag.3.Key", "Name"),
        ("TagSpecification.1.Tag.3.Value", "k4x-1"),
        ("TagSpecification.1.Tag.4.Key", "ebs.csi.aws.com/cluster"),
        ("TagSpecification.1.Tag.4.Value", "true"),
    ];
    assert_form(&script, 2, "CreateSnapshot", &expected);
}

#[test]
fn a_repeat_takes_no_second_picture() {
    for (status, finished) in [("pending", false), ("completed", true)] {
        let mut script = Script::new().answer(200, one(status));
        let outcome = run_create(&mut script, None).unwrap();
        assert_eq!((outcome.handle.as_deref(), outcome.pending.is_none()), (Some(SNAPSHOT), finished));
        assert_eq!(actions(&script), ["DescribeSnapshots"]);
    }
    // Of two, the first picture.
    let later = snapshot_fields("snap-00000000000000001", "completed", OURS).replace("19:42:44", "19:43:00");
    let list = snapshots(&[later, snapshot_fields(SNAPSHOT, "completed", OURS)]);
    let outcome = run_create(&mut Script::new().answer(200, list), None).unwrap();
    assert_eq!(outcome.handle.as_deref(), Some(SNAPSHOT));
    let foreign = [("kompox.dev/name", "k4x-1"), ("kompox-disk-uid", "u2")];
    let list = snapshots(&[snapshot_fields(SNAPSHOT, "completed", &foreign)]);
    let error = run_create(&mut Script::new().answer(200, list), None).unwrap_err();
    assert_eq!((error.code, error.effect), (ErrorCode::AlreadyExists, Effect::None));
}

#[test]
fn failures_say_what_may_be_left() {
    let start = || Script::new().answer(200, snapshots(&[])).answer(200, source());
    for (script, code, effect, wait) in [
        (start().fail(Effect::Unknown, "ConnectionLost"), ErrorCode::Unavailable, Effect::Unknown, None),
        (
            start().answer(400, error("SnapshotCreationPerVolumeRateExceeded")),
            ErrorCode::Throttled,
            Effect::None,
            Some(15_000),
        ),
        (
            start().answer(400, error("ConcurrentSnapshotLimitExceeded")),
            ErrorCode::QuotaExceeded,
            Effect::None,
            Some(60_000),
        ),
        (
            Script::new().answer(200, snapshots(&[])).answer(200, volumes(&[])),
            ErrorCode::NotFound,
            Effect::None,
            None,
        ),
        (Script::new().answer(500, ""), ErrorCode::Unavailable, Effect::None, None),
    ] {
        let mut script = script;
        let error = run_create(&mut script, None).unwrap_err();
        assert_eq!((error.code, error.effect, error.retry_after_ms), (code, effect, wait));
        assert_eq!(script.unused(), 0);
    }
}

#[test]
fn resume_only_looks() {
    let resume = format!("{SNAPSHOT}/2");
    for (list, finished) in [(one("pending"), false), (one("completed"), true), (snapshots(&[]), false)] {
        let mut script = Script::new().answer(200, list);
        let outcome = run_create(&mut script, Some(&resume)).unwrap();
        assert_eq!(outcome.pending.is_none(), finished);
        assert_eq!(actions(&script), ["DescribeSnapshots"]);
    }
    for (list, resume, reason) in [
        (one("error"), resume, "SnapshotCreationFailed"),
        (snapshots(&[]), format!("{SNAPSHOT}/10"), "SnapshotVanished"),
    ] {
        let error = run_create(&mut Script::new().answer(200, list), Some(&resume)).unwrap_err();
        assert_eq!((error.effect, error.reason.as_str()), (Effect::Spent, reason));
    }
}

#[test]
fn snapshots_are_found_by_their_disk() {
    let query =
        Query { handles: vec![], name: None, tags: vec![], disk_handle: Some(VOLUME.into()), limit: 9999 };
    let mut script = Script::new().answer(200, one("completed"));
    let page = find(&mut Client::new(&mut script, &config()), &query, None).unwrap();
    let info = &page.items[0];
    assert_eq!((info.state, info.restore_size_bytes), (SnapshotState::Ready, 10 * GIB));
    assert_eq!((info.disk_handle.as_deref(), info.name.as_deref()), (Some(VOLUME), Some("k4x-1")));
    assert_eq!(info.taken_at.as_deref(), Some("2026-11-23T19:42:44.000Z"));
    assert_eq!(info.csi.as_ref().unwrap().driver, "ebs.csi.aws.com");
    assert_eq!((page.next, page.unread), (None, vec![]));
    let expected = [
        ("Filter.1.Name", "volume-id"),
        ("Filter.1.Value.1", VOLUME),
        ("MaxResults", "500"),
        ("Owner.1", "self"),
    ];
    assert_form(&script, 0, "DescribeSnapshots", &expected);
}

#[test]
fn states_are_translated() {
    for (status, expected) in [
        ("pending", SnapshotState::Uploading),
        ("completed", SnapshotState::Ready),
        ("error", SnapshotState::Failed),
        ("recoverable", SnapshotState::Unavailable),
        ("recovering", SnapshotState::Unavailable),
        ("novel", SnapshotState::Unknown),
    ] {
        let query =
            Query { handles: vec![SNAPSHOT.into()], name: None, tags: vec![], disk_handle: None, limit: 0 };
        let mut script = Script::new().answer(200, one(status));
        let page = find(&mut Client::new(&mut script, &config()), &query, None).unwrap();
        assert_eq!(page.items[0].state, expected, "{status}");
    }
}

#[test]
fn delete_is_finished_when_it_is_gone() {
    for script in [
        Script::new().answer(200, snapshots(&[])),
        Script::new().answer(200, one("completed")).answer(200, answer("DeleteSnapshot", "")),
        Script::new().answer(200, one("completed")).answer(400, error("InvalidSnapshot.NotFound")),
    ] {
        let mut script = script;
        assert_eq!(
            delete(&mut Client::new(&mut script, &config()), &target(SNAPSHOT)).unwrap().pending,
            None
        );
        assert_eq!(script.unused(), 0);
    }
    let foreign = snapshots(&[snapshot_fields(SNAPSHOT, "completed", &[("kompox.dev/name", "other")])]);
    for (script, code) in [
        (
            Script::new().answer(200, one("completed")).answer(400, error("InvalidSnapshot.InUse")),
            ErrorCode::InUse,
        ),
        (Script::new().answer(200, foreign), ErrorCode::OwnerMismatch),
        (Script::new().answer(403, error("UnauthorizedOperation")), ErrorCode::PermissionDenied),
    ] {
        let mut script = script;
        assert_eq!(
            delete(&mut Client::new(&mut script, &config()), &target(SNAPSHOT)).unwrap_err().code,
            code
        );
    }
}

#[test]
fn tags_are_changed_on_the_right_snapshot_only() {
    let change = TagChange { set: pairs(&[("a", "b")]), remove: vec![] };
    let mut script = Script::new().answer(200, one("completed")).answer(200, answer("CreateTags", ""));
    set_tags(&mut Client::new(&mut script, &config()), &target(SNAPSHOT), &change).unwrap();
    assert_form(
        &script,
        1,
        "CreateTags",
        &[("ResourceId.1", SNAPSHOT), ("Tag.1.Key", "a"), ("Tag.1.Value", "b")],
    );
    let mut script = Script::new().answer(200, snapshots(&[]));
    let error = set_tags(&mut Client::new(&mut script, &config()), &target(SNAPSHOT), &change).unwrap_err();
    assert_eq!(error.code, ErrorCode::NotFound);
}
