//! `postgres:15`: Debian's PostgreSQL under the names, variables and folders of the well-known image.

use super::base::{self, User};
use super::{Sources, texts};
use crate::archive::Config;
use crate::{Error, Image, Owner, Tree};

/// The server, its client, and every library that they load.
pub(super) const PACKAGES: &[&str] = &[
    "postgresql-15",
    "postgresql-client-15",
    "tzdata",
    "gosu",
    "libaudit1",
    "libcap-ng0",
    "libcom-err2",
    "libcrypt1",
    "libffi8",
    "libgcc-s1",
    "libgmp10",
    "libgnutls30",
    "libgssapi-krb5-2",
    "libhogweed6",
    "libicu72",
    "libidn2-0",
    "libk5crypto3",
    "libkeyutils1",
    "libkrb5-3",
    "libkrb5support0",
    "libldap-2.5-0",
    "libnettle8",
    "libp11-kit0",
    "libpam0g",
    "libpq5",
    "libreadline8",
    "libsasl2-2",
    "libstdc++6",
    "libtasn1-6",
    "libtinfo6",
    "libunistring2",
    "libuuid1",
    "libxml2",
];

/// Left out: the just-in-time compiler (LLVM is larger than all else), what extensions are built with, and the
/// extensions whose libraries are not listed.
const DROPPED: [&str; 7] = [
    "usr/lib/postgresql/15/lib/bitcode/",
    "usr/lib/postgresql/15/lib/llvmjit",
    "usr/lib/postgresql/15/lib/pgxml.so",
    "usr/lib/postgresql/15/lib/pgxs/",
    "usr/lib/postgresql/15/lib/sepgsql.so",
    "usr/lib/x86_64-linux-gnu/gconv/",
    "usr/lib/aarch64-linux-gnu/gconv/",
];

const USER: User = User { name: "postgres", id: 999, home: "/var/lib/postgresql" };

const DATA: &str = "/var/lib/postgresql/data";

/// Makes the image.
pub(super) fn image(sources: &Sources<'_>) -> Result<Image, Error> {
    let mut tree = Tree::merged_usr();
    let groups = [base::LIBC, base::TLS, base::SYSTEMD, PACKAGES];
    sources.unpack(&mut tree, &groups, |path| !DROPPED.iter().any(|start| path.starts_with(start)))?;
    base::finish(sources, &mut tree, Some(&USER))?;
    let owner = Owner::same(USER.id);
    tree.directory("var/lib/postgresql", 0o755, owner);
    // Open to all: a container may run as any user.
    tree.directory("var/lib/postgresql/data", 0o1777, owner);
    tree.directory("run/postgresql", 0o3777, owner);
    tree.directory("docker-entrypoint-initdb.d", 0o755, Owner::ROOT);
    tree.file("usr/local/bin/docker-entrypoint.sh", include_str!("files/postgres-entrypoint.sh"), 0o755);
    let config = Config {
        env: vec![
            format!("PATH={}:/usr/lib/postgresql/15/bin", base::PATH),
            "LANG=C.UTF-8".into(),
            "PG_MAJOR=15".into(),
            format!("PGDATA={DATA}"),
        ],
        entrypoint: texts(&["docker-entrypoint.sh"]),
        cmd: texts(&["postgres"]),
        exposed_ports: texts(&["5432/tcp"]),
        volumes: texts(&[DATA]),
        // Fast shutdown: does not wait for clients.
        stop_signal: "SIGINT".into(),
        ..Config::default()
    };
    Ok(Image { tag: "postgres:15".into(), config, tree })
}
