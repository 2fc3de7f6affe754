//! Bounds and redaction of answers.

use super::*;
use crate::bindings::{
    exports::kompox::driver::{disk, identity, snapshot},
    kompox::driver::types as wit,
};
use kompox_core::driver::{Effect, ErrorCode};

fn outcome(handle: &str) -> wit::Outcome {
    wit::Outcome { handle: Some(handle.to_owned()), pending: None }
}

#[test]
fn texts_for_people_are_cut_redacted_and_on_one_line() {
    let redactor = Arc::new(Redactor::new(["topsecret"]));
    let error = Reader(redactor).error(wit::Error {
        code: wit::ErrorCode::Throttled,
        effect: wit::Effect::Unknown,
        retry_after_ms: Some(5),
        reason: "R".repeat(1000),
        message: format!("key topsecret\r\n\x1b[31m{}", "é".repeat(5000)),
        details: vec![("requestId".into(), "topsecret".into())],
    });
    assert_eq!((error.code, error.effect), (ErrorCode::Throttled, Effect::Unknown));
    assert_eq!(error.reason.chars().count(), REASON);
    assert_eq!(error.message.chars().count(), MESSAGE);
    assert!(error.message.starts_with("key [redacted] [31mé"), "{}", error.message);
    assert_eq!(error.details["requestId"], "[redacted]");
}

#[test]
fn values_that_are_kept_are_refused_rather_than_changed() {
    let redactor = Arc::new(Redactor::new(["topsecret"]));
    let reader = Reader(redactor);
    assert_eq!(reader.outcome(outcome("vol-1")).unwrap().handle.as_deref(), Some("vol-1"));
    let long = "x".repeat(HANDLE + 1);
    for (handle, why) in
        [("", "empty"), (&*long, "longer"), ("a\nb", "control"), ("vol-topsecret", "credential")]
    {
        let Malformed(what) = reader.outcome(outcome(handle)).unwrap_err();
        assert!(what.contains(why), "{what}");
    }
}

#[test]
fn lists_and_maps_are_bounded() {
    let redactor = Arc::new(Redactor::default());
    let reader = Reader(redactor);
    let pair = |i: usize| (format!("k{i}"), String::new());
    assert!(reader.attributes("tags", (0..ENTRIES).map(pair).collect()).is_ok());
    assert!(reader.attributes("tags", (0..=ENTRIES).map(pair).collect()).is_err());
    assert_eq!(
        reader.attributes("tags", vec![pair(1), pair(1)]),
        Err(Malformed("tags holds a key twice".to_owned()))
    );
    assert!(reader.messages("unread", vec![String::new(); ITEMS + 1]).is_err());
    assert!(reader.token("a page token", Some("x".repeat(TOKEN + 1))).is_err());
}

fn disk_info() -> disk::DiskInfo {
    disk::DiskInfo {
        handle: "vol-1".to_owned(),
        name: None,
        state: disk::DiskState::Ready,
        size_bytes: 1 << 30,
        zone: Some("us-west-2a".to_owned()),
        source: None,
        attachments: disk::Attachments::Detached,
        tags: Vec::new(),
        created_at: None,
        features: Vec::new(),
        message: None,
        attributes: Vec::new(),
    }
}

fn snapshot_info() -> snapshot::SnapshotInfo {
    snapshot::SnapshotInfo {
        handle: "snap-1".to_owned(),
        name: None,
        state: snapshot::SnapshotState::Ready,
        disk_handle: None,
        restore_size_bytes: 1 << 30,
        location: None,
        zones: Vec::new(),
        taken_at: None,
        expires_at: None,
        csi: None,
        tags: Vec::new(),
        message: None,
        attributes: Vec::new(),
    }
}

