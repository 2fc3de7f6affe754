//! Tests of the interface `disk`, operation by operation.

use super::{create, delete, find, set_tags, volume_for};
use crate::client::Client;
use crate::config::{CSI_AUTO_MODE, Config};
use crate::fixtures::{
    OTHER, OURS, SNAPSHOT, VOLUME, actions, answer, assert_form, attachment, config, error, form, intent,
    pairs, snapshot_fields, snapshots, target, volume_fields, volumes, volumes_page,
};
use kompox_driver_sdk::disk::{DiskRequest, DiskState, Source, VolumeRequest, VolumeSource};
use kompox_driver_sdk::size::GIB;
use kompox_driver_sdk::testing::Script;
use kompox_driver_sdk::types::{Effect, Error, ErrorCode, Outcome, Query, TagChange};

fn request(size_gib: u64, source: Source, options: &[(&str, &str)]) -> DiskRequest {
    DiskRequest {
        size_bytes: size_gib * GIB,
        zone: Some("us-west-2a".into()),
        source,
        options: pairs(options),
    }
}

fn blank() -> DiskRequest {
    request(10, Source::Empty, &[])
}

fn query(handles: &[&str]) -> Query {
    let handles = handles.iter().map(|handle| (*handle).to_owned()).collect();
    Query { handles, name: None, tags: vec![], disk_handle: None, limit: 0 }
}

fn run_create(script: &mut Script, request: &DiskRequest, resume: Option<&str>) -> Result<Outcome, Error> {
    create(&mut Client::new(script, &config()), &intent(), request, resume)
}

fn none() -> String {
    volumes(&[])
}

fn ours(status: &str) -> String {
    volumes(&[volume_fields(VOLUME, status, OURS, "")])
}

#[test]
fn create_asks_for_everything_in_one_request() {
    let config = Config { cluster_name: Some("prod".into()), ..config() };
    let created = answer("CreateVolume", &volume_fields(VOLUME, "creating", OURS, ""));
    let mut script = Script::new().answer(200, none()).answer(200, created);
    let request = request(10, Source::Empty, &[("iops", "4000"), ("kmsKey", "alias/k")]);
    let outcome = create(&mut Client::new(&mut script, &config), &intent(), &request, None).unwrap();
    assert_eq!(outcome.handle.as_deref(), Some(VOLUME));
    assert_eq!(outcome.pending.unwrap().resume, format!("{VOLUME}/1"));
    let by_name =
        [("Filter.1.Name", "tag:kompox.dev/name"), ("Filter.1.Value.1", "k4x-1"), ("MaxResults", "200")];
    assert_form(&script, 0, "DescribeVolumes", &by_name);
    let token = "f".repeat(32);
    let expected = [
        ("AvailabilityZone", "us-west-2a"),
        ("Size", "10"),
        ("VolumeType", "gp3"),
        ("Iops", "4000"),
        ("Throughput", "125"),
        ("Encrypted", "true"),
        ("KmsKeyId", "alias/k"),
        ("ClientToken", token.as_str()),
        ("TagSpecification.1.ResourceType", "volume"),
        ("TagSpecification.1.Tag.1.Key", "kompox-disk-uid"),
        ("TagSpecification.1.Tag.1.Value", "u1"),
        ("TagSpecification.1.Tag.2.Key", "kompox.dev/name"),
        ("TagSpecification.1.Tag.2.Value", "k4x-1"),
        ("TagSpecification.1.Tag.3.Key", "Name"),
        ("TagSpecification.1.Tag.3.Value", "k4x-1"),
        ("TagSpecification.1.Tag.4.Key", "ebs.csi.aws.com/cluster"),
        ("TagSpecification.1.Tag.4.Value", "true"),
        ("TagSpecification.1.Tag.5.Key", "ebs.csi.aws.com/cluster-name"),
        ("TagSpecification.1.Tag.5.Value", "prod"),
    ];
    assert_form(&script, 1, "CreateVolume", &expected);
}

