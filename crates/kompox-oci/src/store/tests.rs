//! The store on a real file system.

use super::*;

fn open(limit: u64) -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store"), limit).unwrap();
    (directory, store)
}

fn reference() -> Reference {
    "ghcr.io/acme/driver:1".parse().unwrap()
}

#[test]
fn what_was_put_is_found_again_by_another_process() {
    let (directory, store) = open(1000);
    let digest = store.put(b"component").unwrap();
    let again = Store::open(&directory.path().join("store"), 1000).unwrap();
    assert_eq!(again.blob(&digest).unwrap().unwrap(), Bytes::from_static(b"component"));
    assert_eq!(again.blob(&Digest::of(b"other")).unwrap(), None);
    let mode = fs::metadata(directory.path().join("store")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[test]
fn a_blob_that_was_changed_counts_as_absent_and_goes() {
    let (_directory, store) = open(1000);
    let digest = store.put(b"component").unwrap();
    fs::write(store.path(&digest), b"cOmponent").unwrap();
    assert_eq!(store.blob(&digest).unwrap(), None);
    assert!(!store.path(&digest).exists());
}

#[test]
fn what_was_unused_longest_makes_room_and_what_is_kept_stays() {
    let (_directory, store) = open(30);
    let put = |letter: u8, age: u64| {
        let digest = store.put(&[letter; 10]).unwrap();
        let file = fs::File::options().append(true).open(store.path(&digest)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        digest
    };
    let (kept, old, read) = (put(1, 300), put(2, 100), put(3, 200));
    store.keep([kept.clone()].into());
    assert!(store.blob(&read).unwrap().is_some(), "reading is a use");
    let new = store.put(&[4; 10]).unwrap();
    let here: Vec<bool> = [&kept, &old, &read, &new].map(|digest| store.path(digest).exists()).into();
    assert_eq!(here, [true, false, true, true]);
    let error = store.put(&[5; 25]).unwrap_err().to_string();
    assert!(error.contains("no room for 25 bytes"), "{error}");
    assert!(store.blob(&kept).unwrap().is_some());
}

#[test]
fn a_record_is_of_its_reference_and_a_broken_one_is_none() {
    let (_directory, store) = open(1000);
    let resolution = Resolution {
        reference: reference().to_string(),
        digest: Digest::of(b"manifest"),
        resolved_at: 1,
        signatures: vec![Digest::of(b"signature")],
    };
    assert_eq!(store.resolution(&reference()).unwrap(), None);
    store.set_resolution(&reference(), &resolution).unwrap();
    assert_eq!(store.resolution(&reference()).unwrap(), Some(resolution));
    assert_eq!(store.resolution(&"ghcr.io/acme/driver:2".parse().unwrap()).unwrap(), None);
    fs::write(store.record(&reference()), b"{}").unwrap();
    assert_eq!(store.resolution(&reference()).unwrap(), None);
}

#[test]
fn a_directory_that_others_may_write_to_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = Store::open(directory.path(), 1).unwrap_err().to_string();
    assert!(error.contains("chmod 700"), "{error}");
}
