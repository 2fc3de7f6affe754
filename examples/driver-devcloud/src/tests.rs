//! The operations against scripts of answers in the form of `docs/devcloud.md`. The real service is met in the
//! workspace's own tests.

use crate::client::Client;
use crate::config::Config;
use crate::{account, detect, disk, modify, plan, snapshot};
use kompox_driver_sdk::disk::{Attachments, DiskRequest, DiskState, Source, VolumeRequest, VolumeSource};
use kompox_driver_sdk::disk_modify::DiskChange;
use kompox_driver_sdk::http::Method;
use kompox_driver_sdk::identity::Facts;
use kompox_driver_sdk::snapshot::{SnapshotRequest, SnapshotState};
use kompox_driver_sdk::testing::Script;
use kompox_driver_sdk::types::{Effect, ErrorCode, Intent, Query, Severity, TagChange, Target};

const VOLUME: &str = "vol-019ad7c2f3a1b2c3d4e5";
const SNAPSHOT: &str = "snap-019ad7c2f3a1b2c3d4e5";
const MIB: u64 = 1 << 20;

fn config() -> Config {
    Config { endpoint: "http://127.0.0.1:4711/".into(), zone: None }
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn intent() -> Intent {
    Intent { name: "k4x-1".into(), token: "f".repeat(32), tags: pairs(&[("kompox-uid", "u1")]) }
}

fn target() -> Target {
    Target { handle: VOLUME.into(), name: Some("k4x-1".into()), tags: pairs(&[("kompox-uid", "u1")]) }
}

fn request() -> DiskRequest {
    DiskRequest { size_bytes: 20 * MIB, zone: Some("a".into()), source: Source::Empty, options: vec![] }
}

fn by_name() -> Query {
    Query { handles: vec![], name: Some("k4x-1".into()), tags: vec![], disk_handle: None, limit: 0 }
}

/// A volume with this state and these further members.
fn volume(state: &str, more: &str) -> String {
    format!(
        r#"{{"id":"{VOLUME}","name":"k4x-1","state":"{state}","sizeBytes":20971520,"zone":"a","backing":"image","createdAt":"2026-11-30T23:30:00Z"{more}}}"#
    )
}

const OURS: &str = r#","tags":{"kompox-uid":"u1"}"#;
const NONE: &str = r#"{"items":[]}"#;

fn fault(code: &str) -> String {
    format!(r#"{{"code":"{code}","message":"m"}}"#)
}

fn body(script: &Script, index: usize) -> serde_json::Value {
    serde_json::from_slice(&script.requests()[index].body).unwrap()
}

#[test]
fn a_disk_is_looked_for_by_name_and_then_created_once() {
    let config = config();
    let mut script = Script::new().answer(200, NONE).answer(201, volume("available", OURS));
    let outcome = disk::create(&mut Client::new(&mut script, &config), &intent(), &request(), None).unwrap();
    assert_eq!((outcome.handle.as_deref(), outcome.pending), (Some(VOLUME), None));
    assert_eq!(script.requests()[0].url, "http://127.0.0.1:4711/v1/volumes?name=k4x-1&limit=1");
    let expected = serde_json::json!({
        "name": "k4x-1", "clientToken": "f".repeat(32), "sizeBytes": 20 * MIB, "zone": "a",
        "tags": { "kompox-uid": "u1" },
    });
    assert_eq!((script.requests()[1].method, body(&script, 1)), (Method::Post, expected));
}

#[test]
fn a_disk_that_is_there_is_ours_completed_or_somebody_elses() {
    let config = config();
    let page = |volume: String| format!(r#"{{"items":[{volume}]}}"#);
    let mut script = Script::new()
        .answer(200, page(volume("creating", OURS)))
        .answer(200, page(volume("available", "")))
        .answer(200, volume("available", OURS))
        .answer(200, page(volume("available", r#","tags":{"kompox-uid":"u2"}"#)));
    let mut create = || disk::create(&mut Client::new(&mut script, &config), &intent(), &request(), None);
    assert_eq!(create().unwrap().pending.unwrap().resume, VOLUME);
    assert_eq!(create().unwrap().handle.as_deref(), Some(VOLUME));
    let taken = create().unwrap_err();
    assert_eq!((taken.code, taken.effect), (ErrorCode::AlreadyExists, Effect::None));
    assert_eq!(body(&script, 2), serde_json::json!({ "tags": { "kompox-uid": "u1" } }));
    assert_eq!(script.requests().len(), 4);
}

#[test]
fn going_on_only_looks() {
    let config = config();
    let mut script = Script::new()
        .answer(200, volume("creating", OURS))
        .answer(200, volume("failed", r#","message":"no room""#))
        .answer(404, fault("not-found"))
        .answer(500, fault("internal"));
    let mut create =
        || disk::create(&mut Client::new(&mut script, &config), &intent(), &request(), Some(VOLUME));
    assert!(create().unwrap().pending.is_some());
    let failed = create().unwrap_err();
    assert_eq!(
        (failed.reason.as_str(), failed.effect, failed.message.as_str()),
        ("VolumeFailed", Effect::Spent, "no room")
    );
    assert_eq!(create().unwrap_err().effect, Effect::Spent);
    // It was accepted before: that it cannot be read now does not undo it.
    assert_eq!(create().unwrap_err().effect, Effect::Unknown);
    assert!(script.requests().iter().all(|request| request.method == Method::Get));
}

#[test]
fn errors_keep_their_meaning_and_their_effect() {
    use ErrorCode as C;
    let config = config();
    for (status, text, code, effect) in [
        (400, fault("invalid-argument"), C::InvalidArgument, Effect::None),
        (400, fault("out-of-range"), C::OutOfRange, Effect::None),
        (401, fault("unauthenticated"), C::Unauthenticated, Effect::None),
        (403, fault("quota-exceeded"), C::QuotaExceeded, Effect::None),
        (404, fault("not-found"), C::NotFound, Effect::None),
        (409, fault("already-exists"), C::AlreadyExists, Effect::None),
        (409, fault("in-use"), C::InUse, Effect::None),
        (409, fault("not-ready"), C::FailedPrecondition, Effect::None),
        (429, fault("throttled"), C::Throttled, Effect::None),
        (500, fault("internal"), C::Unavailable, Effect::Unknown),
        (502, "<html>".to_owned(), C::Unavailable, Effect::Unknown),
        (404, "<html>".to_owned(), C::Other, Effect::None),
        (302, String::new(), C::Internal, Effect::Unknown),
        (201, "<html>".to_owned(), C::Internal, Effect::Unknown),
    ] {
        let mut script = Script::new().answer(200, NONE).answer(status, text);
        let error =
            disk::create(&mut Client::new(&mut script, &config), &intent(), &request(), None).unwrap_err();
        assert_eq!((error.code, error.effect), (code, effect), "{status} {error:?}");
    }
    let mut script = Script::new().fail(Effect::Unknown, "ConnectionLost");
    let error = disk::find(&mut Client::new(&mut script, &config), &by_name(), None).unwrap_err();
    assert_eq!((error.code, error.effect), (C::Unavailable, Effect::None), "reading has no effect");
}

#[test]
fn a_404_of_the_service_is_a_proof_and_one_of_a_stranger_is_not() {
    let config = config();
    let query = Query { handles: vec![VOLUME.into(), "../x".into()], ..by_name() };
    let mut script = Script::new().answer(404, fault("not-found")).answer(404, "nginx");
    let page = disk::find(&mut Client::new(&mut script, &config), &query, None).unwrap();
    assert_eq!((page.items.len(), page.unread.len()), (0, 1), "{page:?}");
    assert_eq!(
        disk::find(&mut Client::new(&mut script, &config), &query, None).unwrap_err().code,
        ErrorCode::Other
    );
    assert_eq!(script.requests().len(), 2, "what is no id is never asked for");
}

#[test]
fn a_query_is_encoded_and_pages_are_passed_on() {
    let config = config();
    let mut script = Script::new()
        .answer(200, format!(r#"{{"items":[{}],"next":"{VOLUME}"}}"#, volume("available", OURS)));
    let query = Query { name: None, tags: pairs(&[("a b", "c&d")]), limit: 7, ..by_name() };
    let page = disk::find(&mut Client::new(&mut script, &config), &query, Some("vol-0")).unwrap();
    assert_eq!(page.next.as_deref(), Some(VOLUME));
    assert_eq!(
        script.requests()[0].url,
        "http://127.0.0.1:4711/v1/volumes?cursor=vol-0&tag.a%20b=c%26d&limit=7"
    );
}

#[test]
fn volumes_are_translated() {
    let read = |state: &str, more: &str| disk::info(serde_json::from_str(&volume(state, more)).unwrap());
    for (state, expected) in [
        ("creating", DiskState::Creating),
        ("available", DiskState::Ready),
        ("failed", DiskState::Failed),
        ("novel", DiskState::Unknown),
    ] {
        assert_eq!(read(state, "").state, expected);
    }
    let info = read("available", r#","attachedTo":"n1","source":{"volume":"vol-0"}"#);
    assert_eq!(info.attachments, Attachments::Attached(vec!["other:n1".into()]));
    assert_eq!((info.source, info.size_bytes), (Some(Source::Disk("vol-0".into())), 20 * MIB));
    let info = read("available", r#","source":{"snapshot":"snap-0"}"#);
    assert_eq!(
        (info.source, info.attachments),
        (Some(Source::Snapshot("snap-0".into())), Attachments::Detached)
    );
}

#[test]
fn another_owners_volume_is_left_alone() {
    let config = config();
    let theirs = r#","tags":{"kompox-uid":"u2"}"#;
    let change = DiskChange { size_bytes: Some(64 * MIB), options: vec![] };
    let tags = TagChange { set: pairs(&[("x", "y")]), remove: vec![] };
    let mut script = Script::new();
    for _ in 0..3 {
        script = script.answer(200, volume("available", theirs));
    }
    let mut client = Client::new(&mut script, &config);
    for error in [
        disk::delete(&mut client, &target()).unwrap_err(),
        modify::modify(&mut client, &target(), &change).unwrap_err(),
        disk::set_tags(&mut client, &target(), &tags).unwrap_err(),
    ] {
        assert_eq!((error.code, error.effect), (ErrorCode::OwnerMismatch, Effect::None));
    }
    assert!(script.requests().iter().all(|request| request.method == Method::Get));
}

#[test]
fn deleting_ends_with_nothing_there() {
    let config = config();
    for (answers, finished) in [
        (vec![(404, fault("not-found"))], Some(true)),
        (vec![(200, volume("available", OURS)), (204, String::new())], Some(true)),
        (vec![(200, volume("available", OURS)), (404, fault("not-found"))], Some(true)),
        (vec![(200, volume("creating", OURS)), (409, fault("not-ready"))], Some(false)),
        (vec![(200, volume("available", OURS)), (409, fault("in-use"))], None),
    ] {
        let mut script = Script::new();
        for (status, body) in answers {
            script = script.answer(status, body);
        }
        let deleted = disk::delete(&mut Client::new(&mut script, &config), &target());
        assert_eq!(deleted.ok().map(|outcome| outcome.pending.is_none()), finished);
        assert_eq!(script.unused(), 0);
    }
}

#[test]
fn growing_asks_only_for_more() {
    let config = config();
    let change = |size, backing| DiskChange { size_bytes: size, options: pairs(&[("backing", backing)]) };
    let mut script = Script::new()
        .answer(200, volume("available", OURS))
        .answer(200, volume("available", OURS))
        .answer(200, volume("available", OURS))
        .answer(200, volume("available", OURS));
    let mut client = Client::new(&mut script, &config);
    modify::modify(&mut client, &target(), &change(Some(20 * MIB), "image")).unwrap();
    modify::modify(&mut client, &target(), &change(Some(21 * MIB), "image")).unwrap();
    let fixed = modify::modify(&mut client, &target(), &change(None, "directory")).unwrap_err();
    assert_eq!((fixed.code, fixed.reason.as_str()), (ErrorCode::InvalidArgument, "Immutable"));
    assert_eq!(body(&script, 2), serde_json::json!({ "sizeBytes": 21 * MIB }));
    assert_eq!(script.requests().len(), 4);
}

#[test]
fn tags_are_set_and_removed_in_one_request() {
    let config = config();
    let mut script =
        Script::new().answer(200, volume("available", OURS)).answer(200, volume("available", OURS));
    let change = TagChange { set: pairs(&[("a", "1")]), remove: vec!["b".into()] };
    disk::set_tags(&mut Client::new(&mut script, &config), &target(), &change).unwrap();
    assert_eq!(body(&script, 1), serde_json::json!({ "tags": { "a": "1", "b": null } }));
}

#[test]
fn plans_round_up_and_need_a_zone() {
    for (size, planned) in [(0, 0), (1, 16 * MIB), (16 * MIB, 16 * MIB), (16 * MIB + 1, 17 * MIB)] {
        let source = if size == 0 { Source::Snapshot(SNAPSHOT.into()) } else { Source::Empty };
        let plan = plan::plan(&config(), &DiskRequest { size_bytes: size, source, ..request() });
        assert_eq!(plan.size_bytes, planned);
        assert!(plan.findings.iter().all(|finding| finding.severity == Severity::Info), "{plan:?}");
        assert_eq!(plan.topology[0].values, ["a"]);
    }
    let nowhere = DiskRequest { zone: None, ..request() };
    assert_eq!(plan::refuse(&plan::plan(&config(), &nowhere)).unwrap_err().reason, "Required");
    let by_default = Config { zone: Some("b".into()), ..config() };
    assert_eq!(plan::plan(&by_default, &nowhere).zone.as_deref(), Some("b"));
    for wrong in
        [DiskRequest { size_bytes: 0, ..request() }, DiskRequest { size_bytes: u64::MAX, ..request() }]
    {
        assert!(plan::refuse(&plan::plan(&config(), &wrong)).is_err(), "{wrong:?}");
    }
}

#[test]
fn a_persistent_volume_names_the_csi_driver_and_the_zone() {
    let request = VolumeRequest {
        handle: VOLUME.into(),
        zone: Some("a".into()),
        attributes: pairs(&[("backing", "directory")]),
        fs_type: None,
        block: false,
        read_only: false,
    };
    let volume = disk::volume_for(&request).unwrap();
    let VolumeSource::Csi(csi) = volume.source else { panic!("{volume:?}") };
    assert_eq!((csi.driver.as_str(), csi.volume_handle.as_str()), ("devcloud.csi.kompox.dev", VOLUME));
    assert_eq!(volume.topology[0].key, "topology.kubernetes.io/zone");
    for (wrong, reason) in [
        (VolumeRequest { block: true, ..request.clone() }, "NoBlockDevice"),
        (VolumeRequest { zone: None, ..request.clone() }, "Required"),
        (VolumeRequest { handle: "vol-1".into(), ..request.clone() }, "MalformedId"),
    ] {
        assert_eq!(disk::volume_for(&wrong).unwrap_err().reason, reason);
    }
}

#[test]
fn snapshots_are_taken_once_and_translated() {
    let config = config();
    let text = |state: &str| {
        format!(
            r#"{{"id":"{SNAPSHOT}","name":"k4x-1","state":"{state}","volume":"{VOLUME}","sizeBytes":20971520,"backing":"image","consistency":"none","message":"why"{OURS}}}"#
        )
    };
    let request = SnapshotRequest { disk_handle: VOLUME.into(), options: vec![] };
    let mut script = Script::new().answer(200, NONE).answer(201, text("creating")).answer(200, text("ready"));
    let mut client = Client::new(&mut script, &config);
    let pending = snapshot::create(&mut client, &intent(), &request, None).unwrap().pending.unwrap();
    let outcome = snapshot::create(&mut client, &intent(), &request, Some(&pending.resume)).unwrap();
    assert_eq!((outcome.handle.as_deref(), outcome.pending), (Some(SNAPSHOT), None));
    assert_eq!(body(&script, 1)["clientToken"], "f".repeat(32));
    let info = snapshot::info(serde_json::from_str(&text("ready")).unwrap());
    assert_eq!((info.state, info.message.as_deref()), (SnapshotState::Ready, Some("why")));
    assert_eq!(info.csi.unwrap().handle, SNAPSHOT);
}

#[test]
fn the_account_is_that_of_this_service() {
    let text = r#"{"id":"dev","service":"5f3a","zones":["a","b"],"defaultBacking":"image"}"#;
    let with_zone = |zone: &str| Config { zone: Some(zone.into()), ..config() };
    let mut script = Script::new()
        .answer(200, text)
        .answer(200, text)
        .answer(200, text)
        .answer(401, fault("unauthenticated"));
    let (good, bad) = (with_zone("b"), with_zone("c"));
    assert_eq!(account::get(&mut Client::new(&mut script, &good)).unwrap().id.as_deref(), Some("5f3a/dev"));
    assert_eq!(account::validate(&mut Client::new(&mut script, &good)).unwrap(), []);
    let findings = account::validate(&mut Client::new(&mut script, &bad)).unwrap();
    assert_eq!(findings[0].path, "config.zone");
    let findings = account::validate(&mut Client::new(&mut script, &bad)).unwrap();
    assert_eq!(findings[0].reason, "CredentialsRefused");
}

#[test]
fn it_is_detected_by_its_csi_driver() {
    let facts = |names: &[&str]| Facts {
        kubernetes_version: "v1.36.0".into(),
        csi_drivers: names.iter().map(|name| (*name).to_owned()).collect(),
        provisioners: vec![],
        nodes: vec![],
        attributes: vec![],
    };
    assert_eq!(detect::detect(&facts(&["x", "devcloud.csi.kompox.dev"]))[0].provider_type, "devcloud");
    assert_eq!(detect::detect(&facts(&["ebs.csi.aws.com"])), []);
}

#[test]
fn the_configuration_needs_its_final_slash() {
    assert_eq!(Config::read(r#"{"endpoint":"http://127.0.0.1:4711/"}"#).unwrap(), config());
    assert_eq!(
        Config::read(r#"{"endpoint":"http://127.0.0.1:4711"}"#).unwrap_err().reason,
        "InvalidEndpoint"
    );
    assert_eq!(Config::read("{}").unwrap_err().code, ErrorCode::InvalidArgument);
}
