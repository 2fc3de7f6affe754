//! `nginx:1.22`: Debian's nginx under the names and folders of the well-known image.

use super::base::{self, User};
use super::{Sources, texts};
use crate::archive::Config;
use crate::{Error, Image, Owner, Tree};

/// The server, its MIME types, `envsubst` for templates, and every library that they load.
pub(super) const PACKAGES: &[&str] = &["nginx", "nginx-common", "gettext-base", "libcrypt1", "libpcre2-8-0"];

const USER: User = User { name: "nginx", id: 101, home: "/nonexistent" };

/// Of Debian's configuration only the MIME types and parameters stay: the rest is laid out in another way.
fn keep(path: &str) -> bool {
    let configuration = path.starts_with("etc/") && !path.starts_with("etc/nginx/");
    let debians = ["etc/nginx/nginx.conf", "etc/nginx/sites", "etc/nginx/modules", "etc/nginx/snippets"]
        .iter()
        .any(|start| path.starts_with(start));
    let pages = path.starts_with("usr/share/nginx/html/") || path.starts_with("var/");
    !configuration && !debians && !pages && !path.contains("/gconv/")
}

/// Makes the image.
pub(super) fn image(sources: &Sources<'_>) -> Result<Image, Error> {
    let mut tree = Tree::merged_usr();
    sources.unpack(&mut tree, &[base::LIBC, base::TLS, PACKAGES], keep)?;
    base::finish(sources, &mut tree, Some(&USER))?;
    for directory in ["docker-entrypoint.d", "etc/nginx/conf.d", "etc/nginx/templates", "var/lib/nginx"] {
        tree.directory(directory, 0o755, Owner::ROOT);
    }
    tree.link("var/log/nginx/access.log", "/dev/stdout");
    tree.link("var/log/nginx/error.log", "/dev/stderr");
    tree.file("etc/nginx/nginx.conf", include_str!("files/nginx.conf"), 0o644);
    tree.file("etc/nginx/conf.d/default.conf", include_str!("files/nginx-default.conf"), 0o644);
    tree.file(
        "usr/share/nginx/html/index.html",
        "<!doctype html>\n<title>nginx</title>\n<h1>It works</h1>\n",
        0o644,
    );
    tree.file(
        "usr/share/nginx/html/50x.html",
        "<!doctype html>\n<title>nginx</title>\n<h1>Server error</h1>\n",
        0o644,
    );
    tree.file("docker-entrypoint.sh", include_str!("files/nginx-entrypoint.sh"), 0o755);
    let config = Config {
        env: vec![format!("PATH={}", base::PATH)],
        entrypoint: texts(&["/docker-entrypoint.sh"]),
        cmd: texts(&["nginx", "-g", "daemon off;"]),
        exposed_ports: texts(&["80/tcp"]),
        stop_signal: "SIGQUIT".into(),
        ..Config::default()
    };
    Ok(Image { tag: "nginx:1.22".into(), config, tree })
}
