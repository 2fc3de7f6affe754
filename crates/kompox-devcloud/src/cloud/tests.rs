//! The rules of the interface on values, and what a restart finds.

use super::{Cloud, Job};
use crate::api::{
    Backing, Change, Code, Filter, NewSnapshot, NewVolume, SnapshotState, Source, Tags, Volume, VolumeState,
};
use crate::options::Settings;
use crate::refusal::Refusal;
use std::path::Path;

const MIB: u64 = 1 << 20;

fn open(directory: &Path) -> Cloud {
    let settings = Settings {
        directory: directory.canonicalize().unwrap(),
        zones: vec!["a".into(), "b".into()],
        quota_bytes: 1024 * MIB,
        default_backing: Backing::Image,
    };
    Cloud::open(settings).unwrap()
}

fn request(name: &str) -> NewVolume {
    NewVolume {
        name: name.into(),
        client_token: format!("token-{name}"),
        size_bytes: Some(32 * MIB),
        tags: Tags::from([("owner".into(), name.into())]),
        ..NewVolume::default()
    }
}

fn of_snapshot(name: &str, id: &str) -> NewVolume {
    NewVolume { size_bytes: None, source: Some(Source::Snapshot(id.into())), ..request(name) }
}

/// A volume with its bytes.
fn volume(cloud: &Cloud, request: NewVolume) -> Volume {
    let id = cloud.create_volume("me", request).unwrap().object.id;
    cloud.run(&Job::Volume(id.clone()));
    cloud.volume("me", &id).unwrap()
}

/// The id of a snapshot that is ready.
fn snapshot(cloud: &Cloud, name: &str, volume: &str) -> String {
    let request = NewSnapshot {
        name: name.into(),
        client_token: name.into(),
        volume: volume.into(),
        ..NewSnapshot::default()
    };
    let id = cloud.create_snapshot("me", request).unwrap().object.id;
    cloud.run(&Job::Snapshot(id.clone()));
    assert_eq!(cloud.snapshot("me", &id).unwrap().state, SnapshotState::Ready);
    id
}

#[track_caller]
fn code<T: std::fmt::Debug>(result: Result<T, Refusal>) -> Code {
    result.unwrap_err().code
}

#[test]
fn the_same_token_is_the_same_volume_and_names_are_unique() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = open(directory.path());
    let first = cloud.create_volume("me", request("one")).unwrap();
    let again = cloud.create_volume("me", request("one")).unwrap();
    assert!(first.is_new && !again.is_new);
    assert_eq!(first.object, again.object);
    for other in [
        NewVolume { size_bytes: Some(64 * MIB), ..request("one") },
        NewVolume { client_token: "another".into(), ..request("one") },
        NewVolume { name: "two".into(), ..request("one") },
    ] {
        assert_eq!(code(cloud.create_volume("me", other)), Code::AlreadyExists);
    }
    assert!(cloud.create_volume("you", request("one")).unwrap().is_new, "names are an account's own");
    assert_eq!(code(cloud.volume("you", &first.object.id)), Code::NotFound);
}

#[test]
fn what_is_used_is_not_deleted() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = open(directory.path());
    let id = volume(&cloud, request("one")).id;
    cloud.attach("me", &id, "n1").unwrap();
    assert_eq!(code(cloud.delete_volume("me", &id)), Code::InUse);
    cloud.detach("me", &id, "n1").unwrap();
    let taken = snapshot(&cloud, "s", &id);
    // A clone and a restore whose bytes are still to come keep their sources.
    let clone = NewVolume { source: Some(Source::Volume(id.clone())), ..request("clone") };
    let clone = cloud.create_volume("me", clone).unwrap().object.id;
    let restored = cloud.create_volume("me", of_snapshot("restored", &taken)).unwrap().object.id;
    assert_eq!(code(cloud.delete_volume("me", &id)), Code::InUse);
    assert_eq!(code(cloud.delete_snapshot("me", &taken)), Code::InUse);
    assert_eq!(code(cloud.delete_volume("me", &clone)), Code::NotReady);
    assert_eq!(code(cloud.attach("me", &clone, "n1")), Code::NotReady);
    for id in [clone, restored] {
        cloud.run(&Job::Volume(id));
    }
    cloud.delete_volume("me", &id).unwrap();
    assert_eq!(code(cloud.volume("me", &id)), Code::NotFound);
    assert!(!directory.path().join("volumes").join(&id).exists());
    // A snapshot stays usable without its volume.
    assert_eq!(volume(&cloud, of_snapshot("late", &taken)).state, VolumeState::Available);
    cloud.delete_snapshot("me", &taken).unwrap();
}

