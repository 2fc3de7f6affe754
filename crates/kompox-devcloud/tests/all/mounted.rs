//! A snapshot of an image while it is mounted and written to. Needs root and loop devices; says so where they
//! are not.

use crate::{MIB, TOKEN, request, snapshot, wait};
use kompox_devcloud::api::{Backing, Consistency, NewVolume};
use kompox_devcloud::client::Client;
use kompox_devcloud::{Devcloud, Options, Tokens};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().unwrap();
    assert!(output.status.success(), "{program} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A mounted image; unmounted when dropped.
struct Mount(std::path::PathBuf);

impl Mount {
    fn new(image: &str, at: &Path) -> Self {
        std::fs::create_dir_all(at).unwrap();
        run("mount", &["-o", "loop", image, &at.to_string_lossy()]);
        Self(at.to_owned())
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// The round in a file.
fn read(mount: &Mount, name: &str) -> Option<u64> {
    std::fs::read_to_string(mount.0.join(name)).ok()?.parse().ok()
}

fn can_mount() -> bool {
    let image = tempfile::NamedTempFile::new().unwrap();
    image.as_file().set_len(MIB).unwrap();
    let device = Command::new("losetup").args(["--find", "--show"]).arg(image.path()).output();
    let Ok(device) = device else { return false };
    let name = String::from_utf8_lossy(&device.stdout).trim().to_owned();
    device.status.success() && Command::new("losetup").args(["--detach", &name]).status().is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_snapshot_of_a_mounted_image_is_one_point_in_time() {
    if !can_mount() {
        eprintln!("NOT TESTED: freezing a mounted image needs root and loop devices");
        return;
    }
    let directory = tempfile::tempdir().unwrap();
    let tokens = Tokens::single("me", TOKEN.into()).unwrap();
    let service = Devcloud::start(Options::new(directory.path().join("kept"), tokens)).await.unwrap();
    let client = Client::new(&service.url(), TOKEN.to_owned().into()).unwrap();
    let image = NewVolume { backing: Some(Backing::Image), ..request("one") };
    let volume = client.create_volume(&image).await.unwrap();
    let path = volume.data.unwrap().path;
    run("mkfs.ext4", &["-q", &path]);
    let mount = Mount::new(&path, &directory.path().join("mount"));
    // Two files, the second always written after the first.
    let (stop, place) = (Arc::new(AtomicBool::new(false)), mount.0.clone());
    let writer = std::thread::spawn({
        let stop = Arc::clone(&stop);
        move || {
            let files = ["first", "second"].map(|name| File::create(place.join(name)).unwrap());
            let mut round = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                round += 1;
                files
                    .iter()
                    .for_each(|file| file.write_all_at(format!("{round:020}").as_bytes(), 0).unwrap());
            }
        }
    });
    client.attach(&volume.id, "n1").await.unwrap();
    wait("the second file", || async { read(&mount, "second").filter(|round| *round > 0) }).await;
    let taken = snapshot(&client, &volume.id).await;
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    assert_eq!(taken.consistency, Some(Consistency::Crash), "{taken:?}");
    let copy = service.directory().join("snapshots").join(&taken.id).join("disk.img");
    // Writing works on after the thaw, and the copy is a sound file system.
    std::fs::write(mount.0.join("after"), "x").unwrap();
    run("e2fsck", &["-f", "-n", &copy.to_string_lossy()]);
    assert_eq!(std::fs::read_dir(service.directory().join("frozen")).unwrap().count(), 0);
    // At one point in time the first file is at most one round ahead, and never behind.
    let shown = Mount::new(&copy.to_string_lossy(), &directory.path().join("shown"));
    let (first, second) = (read(&shown, "first").unwrap(), read(&shown, "second").unwrap());
    assert!(second > 0 && (first == second || first == second + 1), "{first} {second}");
    drop((shown, mount));
    service.stop().await;
}
