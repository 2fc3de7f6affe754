//! Copies are equal, sparse and whole, whatever is the file system below.

use super::{Live, copy, cut, grow, make, path, sweep};
use crate::api::{Backing, Consistency};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

const MIB: u64 = 1 << 20;

fn folder(root: &Path, name: &str) -> std::path::PathBuf {
    let folder = root.join(name);
    fs::create_dir(&folder).unwrap();
    folder
}

#[test]
fn an_image_is_copied_with_its_holes_and_may_be_larger_after() {
    let root = tempfile::tempdir().unwrap();
    let (from, to) = (folder(root.path(), "a"), folder(root.path(), "b"));
    make(&from, Backing::Image, 64 * MIB).unwrap();
    let image = path(&from, Backing::Image);
    File::options().write(true).open(&image).unwrap().write_all_at(b"in the middle", 40 * MIB).unwrap();
    copy(&image, &to, Backing::Image, 80 * MIB).unwrap();
    let copied = File::open(path(&to, Backing::Image)).unwrap();
    assert_eq!(copied.metadata().unwrap().len(), 80 * MIB);
    assert!(copied.metadata().unwrap().blocks() * 512 < 8 * MIB, "the holes were filled");
    let mut bytes = [0; 13];
    copied.read_exact_at(&mut bytes, 40 * MIB).unwrap();
    assert_eq!(&bytes, b"in the middle");
    // A second run of the same job, after a kill before it was recorded, replaces the bytes.
    copy(&image, &to, Backing::Image, 64 * MIB).unwrap();
    assert_eq!(fs::metadata(path(&to, Backing::Image)).unwrap().len(), 64 * MIB);
}

#[test]
fn an_image_that_nobody_uses_is_cut_at_one_point_in_time() {
    let root = tempfile::tempdir().unwrap();
    let (from, to) = (folder(root.path(), "a"), folder(root.path(), "b"));
    make(&from, Backing::Image, 16 * MIB).unwrap();
    let image = path(&from, Backing::Image);
    // It grew after the snapshot was asked for.
    grow(&from, Backing::Image, 32 * MIB).unwrap();
    let live = Live { backing: Backing::Image, size: 16 * MIB, attached: true };
    assert_eq!(cut(&image, &to, &live, root.path()).unwrap(), (Consistency::Crash, None));
    assert_eq!(fs::metadata(path(&to, Backing::Image)).unwrap().len(), 16 * MIB);
}

#[test]
fn a_directory_in_use_is_no_point_in_time_and_says_so() {
    let root = tempfile::tempdir().unwrap();
    let from = folder(root.path(), "a");
    make(&from, Backing::Directory, 0).unwrap();
    let data = path(&from, Backing::Directory);
    fs::create_dir(data.join("sub")).unwrap();
    fs::write(data.join("sub/file"), "text").unwrap();
    std::os::unix::fs::symlink("sub/file", data.join("link")).unwrap();
    for (attached, expected) in [(false, Consistency::Crash), (true, Consistency::None)] {
        let to = folder(root.path(), expected_name(attached));
        let live = Live { backing: Backing::Directory, size: 0, attached };
        let (consistency, message) = cut(&data, &to, &live, root.path()).unwrap();
        assert_eq!((consistency, message.is_some()), (expected, attached));
        let copied = path(&to, Backing::Directory);
        assert_eq!(fs::read_to_string(copied.join("link")).unwrap(), "text");
        assert!(fs::symlink_metadata(copied.join("link")).unwrap().is_symlink());
    }
}

fn expected_name(attached: bool) -> &'static str {
    if attached { "attached" } else { "detached" }
}

#[test]
fn what_was_left_half_made_is_swept_away_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    fs::create_dir(root.path().join("partial-1")).unwrap();
    fs::write(root.path().join("partial-1/x"), "").unwrap();
    fs::write(root.path().join("partial-2"), "").unwrap();
    make(root.path(), Backing::Image, MIB).unwrap();
    sweep(root.path()).unwrap();
    let left: Vec<_> = fs::read_dir(root.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["disk.img"]);
}

#[test]
fn growing_never_shrinks() {
    let root = tempfile::tempdir().unwrap();
    make(root.path(), Backing::Image, 4 * MIB).unwrap();
    for (size, expected) in [(8 * MIB, 8 * MIB), (2 * MIB, 8 * MIB)] {
        grow(root.path(), Backing::Image, size).unwrap();
        assert_eq!(fs::metadata(path(root.path(), Backing::Image)).unwrap().len(), expected);
    }
}

#[test]
fn a_copy_that_fails_leaves_nothing() {
    let root = tempfile::tempdir().unwrap();
    for backing in [Backing::Image, Backing::Directory] {
        copy(&root.path().join("absent"), root.path(), backing, MIB).unwrap_err();
        assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0);
    }
}
