//! Tests. None needs root: an image is a file.

use super::{BEING_FORMATTED, Content, content, format, is_marked, mark};
use crate::capability::FsType;
use crate::node::lock::VolumeLock;
use std::fs::{self, File};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;

const SIZE: u64 = 64 << 20;

struct Image {
    path: PathBuf,
    lock: VolumeLock,
    _directory: tempfile::TempDir,
}

fn image() -> Image {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("disk.img");
    File::create(&path).unwrap().set_len(SIZE).unwrap();
    Image { path, lock: VolumeLock::take(directory.path(), "vol-1").unwrap(), _directory: directory }
}

impl Image {
    fn write(&self, bytes: &[u8], offset: u64) {
        File::options().write(true).open(&self.path).unwrap().write_all_at(bytes, offset).unwrap();
    }

    async fn content(&self) -> Content {
        content(&self.path, &self.lock).await.unwrap()
    }
}

#[tokio::test]
async fn an_empty_image_gets_a_file_system_and_keeps_it() {
    let image = image();
    // Written zeros are nothing too.
    image.write(&[0; 4096], 1 << 20);
    assert_eq!(image.content().await, Content::Nothing);
    format(&image.path, FsType::Ext4, &image.lock).await.unwrap();
    assert_eq!(image.content().await, Content::FileSystem(FsType::Ext4));
    assert!(!is_marked(&image.path).unwrap());
}

#[tokio::test]
async fn whatever_is_written_counts_as_something() {
    for (bytes, offset) in [(&b"x"[..], 0), (b"x", SIZE - 1), (b"x", 5 << 20)] {
        let image = image();
        image.write(bytes, offset);
        let want = format!("unknown bytes, the first at {offset}");
        assert_eq!(image.content().await, Content::Other(want));
    }
    let table = image();
    table.write(&[0x80, 0, 2, 0, 0x83, 0, 0x10, 0, 0, 8, 0, 0, 0, 8, 0, 0], 446);
    table.write(&[0x55, 0xaa], 510);
    assert_eq!(table.content().await, Content::Other("a partition table (dos)".into()));
    let swap = image();
    swap.write(b"SWAPSPACE2", 4096 - 10);
    swap.write(&[1, 0, 0, 0, 255, 0, 0, 0], 1024);
    assert_eq!(swap.content().await, Content::Other("swap".into()));
}

/// What an `mkfs` that is killed leaves has no superblock yet.
#[tokio::test]
async fn what_a_killed_mkfs_left_is_formatted_again_but_only_with_our_mark() {
    let image = image();
    mark(&image.path).unwrap();
    if !is_marked(&image.path).unwrap() {
        eprintln!("SKIPPED: files in {} cannot have attributes", image.path.display());
        return;
    }
    image.write(&[7; 4096], 8 << 20);
    assert_eq!(image.content().await, Content::Nothing);
    rustix::fs::removexattr(&image.path, BEING_FORMATTED).unwrap();
    assert!(matches!(image.content().await, Content::Other(_)));
    // A mark never makes a file system that is there disappear.
    format(&fresh(&image), FsType::Ext4, &image.lock).await.unwrap();
    mark(&image.path).unwrap();
    assert_eq!(image.content().await, Content::FileSystem(FsType::Ext4));
}

fn fresh(image: &Image) -> PathBuf {
    fs::remove_file(&image.path).unwrap();
    File::create(&image.path).unwrap().set_len(SIZE).unwrap();
    image.path.clone()
}