fn csi_volume() -> disk::Volume {
    disk::Volume {
        source: disk::VolumeSource::Csi(disk::CsiSource {
            driver: "ebs.csi.aws.com".to_owned(),
            volume_handle: "vol-1".to_owned(),
            attributes: Vec::new(),
            secrets: Vec::new(),
        }),
        topology: vec![wit::TopologyTerm {
            key: "topology.ebs.csi.aws.com/zone".to_owned(),
            values: vec!["us-west-2a".to_owned(), String::new()],
        }],
        mount_options: vec!["noatime".to_owned()],
        access_modes: vec!["ReadWriteOncePod".to_owned()],
        attributes: Vec::new(),
    }
}

/// Why a disk is not accepted that differs from a good one so.
fn disk_with(change: impl FnOnce(&mut disk::DiskInfo)) -> String {
    let mut info = disk_info();
    change(&mut info);
    why(reader().disk_page(disk::DiskPage { items: vec![info], next: None, unread: Vec::new() }))
}

fn snapshot_with(change: impl FnOnce(&mut snapshot::SnapshotInfo)) -> String {
    let mut info = snapshot_info();
    change(&mut info);
    why(reader().snapshot_page(snapshot::SnapshotPage { items: vec![info], next: None, unread: Vec::new() }))
}

fn volume_with(change: impl FnOnce(&mut disk::Volume)) -> String {
    let mut volume = csi_volume();
    change(&mut volume);
    why(reader().volume(volume))
}

fn csi_with(change: impl FnOnce(&mut disk::CsiSource)) -> String {
    volume_with(|volume| match &mut volume.source {
        disk::VolumeSource::Csi(csi) => change(csi),
        _ => unreachable!("it is made so"),
    })
}

fn reader() -> Reader {
    Reader(Arc::default())
}

/// What is wrong; empty if it was accepted.
fn why<T>(read: Read<T>) -> String {
    read.map_or_else(|Malformed(what)| what, |_| String::new())
}

#[test]
fn no_text_and_no_list_of_a_disk_is_taken_without_bound() {
    let long = |length: usize| "x".repeat(length + 1);
    let entry = |length: usize| vec![("k".to_owned(), long(length))];
    assert_eq!(disk_with(|_| {}), "");
    for (field, found, expected) in [
        ("handle", disk_with(|d| d.handle = long(HANDLE)), "a handle is longer than 1024 bytes"),
        ("name", disk_with(|d| d.name = Some(long(WORD))), "a disk's name is longer than 256 bytes"),
        ("size", disk_with(|d| d.size_bytes = u64::MAX), "more than any disk has"),
        ("zone", disk_with(|d| d.zone = Some(long(WORD))), "a zone is longer"),
        ("zone", disk_with(|d| d.zone = Some("a\u{1b}[2J".to_owned())), "a zone holds control characters"),
        (
            "source",
            disk_with(|d| d.source = Some(disk::Source::Snapshot(long(HANDLE)))),
            "a handle is longer",
        ),
        ("source", disk_with(|d| d.source = Some(disk::Source::Disk(String::new()))), "a handle is empty"),
        (
            "attachments",
            disk_with(|d| d.attachments = disk::Attachments::Attached(vec!["n".to_owned(); ITEMS + 1])),
            "the list of attachments has more than 1000 entries",
        ),
        (
            "attachments",
            disk_with(|d| d.attachments = disk::Attachments::Attached(vec![long(HANDLE)])),
            "a handle is longer",
        ),
        ("tags", disk_with(|d| d.tags = entry(VALUE)), "a disk's tags holds a value longer than 4096 bytes"),
        (
            "tags",
            disk_with(|d| d.tags = (0..20).map(|i| (format!("{i}"), "x".repeat(VALUE))).collect()),
            "a disk's tags are larger than 65536 bytes",
        ),
        ("created-at", disk_with(|d| d.created_at = Some(long(WORD))), "a time is longer"),
        ("features", disk_with(|d| d.features = vec![String::new(); ENTRIES + 1]), "more than 256 entries"),
        (
            "attributes",
            disk_with(|d| d.attributes = entry(VALUE)),
            "a disk's attributes holds a value longer",
        ),
    ] {
        assert!(found.contains(expected) && !expected.is_empty(), "{field}: {found:?}");
    }
}