#[test]
fn a_volume_is_attached_to_one_node_at_a_time() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = open(directory.path());
    let id = volume(&cloud, request("one")).id;
    for _ in 0..2 {
        assert_eq!(cloud.attach("me", &id, "n1").unwrap().attached_to.as_deref(), Some("n1"));
    }
    assert_eq!(code(cloud.attach("me", &id, "n2")), Code::InUse);
    assert_eq!(cloud.detach("me", &id, "n2").unwrap().attached_to.as_deref(), Some("n1"));
    for _ in 0..2 {
        assert_eq!(cloud.detach("me", &id, "n1").unwrap().attached_to, None);
    }
    assert_eq!(cloud.attach("me", &id, "n2").unwrap().attached_to.as_deref(), Some("n2"));
}

#[test]
fn volumes_grow_within_the_quota_and_never_shrink() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = open(directory.path());
    let made = volume(&cloud, request("one"));
    let to = |size| Change { size_bytes: Some(size), ..Change::default() };
    let grown = cloud.change_volume("me", &made.id, &to(64 * MIB + 1)).unwrap();
    assert_eq!(grown.size_bytes, 65 * MIB);
    assert_eq!(std::fs::metadata(&grown.data.unwrap().path).unwrap().len(), 65 * MIB);
    assert_eq!(code(cloud.change_volume("me", &made.id, &to(32 * MIB))), Code::OutOfRange);
    assert_eq!(code(cloud.change_volume("me", &made.id, &to(1025 * MIB))), Code::QuotaExceeded);
    let large = NewVolume { size_bytes: Some(1000 * MIB), ..request("large") };
    assert_eq!(code(cloud.create_volume("me", large)), Code::QuotaExceeded);
    assert_eq!(cloud.account("me").used_bytes, 65 * MIB);
}

#[test]
fn restores_are_as_large_as_the_snapshot_and_bear_its_bytes() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = open(directory.path());
    let made = volume(&cloud, request("one"));
    std::fs::OpenOptions::new()
        .write(true)
        .open(&made.data.unwrap().path)
        .and_then(|mut file| std::io::Write::write_all(&mut file, b"a row"))
        .unwrap();
    let taken = snapshot(&cloud, "s", &made.id);
    let small = NewVolume { size_bytes: Some(16 * MIB), ..of_snapshot("small", &taken) };
    assert_eq!(code(cloud.create_volume("me", small)), Code::OutOfRange);
    let other = NewVolume { backing: Some(Backing::Directory), ..of_snapshot("other", &taken) };
    assert_eq!(code(cloud.create_volume("me", other)), Code::InvalidArgument);
    assert_eq!(code(cloud.create_volume("me", of_snapshot("none", "snap-1"))), Code::NotFound);
    let elsewhere = NewVolume { zone: Some("b".into()), ..of_snapshot("restored", &taken) };
    let restored = volume(&cloud, elsewhere);
    assert_eq!((restored.size_bytes, restored.zone.as_str()), (32 * MIB, "b"));
    let bytes = std::fs::read(restored.data.unwrap().path).unwrap();
    assert!(bytes.starts_with(b"a row\0") && bytes.len() as u64 == 32 * MIB);
}

