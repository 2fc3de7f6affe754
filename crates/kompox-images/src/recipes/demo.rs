//! The demo service in four dresses, and the sandbox image. All hold the same executable.

use super::base::{self, User};
use super::{Sources, texts};
use crate::archive::Config;
use crate::{Error, Image, Owner, Tree};

const EXECUTABLE: &str = "usr/local/bin/demo";

/// The user of `kompox/demo:1-user`; its files in `/seed` show what is copied into an empty volume.
const USER: User = User { name: "demo", id: 1234, home: "/seed" };

/// `kompox/demo:1`: with a shell, as root; `/seed` holds files of another user.
pub(super) fn with_shell(sources: &Sources<'_>) -> Result<Image, Error> {
    let mut tree = tree(sources, "usr/local/bin/demo");
    base::finish(sources, &mut tree, Some(&USER))?;
    Ok(Image { tag: "kompox/demo:1".into(), config: config(&["demo"], &["serve"]), tree })
}

/// `kompox/demo:1-static`: one executable, no shell, nothing else.
pub(super) fn without_shell(sources: &Sources<'_>) -> Result<Image, Error> {
    let mut tree = Tree::default();
    tree.file("demo", sources.demo, 0o755);
    Ok(Image { tag: "kompox/demo:1-static".into(), config: config(&["/demo"], &["serve"]), tree })
}

/// `kompox/demo:1-user`: an image that sets everything that an image can: user, directory, volume, signal.
pub(super) fn with_user(sources: &Sources<'_>) -> Result<Image, Error> {
    let mut tree = tree(sources, EXECUTABLE);
    base::finish(sources, &mut tree, Some(&USER))?;
    tree.directory("data", 0o750, Owner::same(USER.id));
    let config = Config {
        user: format!("{0}:{0}", USER.id),
        working_dir: "/seed".into(),
        volumes: texts(&["/data"]),
        stop_signal: "SIGUSR1".into(),
        ..config(&["demo"], &["serve"])
    };
    Ok(Image { tag: "kompox/demo:1-user".into(), config, tree })
}

/// `kompox/pause:1`: what holds a pod's namespaces, and reaps what its containers leave behind.
pub(super) fn pause(sources: &Sources<'_>) -> Result<Image, Error> {
    let mut tree = Tree::default();
    tree.file("demo", sources.demo, 0o755);
    // The user of the well-known pause image.
    let config = Config { user: "65535:65535".into(), ..config(&["/demo", "pause"], &[]) };
    Ok(Image { tag: "kompox/pause:1".into(), config: Config { exposed_ports: [].into(), ..config }, tree })
}

fn tree(sources: &Sources<'_>, path: &str) -> Tree {
    let mut tree = Tree::merged_usr();
    tree.file(path, sources.demo, 0o755);
    let owner = Owner::same(USER.id);
    tree.directory("seed", 0o750, owner);
    tree.owned_file("seed/greeting", "hello from the image\n", 0o640, owner);
    tree.owned_file("seed/below/secret", "only for demo\n", 0o400, owner);
    tree
}

fn config(entrypoint: &[&str], cmd: &[&str]) -> Config {
    Config {
        env: vec![format!("PATH={}", base::PATH), "DEMO_FROM_IMAGE=yes".into()],
        entrypoint: texts(entrypoint),
        cmd: texts(cmd),
        exposed_ports: texts(&["8080/tcp"]),
        ..Config::default()
    }
}