#[test]
fn no_text_and_no_list_of_a_snapshot_is_taken_without_bound() {
    let long = |length: usize| "x".repeat(length + 1);
    let csi =
        |driver: &str, handle: String| Some(snapshot::CsiSnapshot { driver: driver.to_owned(), handle });
    assert_eq!(snapshot_with(|s| s.csi = csi("ebs.csi.aws.com", "snap-1".to_owned())), "");
    for (field, found, expected) in [
        ("handle", snapshot_with(|s| s.handle = long(HANDLE)), "a handle is longer"),
        ("name", snapshot_with(|s| s.name = Some(long(WORD))), "a snapshot's name is longer"),
        ("disk-handle", snapshot_with(|s| s.disk_handle = Some(long(HANDLE))), "a handle is longer"),
        ("restore-size-bytes", snapshot_with(|s| s.restore_size_bytes = 1 << 63), "more than any disk has"),
        ("location", snapshot_with(|s| s.location = Some(long(WORD))), "a location is longer"),
        ("zones", snapshot_with(|s| s.zones = vec![long(WORD)]), "a snapshot's zones is longer"),
        ("zones", snapshot_with(|s| s.zones = vec![String::new(); ENTRIES + 1]), "more than 256"),
        ("taken-at", snapshot_with(|s| s.taken_at = Some(long(WORD))), "a time is longer"),
        ("expires-at", snapshot_with(|s| s.expires_at = Some(long(WORD))), "a time is longer"),
        ("csi", snapshot_with(|s| s.csi = csi("a driver", String::new())), "not the name of a CSI driver"),
        ("csi", snapshot_with(|s| s.csi = csi("d", long(HANDLE))), "a handle is longer"),
        ("tags", snapshot_with(|s| s.tags = vec![("k".to_owned(), long(VALUE))]), "holds a value longer"),
        (
            "attributes",
            snapshot_with(|s| s.attributes = vec![(long(WORD), String::new())]),
            "a snapshot's attributes is longer",
        ),
    ] {
        assert!(found.contains(expected) && !expected.is_empty(), "{field}: {found:?}");
    }
}

/// What would become part of a PersistentVolume.
#[test]
fn what_kubernetes_would_refuse_is_refused_first() {
    let term = |key: &str, value: &str| {
        vec![wit::TopologyTerm { key: key.to_owned(), values: vec![value.to_owned()] }]
    };
    let long = "x".repeat(64);
    let zone = wit::TopologyTerm { key: "zone".to_owned(), values: vec!["a".to_owned()] };
    assert_eq!(volume_with(|_| {}), "");
    for (field, found, expected) in [
        ("driver", csi_with(|csi| csi.driver = "../hostPath".to_owned()), "not the name of a CSI driver"),
        ("driver", csi_with(|csi| csi.driver.clone_from(&long)), "not the name of a CSI driver"),
        ("volume-handle", csi_with(|csi| csi.volume_handle = "x".repeat(HANDLE + 1)), "a handle is longer"),
        (
            "attributes",
            csi_with(|csi| csi.attributes = vec![("k".to_owned(), "x".repeat(VALUE + 1))]),
            "the volume attributes holds a value longer",
        ),
        ("topology", volume_with(|v| v.topology = term("a/b/c", "x")), "not the key of a label"),
        ("topology", volume_with(|v| v.topology = term("", "x")), "not the key of a label"),
        ("topology", volume_with(|v| v.topology = term(&long, "x")), "not the key of a label"),
        ("topology", volume_with(|v| v.topology = term("zone", "a b")), "not the value of a label"),
        ("topology", volume_with(|v| v.topology = term("zone", &long)), "not the value of a label"),
        ("topology", volume_with(|v| v.topology = vec![zone.clone(); ENTRIES + 1]), "more than 256"),
        (
            "mount-options",
            volume_with(|v| v.mount_options = vec!["o".to_owned(); ENTRIES + 1]),
            "more than 256",
        ),
        ("mount-options", volume_with(|v| v.mount_options = vec!["a\nb".to_owned()]), "control characters"),
        (
            "access-modes",
            volume_with(|v| v.access_modes = vec!["Everything".to_owned()]),
            "not an access mode",
        ),
    ] {
        assert!(found.contains(expected) && !expected.is_empty(), "{field}: {found:?}");
    }
}