#[test]
fn create_never_makes_a_second_volume() {
    for (status, finished) in [("creating", false), ("available", true), ("in-use", true)] {
        let mut script = Script::new().answer(200, ours(status));
        let outcome = run_create(&mut script, &blank(), None).unwrap();
        assert_eq!((outcome.handle.as_deref(), outcome.pending.is_none()), (Some(VOLUME), finished));
        assert_eq!(actions(&script), ["DescribeVolumes"]);
    }
    // Burned by an accepted request of which we never heard.
    for code in ["IdempotentParameterMismatch", "VolumeLimitExceeded"] {
        let mut script =
            Script::new().answer(200, none()).answer(400, error(code)).answer(200, ours("available"));
        let outcome = run_create(&mut script, &blank(), None).unwrap();
        assert_eq!(outcome.handle.as_deref(), Some(VOLUME));
        let mut script = Script::new().answer(200, none()).answer(400, error(code)).answer(200, none());
        let error = run_create(&mut script, &blank(), None).unwrap_err();
        assert_eq!((error.effect, error.reason.as_str()), (Effect::Unknown, code));
    }
}

#[test]
fn create_completes_missing_tags_and_refuses_foreign_ones() {
    let name = ("kompox.dev/name", "k4x-1");
    let bare = volumes(&[volume_fields(VOLUME, "available", &[name], "")]);
    let mut script =
        Script::new().answer(200, bare).answer(200, answer("CreateTags", "<return>true</return>"));
    run_create(&mut script, &blank(), None).unwrap();
    let expected = [("ResourceId.1", VOLUME), ("Tag.1.Key", "kompox-disk-uid"), ("Tag.1.Value", "u1")];
    assert_form(&script, 1, "CreateTags", &expected);
    let foreign = volume_fields(VOLUME, "available", &[name, ("kompox-disk-uid", "u2")], "");
    let twice = [volume_fields(VOLUME, "available", OURS, ""), volume_fields(OTHER, "available", OURS, "")];
    for (list, reason) in [(volumes(&[foreign]), "NameTaken"), (volumes(&twice), "MultipleVolumes")] {
        let mut script = Script::new().answer(200, list);
        let error = run_create(&mut script, &blank(), None).unwrap_err();
        assert_eq!((error.code, error.reason.as_str()), (ErrorCode::AlreadyExists, reason));
        assert_eq!((error.effect, script.requests().len()), (Effect::None, 1));
    }
    // One on its way out is no obstacle.
    let leaving = volumes(&[volume_fields(OTHER, "deleting", OURS, "")]);
    let created = answer("CreateVolume", &volume_fields(VOLUME, "available", OURS, ""));
    let mut script = Script::new().answer(200, leaving).answer(200, created);
    assert_eq!(run_create(&mut script, &blank(), None).unwrap().handle.as_deref(), Some(VOLUME));
}

#[test]
fn create_says_what_a_failure_may_have_left() {
    let start = || Script::new().answer(200, none());
    for (script, code, effect) in [
        (start().fail(Effect::Unknown, "ConnectionLost"), ErrorCode::Unavailable, Effect::Unknown),
        (start().fail(Effect::None, "ConnectionRefused"), ErrorCode::Unavailable, Effect::None),
        (start().answer(503, error("RequestLimitExceeded")), ErrorCode::Throttled, Effect::None),
        (start().answer(500, "<html>"), ErrorCode::Unavailable, Effect::Unknown),
        (start().answer(403, error("UnauthorizedOperation")), ErrorCode::PermissionDenied, Effect::None),
        (start().answer(200, answer("CreateVolume", "")), ErrorCode::Internal, Effect::Unknown),
        (Script::new().fail(Effect::Unknown, "ConnectionLost"), ErrorCode::Unavailable, Effect::None),
        (
            Script::new().answer(403, error("UnauthorizedOperation")),
            ErrorCode::PermissionDenied,
            Effect::None,
        ),
    ] {
        let mut script = script;
        let error = run_create(&mut script, &blank(), None).unwrap_err();
        assert_eq!((error.code, error.effect), (code, effect), "{error:?}");
        assert_eq!(script.unused(), 0);
    }
    let failed = answer("CreateVolume", &volume_fields(VOLUME, "error", OURS, ""));
    for mut script in [start().answer(200, failed), Script::new().answer(200, ours("error"))] {
        let error = run_create(&mut script, &blank(), None).unwrap_err();
        assert_eq!((error.effect, error.reason.as_str()), (Effect::Spent, "VolumeCreationFailed"));
    }
}

