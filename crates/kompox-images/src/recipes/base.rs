//! What the images with a shell have in common: busybox under Debian's paths, and the users.

use super::{Sources, texts};
use crate::archive::Config;
use crate::{Error, Image, Owner, Tree};

/// A static busybox: it needs no library, so it works in every image.
pub(super) const SHELL: &[&str] = &["busybox-static"];

/// The C library with its tools and the locale C.UTF-8.
pub(super) const LIBC: &[&str] = &["libc6", "libc-bin", "zlib1g"];

/// OpenSSL, which all three servers load.
pub(super) const TLS: &[&str] = &["libssl3"];

/// libsystemd and what it loads: the servers report to systemd where there is one.
pub(super) const SYSTEMD: &[&str] =
    &["libsystemd0", "libcap2", "libgcrypt20", "libgpg-error0", "liblz4-1", "liblzma5", "libzstd1"];

/// What a shell finds programs in.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Names under which busybox is found; those that administer a machine are left out.
const APPLETS: &str = include_str!("files/applets.txt");

/// The user that an image's program runs as.
pub(super) struct User {
    pub(super) name: &'static str,
    pub(super) id: u32,
    pub(super) home: &'static str,
}

/// A tree with a shell, and with `user` beside root and nobody. Other packages must be there before:
/// a program of Debian's own stands before the applet of the same name.
pub(super) fn finish(sources: &Sources<'_>, tree: &mut Tree, user: Option<&User>) -> Result<(), Error> {
    sources.unpack(tree, &[SHELL], |path| path == "usr/bin/busybox")?;
    for applet in APPLETS.split_whitespace() {
        let path = format!("usr/bin/{applet}");
        if !tree.contains(&path) {
            tree.link(&path, "busybox");
        }
    }
    let (mut passwd, mut group) =
        ("root:x:0:0:root:/root:/bin/sh\n".to_owned(), "root:x:0:\ntty:x:5:\n".to_owned());
    if let Some(User { name, id, home }) = user {
        passwd.push_str(&format!("{name}:x:{id}:{id}:{name}:{home}:/bin/sh\n"));
        group.push_str(&format!("{name}:x:{id}:\n"));
    }
    passwd.push_str("nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
    group.push_str("nogroup:x:65534:\n");
    tree.file("etc/passwd", passwd, 0o644);
    tree.file("etc/group", group, 0o644);
    tree.file("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n", 0o644);
    tree.directory("root", 0o700, Owner::ROOT);
    tree.directory("var/tmp", 0o1777, Owner::ROOT);
    tree.link("var/run", "/run");
    Ok(())
}

/// `busybox:1`: a shell and its tools.
pub(super) fn busybox(sources: &Sources<'_>) -> Result<Image, Error> {
    let mut tree = Tree::merged_usr();
    finish(sources, &mut tree, None)?;
    let config = Config { env: vec![format!("PATH={PATH}")], cmd: texts(&["sh"]), ..Config::default() };
    Ok(Image { tag: "busybox:1".into(), config, tree })
}
