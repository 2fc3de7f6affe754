//! `redis:7`: Debian's Redis under the names and folders of the well-known image.

use super::base::{self, User};
use super::{Sources, texts};
use crate::archive::Config;
use crate::{Error, Image, Owner, Tree};

/// The server, its client, and every library that they load.
pub(super) const PACKAGES: &[&str] = &[
    "redis-server",
    "redis-tools",
    "gosu",
    "libatomic1",
    "libgcc-s1",
    "libjemalloc2",
    "liblzf1",
    "libstdc++6",
];

const USER: User = User { name: "redis", id: 999, home: "/data" };

/// Makes the image.
pub(super) fn image(sources: &Sources<'_>) -> Result<Image, Error> {
    let mut tree = Tree::merged_usr();
    let groups = [base::LIBC, base::TLS, base::SYSTEMD, PACKAGES];
    sources.unpack(&mut tree, &groups, |path| !path.contains("/gconv/") && !path.starts_with("etc/redis"))?;
    base::finish(sources, &mut tree, Some(&USER))?;
    tree.directory("data", 0o755, Owner::same(USER.id));
    tree.file("usr/local/bin/docker-entrypoint.sh", include_str!("files/redis-entrypoint.sh"), 0o755);
    let config = Config {
        env: vec![format!("PATH={}", base::PATH)],
        entrypoint: texts(&["docker-entrypoint.sh"]),
        cmd: texts(&["redis-server"]),
        exposed_ports: texts(&["6379/tcp"]),
        volumes: texts(&["/data"]),
        working_dir: "/data".into(),
        ..Config::default()
    };
    Ok(Image { tag: "redis:7".into(), config, tree })
}