#[test]
fn a_bad_request_never_reaches_aws() {
    let no_zone = DiskRequest { zone: None, ..blank() };
    for request in [no_zone, request(0, Source::Empty, &[]), request(10, Source::Empty, &[("sku", "gp9")])] {
        let mut script = Script::new();
        let error = run_create(&mut script, &request, None).unwrap_err();
        assert_eq!((error.code, error.effect), (ErrorCode::InvalidArgument, Effect::None));
        assert_eq!(script.requests().len(), 0);
    }
}

#[test]
fn resume_only_looks() {
    let resume = format!("{VOLUME}/3");
    let mut script = Script::new().answer(200, ours("available"));
    assert_eq!(run_create(&mut script, &blank(), Some(&resume)).unwrap().pending, None);
    let by_id = [("Filter.1.Name", "volume-id"), ("Filter.1.Value.1", VOLUME), ("MaxResults", "200")];
    assert_form(&script, 0, "DescribeVolumes", &by_id);
    let mut script = Script::new().answer(200, none());
    let pending = run_create(&mut script, &blank(), Some(&resume)).unwrap().pending.unwrap();
    assert_eq!(pending.resume, format!("{VOLUME}/4"));
    for (list, resume, reason) in
        [(none(), format!("{VOLUME}/10"), "VolumeVanished"), (ours("error"), resume, "VolumeCreationFailed")]
    {
        let mut script = Script::new().answer(200, list);
        let error = run_create(&mut script, &blank(), Some(&resume)).unwrap_err();
        assert_eq!((error.effect, error.reason.as_str()), (Effect::Spent, reason));
    }
}

#[test]
fn a_restore_waits_for_its_snapshot_and_fits_it() {
    let source = || Source::Snapshot(SNAPSHOT.into());
    let completed = || snapshots(&[snapshot_fields(SNAPSHOT, "completed", &[])]);
    let created = answer("CreateVolume", &volume_fields(VOLUME, "creating", OURS, ""));
    let mut script = Script::new().answer(200, none()).answer(200, completed()).answer(200, created);
    let restore = request(0, source(), &[("sku", "gp2"), ("volumeInitializationRate", "200")]);
    run_create(&mut script, &restore, None).unwrap();
    let sent = form(&script, 2);
    let get = |key: &str| sent.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    assert_eq!((get("SnapshotId"), get("VolumeInitializationRate")), (Some(SNAPSHOT), Some("200")));
    assert_eq!((get("Size"), get("Iops"), get("Throughput")), (None, None, None));
    for (list, size, code, reason) in [
        (
            snapshots(&[snapshot_fields(SNAPSHOT, "pending", &[])]),
            10,
            ErrorCode::FailedPrecondition,
            "SnapshotNotReady",
        ),
        (snapshots(&[]), 10, ErrorCode::NotFound, "SourceNotFound"),
        (completed(), 9, ErrorCode::OutOfRange, "SmallerThanSource"),
    ] {
        let mut script = Script::new().answer(200, none()).answer(200, list);
        let error = run_create(&mut script, &request(size, source(), &[]), None).unwrap_err();
        assert_eq!((error.code, error.reason.as_str(), error.effect), (code, reason, Effect::None));
    }
}

#[test]
fn a_clone_stays_in_the_zone_of_its_source() {
    let source = Source::Disk(OTHER.into());
    let original = || volumes(&[volume_fields(OTHER, "in-use", &[], "")]);
    let copy = format!("<volumeSet><item>{}</item></volumeSet>", volume_fields(VOLUME, "creating", OURS, ""));
    let mut script =
        Script::new().answer(200, none()).answer(200, original()).answer(200, answer("CopyVolumes", &copy));
    let outcome = run_create(&mut script, &request(20, source.clone(), &[]), None).unwrap();
    assert_eq!(outcome.handle.as_deref(), Some(VOLUME));
    let sent = form(&script, 2);
    for (key, value) in
        [("Action", Some("CopyVolumes")), ("SourceVolumeId", Some(OTHER)), ("AvailabilityZone", None)]
    {
        assert_eq!(sent.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str()), value);
    }
    let elsewhere = DiskRequest { zone: Some("b".into()), ..request(20, source, &[]) };
    let mut script = Script::new().answer(200, none()).answer(200, original());
    assert_eq!(run_create(&mut script, &elsewhere, None).unwrap_err().reason, "ZoneOfSource");
}