#[test]
fn pages_plans_and_detections_are_bounded() {
    let page = |items, next: usize, unread| disk::DiskPage {
        items: vec![disk_info(); items],
        next: Some("n".repeat(next)),
        unread: vec!["u".repeat(2 * MESSAGE); unread],
    };
    let read = reader().disk_page(page(1, TOKEN, 1)).unwrap();
    assert_eq!(read.unread[0].chars().count(), MESSAGE);
    let finding = |path: &str| wit::Finding {
        severity: wit::Severity::Warning,
        reason: "R".repeat(1000),
        message: "m".repeat(10_000),
        path: path.to_owned(),
    };
    let found = reader().findings(vec![finding("size")]).unwrap();
    assert_eq!((found[0].reason.len(), found[0].message.len()), (REASON, MESSAGE));
    let detection = |score, config: &str| identity::Detection {
        provider_type: "eks".to_owned(),
        score,
        config: config.to_owned(),
        reason: String::new(),
    };
    let many: String = (0..=ENTRIES).map(|i| format!(",\"k{i}\":1")).collect();
    let account = |id: &str| wit_account(Some(id.to_owned()));
    for (what, found, expected) in [
        ("items", why(reader().disk_page(page(ITEMS + 1, 1, 0))), "a page has more than 1000 entries"),
        ("next", why(reader().disk_page(page(1, TOKEN + 1, 0))), "a page token is longer than 4096 bytes"),
        ("unread", why(reader().disk_page(page(1, 1, ITEMS + 1))), "more than 1000 entries"),
        ("findings", why(reader().findings(vec![finding("x"); ENTRIES + 1])), "more than 256 entries"),
        ("findings", why(reader().findings(vec![finding(&"x".repeat(WORD + 1))])), "path is longer"),
        ("score", why(reader().detections(vec![detection(0, "{}")])), "a score is 0"),
        ("score", why(reader().detections(vec![detection(101, "{}")])), "a score is 101"),
        ("config", why(reader().detections(vec![detection(1, "[]")])), "not a flat JSON object"),
        (
            "config",
            why(reader().detections(vec![detection(1, &format!("{{\"a\":1{many}}}"))])),
            "more than 256 entries",
        ),
        ("detections", why(reader().detections(vec![detection(1, "{}"); ENTRIES + 1])), "more than 256"),
        ("account", why(reader().account(account(""))), "an account id is empty"),
        ("account", why(reader().account(account(&"1".repeat(WORD + 1)))), "an account id is longer"),
    ] {
        assert!(found.contains(expected) && !expected.is_empty(), "{what}: {found:?}");
    }
}

fn wit_account(id: Option<String>) -> identity::Account {
    identity::Account { id, name: None, attributes: Vec::new() }
}

/// A driver cannot put its objects to sleep for weeks.
#[test]
fn waits_are_believed_within_reason() {
    let pending = wit::Pending {
        resume: String::new(),
        message: "m".repeat(5000),
        percent: Some(100),
        poll_after_ms: u32::MAX,
    };
    let read = reader().outcome(wit::Outcome { handle: None, pending: Some(pending.clone()) }).unwrap();
    let read = read.pending.unwrap();
    assert_eq!((read.poll_after, read.message.len()), (DELAY, MESSAGE));
    let much = wit::Pending { percent: Some(101), ..pending.clone() };
    let long = wit::Pending { resume: "r".repeat(TOKEN + 1), ..pending };
    for (pending, expected) in [(much, "more than 100 percent"), (long, "a resume token is longer")] {
        let found = why(reader().outcome(wit::Outcome { handle: None, pending: Some(pending) }));
        assert!(found.contains(expected), "{found}");
    }
    assert_eq!(delay(5), Duration::from_millis(5));
}
