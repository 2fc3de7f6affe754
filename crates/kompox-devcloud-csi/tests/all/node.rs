//! The node's part with real mounts: what is written stays, whatever happens to the driver.

use crate::support::{NODE, Setup, ZONE, can_mount};
use anyhow::{Context as _, Result, ensure};
use kompox_devcloud::api::{Backing, NewVolume, Source, Volume, VolumeState};
use kompox_devcloud_csi::proto::csi::volume_capability::{
    AccessMode, AccessType, MountVolume, access_mode::Mode,
};
use kompox_devcloud_csi::proto::csi::{
    CapacityRange, ControllerExpandVolumeRequest, ControllerPublishVolumeRequest,
    ControllerUnpublishVolumeRequest, NodeExpandVolumeRequest, NodePublishVolumeRequest,
    NodeStageVolumeRequest, NodeUnpublishVolumeRequest, NodeUnstageVolumeRequest, VolumeCapability,
    controller_client::ControllerClient, node_client::NodeClient,
};
use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};
use tonic::{Code, Status, transport::Channel};

const MIB: u64 = 1 << 20;

/// Calls of one volume as the kubelet and the attacher make them.
struct Disk<'a> {
    setup: &'a Setup,
    volume: Volume,
    fs_type: &'static str,
    mode: Mode,
}

impl<'a> Disk<'a> {
    async fn new(setup: &'a Setup, request: NewVolume) -> Result<Self> {
        let token = request.name.clone();
        let mut volume = setup.client.create_volume(&NewVolume { client_token: token, ..request }).await?;
        let deadline = Instant::now() + Duration::from_secs(60);
        while volume.state == VolumeState::Creating {
            ensure!(Instant::now() < deadline, "still creating");
            tokio::time::sleep(Duration::from_millis(10)).await;
            volume = setup.client.volume(&volume.id).await?;
        }
        Ok(Self { setup, volume, fs_type: "", mode: Mode::SingleNodeWriter })
    }

    async fn image(setup: &'a Setup, name: &str) -> Result<Self> {
        let size_bytes = Some(32 * MIB);
        let backing = Some(Backing::Image);
        Self::new(setup, NewVolume { name: name.into(), size_bytes, backing, ..NewVolume::default() }).await
    }