#[test]
fn find_by_handles_proves_absence() {
    let list = volumes_page(&[volume_fields(VOLUME, "available", OURS, "")], "p2");
    let second = volumes(&[volume_fields(OTHER, "deleted", &[], "")]);
    let mut script = Script::new().answer(200, list).answer(200, second);
    let gone = "vol-0123456789abcdef0";
    let page = find(&mut Client::new(&mut script, &config()), &query(&[VOLUME, OTHER, gone]), None).unwrap();
    assert_eq!((page.items.len(), page.next, page.unread), (1, None, vec![]));
    let info = &page.items[0];
    assert_eq!(
        (info.handle.as_str(), info.name.as_deref(), info.state),
        (VOLUME, Some("k4x-1"), DiskState::Ready)
    );
    assert_eq!((info.size_bytes, info.tags.clone()), (10 * GIB, pairs(&[("kompox-disk-uid", "u1")])));
    let filter = [
        ("Filter.1.Name", "volume-id"),
        ("Filter.1.Value.1", VOLUME),
        ("Filter.1.Value.2", OTHER),
        ("Filter.1.Value.3", gone),
        ("MaxResults", "200"),
    ];
    assert_form(&script, 0, "DescribeVolumes", &filter);
    assert!(form(&script, 1).contains(&("NextToken".into(), "p2".into())));
}

#[test]
fn find_never_takes_a_failure_for_absence() {
    for script in [
        Script::new().answer(403, error("UnauthorizedOperation")),
        Script::new().answer(404, "not here"),
        Script::new().answer(200, "<html/>"),
        Script::new().answer(200, volumes(&["<size>1</size>".to_owned()])),
        Script::new().answer(200, volumes_page(&[], "a")).answer(200, volumes_page(&[], "a")),
        Script::new().fail(Effect::Unknown, "ConnectionLost"),
    ] {
        let mut script = script;
        let error = find(&mut Client::new(&mut script, &config()), &query(&[VOLUME]), None).unwrap_err();
        assert_eq!(error.effect, Effect::None);
        assert_eq!(script.unused(), 0);
    }
    let mut script = Script::new();
    let page = find(&mut Client::new(&mut script, &config()), &query(&["vol-XYZ", "disk"]), None).unwrap();
    assert_eq!((page.items.len(), page.unread.len(), script.requests().len()), (0, 2, 0));
    let many = vec![VOLUME; 101];
    assert!(find(&mut Client::new(&mut script, &config()), &query(&many), None).is_err());
}

#[test]
fn find_by_conditions_is_paged_by_the_host() {
    let asked =
        Query { name: Some("k4x-*".into()), tags: pairs(&[("kompox-app", "a")]), limit: 2, ..query(&[]) };
    let mut script =
        Script::new().answer(200, volumes_page(&[volume_fields(VOLUME, "creating", OURS, "")], "p3"));
    let page = find(&mut Client::new(&mut script, &config()), &asked, Some("p2")).unwrap();
    assert_eq!((page.items.len(), page.next.as_deref()), (1, Some("p3")));
    let expected = [
        ("Filter.1.Name", "tag:kompox.dev/name"),
        ("Filter.1.Value.1", r"k4x-\*"),
        ("Filter.2.Name", "tag:kompox-app"),
        ("Filter.2.Value.1", "a"),
        ("MaxResults", "5"),
        ("NextToken", "p2"),
    ];
    assert_form(&script, 0, "DescribeVolumes", &expected);
}

#[test]
fn delete_reads_before_it_destroys() {
    let foreign =
        volume_fields(VOLUME, "available", &[("kompox.dev/name", "k4x-1"), ("kompox-disk-uid", "u2")], "");
    let attached = volume_fields(VOLUME, "in-use", OURS, &attachment());
    for (list, code) in
        [(volumes(&[foreign]), ErrorCode::OwnerMismatch), (volumes(&[attached]), ErrorCode::InUse)]
    {
        let mut script = Script::new().answer(200, list);
        let error = delete(&mut Client::new(&mut script, &config()), &target(VOLUME)).unwrap_err();
        assert_eq!((error.code, error.effect), (code, Effect::None));
        assert_eq!(actions(&script), ["DescribeVolumes"]);
    }
}