#[test]
fn tags_are_changed_one_by_one() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = open(directory.path());
    let id = volume(&cloud, request("one")).id;
    let tags =
        [("new".to_owned(), Some("1".to_owned())), ("owner".to_owned(), None), ("gone".to_owned(), None)];
    let changed = cloud.change_volume("me", &id, &Change { tags: tags.into(), size_bytes: None }).unwrap();
    assert_eq!(changed.tags, Tags::from([("new".into(), "1".into())]));
}

#[test]
fn pages_follow_each_other_to_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = open(directory.path());
    let mut made: Vec<String> =
        (0..7).map(|number| volume(&cloud, request(&format!("v{number}"))).id).collect();
    made.sort();
    let mut filter = Filter { limit: Some(3), ..Filter::default() };
    let (mut seen, mut pages) = (Vec::new(), 0);
    loop {
        let page = cloud.volumes("me", &filter).unwrap();
        seen.extend(page.items.into_iter().map(|volume| volume.id));
        pages += 1;
        filter.cursor = page.next;
        if filter.cursor.is_none() {
            break;
        }
    }
    assert_eq!((seen, pages), (made, 3));
    let one = Filter { tags: Tags::from([("owner".into(), "v3".into())]), ..Filter::default() };
    assert_eq!(cloud.volumes("me", &one).unwrap().items.len(), 1);
    assert_eq!(
        code(cloud.volumes("me", &Filter { limit: Some(501), ..Filter::default() })),
        Code::InvalidArgument
    );
}

#[test]
fn a_restart_finds_everything_and_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (before, taken, waiting) = {
        let cloud = open(directory.path());
        let made = volume(&cloud, request("one"));
        cloud.attach("me", &made.id, "n1").unwrap();
        let taken = snapshot(&cloud, "s", &made.id);
        let waiting = cloud.create_volume("me", of_snapshot("waiting", &taken)).unwrap().object.id;
        (cloud.volume("me", &made.id).unwrap(), taken, waiting)
    };
    // Killed while it wrote, and before the first record of a volume.
    let volumes = directory.path().join("volumes");
    std::fs::write(volumes.join(&waiting).join("partial-0"), "half").unwrap();
    std::fs::write(volumes.join(&before.id).join("record.json.new"), "{").unwrap();
    std::fs::create_dir(volumes.join("vol-0")).unwrap();
    let cloud = open(directory.path());
    assert_eq!(cloud.volume("me", &before.id).unwrap(), before);
    assert!(!cloud.create_volume("me", request("one")).unwrap().is_new, "the token is still known");
    assert_eq!(cloud.jobs(), [Job::Volume(waiting.clone())]);
    assert_eq!(code(cloud.delete_snapshot("me", &taken)), Code::InUse);
    cloud.run(&Job::Volume(waiting.clone()));
    assert_eq!(cloud.volume("me", &waiting).unwrap().state, VolumeState::Available);
    assert!(!volumes.join("vol-0").exists() && !volumes.join(&waiting).join("partial-0").exists());
}

#[test]
fn a_failed_job_says_why_and_the_volume_can_go() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = open(directory.path());
    let taken = snapshot(&cloud, "s", &volume(&cloud, request("one")).id);
    std::fs::remove_file(directory.path().join("snapshots").join(&taken).join("disk.img")).unwrap();
    let failed = volume(&cloud, of_snapshot("restored", &taken));
    assert_eq!(failed.state, VolumeState::Failed);
    assert!(failed.message.unwrap().starts_with("failed to make the volume: "));
    assert_eq!(code(cloud.attach("me", &failed.id, "n1")), Code::NotReady);
    cloud.delete_volume("me", &failed.id).unwrap();
}

#[test]
fn no_job_begins_once_it_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let cloud = open(directory.path());
    cloud.close();
    assert_eq!(volume(&cloud, request("one")).state, VolumeState::Creating);
}