    fn image_file(&self) -> Result<PathBuf> {
        Ok(self.volume.data.as_ref().context("no data")?.path.clone().into())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.setup.path(&format!("{}-{name}", self.volume.name))
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    fn capability(&self) -> Option<VolumeCapability> {
        let mount = MountVolume { fs_type: self.fs_type.into(), ..MountVolume::default() };
        let access_mode = Some(AccessMode { mode: self.mode.into() });
        Some(VolumeCapability { access_mode, access_type: Some(AccessType::Mount(mount)) })
    }

    async fn node(&self) -> Result<NodeClient<Channel>> {
        Ok(NodeClient::new(self.setup.channel().await?))
    }

    async fn controller(&self) -> Result<ControllerClient<Channel>> {
        Ok(ControllerClient::new(self.setup.channel().await?))
    }

    async fn attach(&self) -> Result<HashMap<String, String>> {
        let request = ControllerPublishVolumeRequest {
            volume_id: self.volume.id.clone(),
            node_id: format!("{ZONE}/{NODE}"),
            volume_capability: self.capability(),
            ..Default::default()
        };
        Ok(self.controller().await?.controller_publish_volume(request).await?.into_inner().publish_context)
    }

    async fn detach(&self) -> Result<()> {
        let (volume_id, node_id) = (self.volume.id.clone(), format!("{ZONE}/{NODE}"));
        let request = ControllerUnpublishVolumeRequest { volume_id, node_id, ..Default::default() };
        self.controller().await?.controller_unpublish_volume(request).await?;
        Ok(())
    }

    async fn stage(&self) -> Result<Result<(), Status>> {
        fs::create_dir_all(self.path("staging"))?;
        let request = NodeStageVolumeRequest {
            volume_id: self.volume.id.clone(),
            publish_context: self.attach().await?,
            staging_target_path: self.text("staging"),
            volume_capability: self.capability(),
            ..Default::default()
        };
        Ok(self.node().await?.node_stage_volume(request).await.map(drop))
    }

    async fn publish(&self, target: &str, readonly: bool) -> Result<Result<(), Status>> {
        let request = NodePublishVolumeRequest {
            volume_id: self.volume.id.clone(),
            publish_context: self.attach().await?,
            staging_target_path: self.text("staging"),
            target_path: self.text(target),
            volume_capability: self.capability(),
            readonly,
            ..Default::default()
        };
        Ok(self.node().await?.node_publish_volume(request).await.map(drop))
    }

    async fn unpublish(&self, target: &str) -> Result<()> {
        let request =
            NodeUnpublishVolumeRequest { volume_id: self.volume.id.clone(), target_path: self.text(target) };
        self.node().await?.node_unpublish_volume(request).await?;
        Ok(())
    }

    async fn unstage(&self) -> Result<()> {
        let (volume_id, staging_target_path) = (self.volume.id.clone(), self.text("staging"));
        self.node()
            .await?
            .node_unstage_volume(NodeUnstageVolumeRequest { volume_id, staging_target_path })
            .await?;
        Ok(())
    }

    /// Takes everything away, twice: a caller that lost the answer asks again.
    async fn release(&self, targets: &[&str]) -> Result<()> {
        for _ in 0..2 {
            for target in targets {
                self.unpublish(target).await?;
            }
            self.unstage().await?;
            self.detach().await?;
        }
        Ok(())
    }
}

fn code(result: Result<(), Status>) -> Option<Code> {
    result.err().map(|status| status.code())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_stays_over_kills_of_the_driver_and_new_attachments() -> Result<()> {
    if !can_mount("data over kills of the driver")? {
        return Ok(());
    }
    let mut setup = Setup::start().await?;
    for round in 0..3 {
        let disk = Disk::image(&setup, "disk").await?;
        disk.stage().await??;
        disk.publish("pod", false).await??;
        let file = disk.path("pod").join("rows");
        let rows = if round == 0 { String::new() } else { fs::read_to_string(&file)? };
        assert_eq!(rows, "row\n".repeat(round));
        fs::write(&file, rows + "row\n")?;
        setup.kill_driver()?;
        setup.start_driver().await?;
        let disk = Disk::image(&setup, "disk").await?;
        // The kubelet repeats all of it after its own restart.
        disk.stage().await??;
        disk.publish("pod", false).await??;
        disk.release(&["pod"]).await?;
        assert!(!disk.path("pod").exists());
        setup.nothing_is_left().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_holds_anything_is_never_formatted() -> Result<()> {
    if !can_mount("images that hold something")? {
        return Ok(());
    }
    let setup = Setup::start().await?;
    let disk = Disk::image(&setup, "foreign").await?;
    let file = fs::File::options().read(true).write(true).open(disk.image_file()?)?;
    file.write_all_at(b"precious", 20 * MIB)?;
    let refused = disk.stage().await?.unwrap_err();
    assert_eq!(refused.code(), Code::FailedPrecondition);
    assert!(refused.message().contains("never formatted"), "{}", refused.message());
    let mut kept = [0; 8];
    file.read_exact_at(&mut kept, 20 * MIB)?;
    assert_eq!(&kept, b"precious");

    let ext4 = Disk::image(&setup, "ext4").await?;
    ext4.stage().await??;
    ext4.release(&[]).await?;
    let xfs = Disk { fs_type: "xfs", ..ext4 };
    assert_eq!(code(xfs.stage().await?), Some(Code::FailedPrecondition), "another file system is asked for");
    xfs.detach().await?;
    setup.nothing_is_left().await
}

#[tokio::test(flavor = "multi_thread")]
async fn one_pod_means_one_path_also_for_a_driver_that_was_killed() -> Result<()> {
    if !can_mount("ReadWriteOncePod")? {
        return Ok(());
    }
    let mut setup = Setup::start().await?;
    let disk = Disk { mode: Mode::SingleNodeSingleWriter, ..Disk::image(&setup, "once").await? };
    disk.stage().await??;
    disk.publish("one", false).await??;
    assert_eq!(code(disk.publish("two", false).await?), Some(Code::FailedPrecondition));
    setup.kill_driver()?;
    setup.start_driver().await?;
    let disk = Disk { mode: Mode::SingleNodeSingleWriter, ..Disk::image(&setup, "once").await? };
    assert_eq!(code(disk.publish("two", false).await?), Some(Code::FailedPrecondition));
    disk.publish("one", false).await??;
    disk.unpublish("one").await?;
    disk.publish("two", false).await??;
    disk.release(&["two"]).await?;
    setup.nothing_is_left().await
}

#[tokio::test(flavor = "multi_thread")]
async fn read_only_is_read_only_beside_a_writer() -> Result<()> {
    if !can_mount("read-only publication")? {
        return Ok(());
    }
    let setup = Setup::start().await?;
    let mut disks = vec![Disk::image(&setup, "image").await?];
    let (size_bytes, backing) = (Some(16 * MIB), Some(Backing::Directory));
    let request = NewVolume { name: "directory".into(), size_bytes, backing, ..NewVolume::default() };
    disks.push(Disk::new(&setup, request).await?);
    for disk in disks {
        disk.stage().await??;
        disk.publish("writer", false).await??;
        disk.publish("reader", true).await??;
        fs::write(disk.path("writer").join("f"), "x")?;
        assert_eq!(fs::read_to_string(disk.path("reader").join("f"))?, "x");
        let refused = fs::write(disk.path("reader").join("f"), "y").unwrap_err();
        assert_eq!(refused.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
        assert_eq!(code(disk.publish("reader", false).await?), Some(Code::AlreadyExists));
        disk.release(&["writer", "reader"]).await?;
    }
    setup.nothing_is_left().await
}

/// What a snapshot restores is the data, in a file system that fills the larger volume.
#[tokio::test(flavor = "multi_thread")]
async fn a_clone_that_is_larger_has_the_data_and_the_room() -> Result<()> {
    if !can_mount("clones")? {
        return Ok(());
    }
    let setup = Setup::start().await?;
    let disk = Disk::image(&setup, "source").await?;
    disk.stage().await??;
    fs::write(disk.path("staging").join("f"), "kept")?;
    let source = Some(Source::Volume(disk.volume.id.clone()));
    let request =
        NewVolume { name: "clone".into(), size_bytes: Some(128 * MIB), source, ..NewVolume::default() };
    let clone = Disk::new(&setup, request).await?;
    clone.stage().await??;
    assert_eq!(fs::read_to_string(clone.path("staging").join("f"))?, "kept");
    let room = rustix::fs::statvfs(clone.path("staging"))?;
    ensure!(room.f_blocks * room.f_frsize > 100 * MIB, "{} blocks", room.f_blocks);
    clone.release(&[]).await?;
    disk.release(&[]).await?;
    setup.nothing_is_left().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_volume_in_use_grows() -> Result<()> {
    if !can_mount("growing a volume in use")? {
        return Ok(());
    }
    let setup = Setup::start().await?;
    // XFS needs no CAP_SYS_RESOURCE for this and 300 MiB to begin with.
    let has_xfs = Command::new("mkfs.xfs").arg("-V").output().is_ok();
    let fs_type = if has_xfs { "xfs" } else { "ext4" };
    let request = NewVolume { name: "grows".into(), size_bytes: Some(320 * MIB), ..NewVolume::default() };
    let disk = Disk { fs_type, ..Disk::new(&setup, request).await? };
    disk.stage().await??;
    disk.publish("pod", false).await??;
    let required_bytes = i64::try_from(640 * MIB)?;
    let capacity_range = Some(CapacityRange { required_bytes, limit_bytes: 0 });
    let volume_id = disk.volume.id.clone();
    let request =
        ControllerExpandVolumeRequest { volume_id: volume_id.clone(), capacity_range, ..Default::default() };
    let answer = disk.controller().await?.controller_expand_volume(request).await?.into_inner();
    assert!(answer.capacity_bytes == required_bytes && answer.node_expansion_required);
    let request = NodeExpandVolumeRequest { volume_id, volume_path: disk.text("pod"), ..Default::default() };
    let size = || rustix::fs::statvfs(disk.path("pod")).map(|found| found.f_blocks * found.f_frsize);
    match disk.node().await?.node_expand_volume(request).await {
        Ok(answer) => assert_eq!(answer.into_inner().capacity_bytes, required_bytes),
        // Told what it takes; and staged anew, it has the room.
        Err(refused) if fs_type == "ext4" => {
            assert!(refused.message().contains("CAP_SYS_RESOURCE"), "{}", refused.message());
            disk.release(&["pod"]).await?;
            disk.stage().await??;
            disk.publish("pod", false).await??;
        }
        Err(refused) => return Err(refused.into()),
    }
    ensure!(size()? > 500 * MIB, "{fs_type} has {} bytes", size()?);
    disk.release(&["pod"]).await?;
    setup.nothing_is_left().await
}