#[test]
fn delete_ends_when_the_volume_is_gone() {
    let done = || answer("DeleteVolume", "<return>true</return>");
    let first = |status: &str| Script::new().answer(200, ours(status));
    for (script, finished) in [
        (Script::new().answer(200, none()), true),
        (first("deleted"), true),
        (first("deleting"), false),
        (first("available").answer(200, done()), false),
        (first("error").answer(200, done()), false),
        (first("available").answer(400, error("InvalidVolume.NotFound")), true),
        (first("creating").answer(400, error("IncorrectState")), false),
    ] {
        let mut script = script;
        let outcome = delete(&mut Client::new(&mut script, &config()), &target(VOLUME)).unwrap();
        assert_eq!((outcome.pending.is_none(), script.unused()), (finished, 0), "{:?}", actions(&script));
    }
    for (status, code, expected, effect) in [
        (400, "VolumeInUse", ErrorCode::InUse, Effect::None),
        (403, "UnauthorizedOperation", ErrorCode::PermissionDenied, Effect::None),
        (500, "InternalError", ErrorCode::Unavailable, Effect::Unknown),
    ] {
        let mut script = first("available").answer(status, error(code));
        let error = delete(&mut Client::new(&mut script, &config()), &target(VOLUME)).unwrap_err();
        assert_eq!((error.code, error.effect), (expected, effect));
    }
}

#[test]
fn tags_are_changed_on_the_right_volume_only() {
    let change = TagChange {
        set: pairs(&[("kompox-trash-until", "20270101")]),
        remove: vec!["kompox-disk-uid".into()],
    };
    let mut script = Script::new()
        .answer(200, ours("in-use"))
        .answer(200, answer("CreateTags", "<return>true</return>"))
        .answer(200, answer("DeleteTags", "<return>true</return>"));
    set_tags(&mut Client::new(&mut script, &config()), &target(VOLUME), &change).unwrap();
    assert_eq!(actions(&script), ["DescribeVolumes", "CreateTags", "DeleteTags"]);
    let bare = volumes(&[volume_fields(VOLUME, "in-use", &[], "")]);
    for (list, code) in [(none(), ErrorCode::NotFound), (bare, ErrorCode::OwnerMismatch)] {
        let mut script = Script::new().answer(200, list);
        let error = set_tags(&mut Client::new(&mut script, &config()), &target(VOLUME), &change).unwrap_err();
        assert_eq!((error.code, script.requests().len()), (code, 1));
    }
}

#[test]
fn a_persistent_volume_is_bound_to_its_zone() {
    let request = |zone: Option<&str>, attributes: &[(&str, &str)]| VolumeRequest {
        handle: VOLUME.into(),
        zone: zone.map(str::to_owned),
        attributes: pairs(attributes),
        fs_type: Some("ext4".into()),
        block: false,
        read_only: false,
    };
    for (attributes, driver) in
        [(vec![], "ebs.csi.aws.com"), (vec![("csiDriver", CSI_AUTO_MODE)], CSI_AUTO_MODE)]
    {
        let volume = volume_for(&config(), &request(Some("us-west-2a"), &attributes)).unwrap();
        let VolumeSource::Csi(source) = &volume.source else { panic!("{:?}", volume.source) };
        assert_eq!((source.driver.as_str(), source.volume_handle.as_str()), (driver, VOLUME));
        assert_eq!(volume.topology[0].key, "topology.kubernetes.io/zone");
        assert_eq!(volume.topology[0].values, ["us-west-2a"]);
        assert_eq!(volume.access_modes, ["ReadWriteOnce", "ReadWriteOncePod"]);
    }
    assert_eq!(volume_for(&config(), &request(None, &[])).unwrap_err().reason, "Required");
    let malformed = VolumeRequest { handle: "x".into(), ..request(Some("us-west-2a"), &[]) };
    assert_eq!(volume_for(&config(), &malformed).unwrap_err().reason, "MalformedId");
}
