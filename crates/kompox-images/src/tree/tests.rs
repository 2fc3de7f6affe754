//! Trees made by hand, packed and read back.

use super::*;

/// Path, kind, mode and owner of every entry, in the order of the archive.
fn listing(tar: &[u8]) -> Vec<(String, EntryType, u32, u64)> {
    let mut archive = Archive::new(tar);
    let entries = archive.entries().unwrap().map(Result::unwrap);
    entries
        .map(|entry| {
            let header = entry.header();
            assert_eq!(header.mtime().unwrap(), 0);
            let path = entry.path().unwrap().display().to_string();
            (path, header.entry_type(), header.mode().unwrap(), header.uid().unwrap())
        })
        .collect()
}

/// A package's archive: entries as Debian writes them.
fn package(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, kind, content) in entries {
        let mut header = header(*kind, 0o644, Owner::same(7));
        header.set_mtime(1_700_000_000);
        header.set_size(0);
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            builder.append_link(&mut header, path, content).unwrap();
        } else {
            header.set_size(content.len() as u64);
            builder.append_data(&mut header, path, content.as_bytes()).unwrap();
        }
    }
    builder.into_inner().unwrap()
}

#[test]
fn an_archive_is_sorted_complete_and_without_times() {
    let mut tree = Tree::default();
    tree.file("b/deep/file", "x", 0o644);
    tree.link("a", "b");
    tree.directory("b", 0o1777, Owner::same(5));
    let expected = [
        ("a", EntryType::Symlink, 0o777, 0),
        ("b/", EntryType::Directory, 0o1777, 5),
        ("b/deep/", EntryType::Directory, 0o755, 0),
        ("b/deep/file", EntryType::Regular, 0o644, 0),
    ];
    let expected = expected.map(|(path, kind, mode, uid)| (path.to_owned(), kind, mode, uid));
    assert_eq!(listing(&tree.to_tar().unwrap()), expected);
}

#[test]
fn the_order_of_making_does_not_show() {
    let (mut one, mut other) = (Tree::merged_usr(), Tree::merged_usr());
    one.file("x", "1", 0o600);
    one.file("y", "2", 0o600);
    other.file("y", "2", 0o600);
    other.file("x", "1", 0o600);
    assert_eq!(one.to_tar().unwrap(), other.to_tar().unwrap());
}

#[test]
fn packages_go_below_usr_and_hard_links_become_copies() {
    let tar = package(&[
        ("./bin/tool", EntryType::Regular, "body"),
        ("./usr/share/doc/x", EntryType::Regular, "long"),
        ("./usr/bin/same", EntryType::Link, "./bin/tool"),
    ]);
    let mut tree = Tree::merged_usr();
    tree.unpack(tar.as_slice(), |path| !path.starts_with("usr/share/doc")).unwrap();
    assert!(tree.contains("usr/bin/tool") && tree.contains("usr/bin/same") && tree.contains("bin"));
    assert!(!tree.contains("bin/tool") && !tree.contains("usr/share/doc/x"));
    let Content::File(copy) = &tree.entries["usr/bin/same"].content else { panic!("no file") };
    assert_eq!(copy, b"body");
    assert_eq!(tree.entries["usr/bin/tool"].owner, Owner::same(7));
}

#[test]
fn what_an_image_cannot_hold_is_named() {
    for (path, kind, target, expected) in [
        ("./dev/null", EntryType::Char, "", "entries of the kind Char are not supported"),
        ("./a", EntryType::Link, "./gone", "it is a hard link to ./gone, which is not there"),
    ] {
        let error =
            Tree::default().unpack(package(&[(path, kind, target)]).as_slice(), |_| true).unwrap_err();
        assert!(error.to_string().ends_with(expected), "{error}");
    }
    assert!(normal("./a/../../etc").unwrap_err().to_string().contains("leads out of the image"));
}
