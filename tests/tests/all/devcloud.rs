//! The example of a third party's driver against the real development cloud: its component in the real runtime,
//! and brought to an operator in a ConfigMap, up to a PersistentVolume. No container mounts anything here.

use crate::component::{error, find, owner, target, the_disk};
use crate::drivers::{driver, open, put, says};
use anyhow::{Context as _, Result, bail, ensure};
use ipnet::IpNet;
use k8s_openapi::api::core::v1::PersistentVolume;
use kompox_core::{
    cloud::{
        Sighting,
        identity::{Kind, Owner},
    },
    driver::{
        Attachments, Attributes, Call, ClusterIdentity, Credentials, DiskChange, DiskInfo, DiskRequest,
        DiskSource, Driver, DriverError, Drivers as _, Effect, ErrorCode, Query, SnapshotRequest,
        SnapshotState,
    },
};
use kompox_crds::v1alpha1::{KompoxDisk, KompoxDriver, KompoxSnapshot};
use kompox_devcloud::api::{Backing, Fault, FaultKind, Filter, Volume};
use kompox_devcloud::{Devcloud, Options, Tokens, client::Client};
use kompox_driver_runtime::{ComponentCache, EgressGrant, PlainHttp, Registry, Runtime, RuntimeOptions};
use kompox_tests::{
    objects,
    scene::{PATIENCE, Scene},
    stage::Stage,
};
use kube::{Api, api::DeleteParams};
use serde_json::json;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};
use std::{fs::File, sync::Arc};

const GIB: u64 = 1 << 30;
const TOKEN: &str = "devcloud-token-of-the-tests";

/// A service of its own, with a second witness of what is in it.
struct Cloud {
    service: Devcloud,
    client: Client,
    _directory: tempfile::TempDir,
}

impl Cloud {
    async fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let tokens = Tokens::single("tests", TOKEN.to_owned())?;
        let service = Devcloud::start(Options::new(directory.path(), tokens)).await?;
        let client = Client::new(&service.url(), TOKEN.to_owned().into())?;
        Ok(Self { service, client, _directory: directory })
    }

    /// The driver's `config.endpoint`.
    fn endpoint(&self) -> String {
        format!("{}/", self.service.url())
    }

    async fn volumes(&self) -> Result<Vec<Volume>> {
        Ok(self.client.volumes(&Filter::default()).await?.items)
    }
}

/// The loaded driver, a service of its own, and the context of its calls.
struct Bench {
    driver: Arc<dyn Driver>,
    cloud: Cloud,
    call: Call,
}

impl Bench {
    async fn new(stage: &Stage) -> Result<Self> {
        let loopback: IpNet = "127.0.0.0/8".parse()?;
        let grant = EgressGrant {
            plain_http: PlainHttp::InGrantedNetworks,
            networks: vec![loopback],
            ..EgressGrant::default()
        };
        let options = RuntimeOptions {
            cache: ComponentCache::Directory(stage.directory().join("components")),
            grants: [("devcloud".to_owned(), grant)].into(),
            ..RuntimeOptions::default()
        };
        let registry = Registry::new();
        let report = registry.load_directory(&Runtime::new(options)?, &stage.programs.examples).await;
        ensure!(report.refused.is_empty(), "{:?}", report.refused);
        let driver = registry.for_type("devcloud").context("the driver devcloud is not loaded")?;
        let cloud = Cloud::start().await?;
        let call = Call {
            provider_type: "devcloud".to_owned(),
            config: [("endpoint".to_owned(), cloud.endpoint())].into(),
            cluster: ClusterIdentity { uid: "cluster-1".into(), ..ClusterIdentity::default() },
            credentials: Credentials::new([("token".to_owned(), TOKEN.to_owned().into())].into()),
            subject: "component test".to_owned(),
            timeout: Duration::from_secs(60),
        };
        Ok(Self { driver, cloud, call })
    }

    async fn fault(&self, fault: Fault) -> Result<()> {
        self.cloud.client.add_fault(&fault).await?;
        Ok(())
    }

    async fn named(&self, name: &str) -> Result<DiskInfo> {
        let query = Query { tags: owner(name).tags(), ..Query::default() };
        the_disk(self.driver.as_ref(), &self.call, &query).await
    }

    /// Makes a disk and waits until it is finished.
    async fn disk(&self, name: &str, request: &DiskRequest) -> Result<DiskInfo> {
        let intent = owner(name).intent(1, &Attributes::new());
        let (deadline, mut resume) = (Instant::now() + PATIENCE, None::<String>);
        loop {
            let outcome = self.driver.create_disk(&self.call, &intent, request, resume.as_deref()).await?;
            let Some(pending) = outcome.pending else { return self.named(name).await };
            ensure!(Instant::now() < deadline, "the disk is not made: {pending:?}");
            tokio::time::sleep(pending.poll_after).await;
            resume = Some(pending.resume);
        }
    }

    async fn snapshot(&self, disk: &DiskInfo) -> Result<String> {
        let intent = Owner { kind: Kind::Snapshot, ..owner(&disk.handle) }.intent(1, &Attributes::new());
        let request = SnapshotRequest { disk_handle: disk.handle.clone(), options: Attributes::new() };
        self.driver.create_snapshot(&self.call, &intent, &request, None).await?;
        let query = Query { disk_handle: Some(disk.handle.clone()), ..Query::default() };
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.driver.find_snapshots(&self.call, &query, None).await?;
            let [snapshot] = page.items.as_slice() else { bail!("not one snapshot: {page:?}") };
            if snapshot.state == SnapshotState::Ready {
                ensure!(snapshot.restore_size_bytes == GIB && snapshot.taken_at.is_some(), "{snapshot:?}");
                return Ok(snapshot.handle.clone());
            }
            ensure!(Instant::now() < deadline, "the snapshot is not ready: {snapshot:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn request() -> DiskRequest {
    DiskRequest {
        size_bytes: GIB,
        zone: Some("a".into()),
        source: DiskSource::Empty,
        options: [("backing".to_owned(), "image".to_owned())].into(),
    }
}

pub(super) async fn makes_a_disk_once_although_the_answer_was_lost(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let intent = owner("lost").intent(1, &Attributes::new());
    bench.fault(Fault::once(FaultKind::LostAnswer, "create-volume")).await?;
    let lost = error(bench.driver.create_disk(&bench.call, &intent, &request(), None).await)?;
    ensure!(lost.effect == Effect::Unknown, "{lost:?}");
    let disk = bench.disk("lost", &request()).await?;
    let [volume] = &bench.cloud.volumes().await?[..] else { bail!("not one volume") };
    ensure!(volume.id == disk.handle && volume.name == intent.name, "{volume:?}");
    ensure!(intent.tags.iter().all(|(key, value)| disk.tags.get(key) == Some(value)), "{disk:?}");
    ensure!(disk.attachments == Attachments::Detached && disk.zone.as_deref() == Some("a"), "{disk:?}");
    // Another disk under the same name is refused.
    let mut theirs = intent.clone();
    theirs.tags.insert("kompox-disk-uid".to_owned(), "another".to_owned());
    let taken = error(bench.driver.create_disk(&bench.call, &theirs, &request(), None).await)?;
    ensure!(taken.code == ErrorCode::AlreadyExists && taken.effect == Effect::None, "{taken:?}");
    Ok(())
}

pub(super) async fn leaves_a_disk_of_another_owner_alone(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let disk = bench.disk("mine", &request()).await?;
    let theirs = target("yours", &disk);
    let change = DiskChange { size_bytes: Some(2 * GIB), options: Attributes::new() };
    for refusal in [
        error(bench.driver.delete_disk(&bench.call, &theirs, None).await)?,
        error(bench.driver.modify_disk(&bench.call, &theirs, &change, None).await)?,
    ] {
        ensure!(refusal.code == ErrorCode::OwnerMismatch && refusal.effect == Effect::None, "{refusal:?}");
    }
    ensure!(bench.named("mine").await? == disk, "it was changed");
    Ok(())
}

pub(super) async fn restores_the_bytes_into_another_zone(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let disk = bench.disk("origin", &request()).await?;
    let bytes = |volume: Volume| Ok::<_, anyhow::Error>(volume.data.context("no path")?.path);
    let path = bytes(bench.cloud.client.volume(&disk.handle).await?)?;
    File::options().write(true).open(path)?.write_all_at(b"written before", 4096)?;
    let snapshot = bench.snapshot(&disk).await?;
    // The snapshot outlives its disk.
    bench.driver.delete_disk(&bench.call, &target("origin", &disk), None).await?;
    let restore = DiskRequest {
        size_bytes: 2 * GIB,
        zone: Some("b".into()),
        source: DiskSource::Snapshot(snapshot.clone()),
        options: Attributes::new(),
    };
    let restored = bench.disk("restored", &restore).await?;
    ensure!(restored.zone.as_deref() == Some("b") && restored.size_bytes == 2 * GIB, "{restored:?}");
    ensure!(restored.source == Some(DiskSource::Snapshot(snapshot.clone())), "{restored:?}");
    let path = bytes(bench.cloud.client.volume(&restored.handle).await?)?;
    let mut found = [0; 14];
    File::open(path)?.read_exact_at(&mut found, 4096)?;
    ensure!(&found == b"written before", "{found:?}");
    // What cannot be is refused before anything is made.
    let intent = owner("small").intent(1, &Attributes::new());
    let small = DiskRequest { size_bytes: GIB / 2, ..restore.clone() };
    let refusal = error(bench.driver.create_disk(&bench.call, &intent, &small, None).await)?;
    ensure!(refusal.code == ErrorCode::OutOfRange && refusal.effect == Effect::None, "{refusal:?}");
    let absent = DiskRequest { source: DiskSource::Snapshot("snap-1".into()), ..restore };
    let refusal = error(bench.driver.create_disk(&bench.call, &intent, &absent, None).await)?;
    ensure!(refusal.code == ErrorCode::NotFound && refusal.effect == Effect::None, "{refusal:?}");
    Ok(())
}

pub(super) async fn refuses_to_delete_what_is_attached(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let disk = bench.disk("attached", &request()).await?;
    bench.cloud.client.attach(&disk.handle, "node-1").await?;
    let seen = bench.named("attached").await?;
    ensure!(seen.attachments == Attachments::Attached(vec!["other:node-1".into()]), "{seen:?}");
    let refusal = error(bench.driver.delete_disk(&bench.call, &target("attached", &disk), None).await)?;
    ensure!(refusal.code == ErrorCode::InUse && refusal.effect == Effect::None, "{refusal:?}");
    bench.cloud.client.detach(&disk.handle, "node-1").await?;
    for _ in 0..2 {
        let outcome = bench.driver.delete_disk(&bench.call, &target("attached", &disk), None).await?;
        ensure!(outcome.pending.is_none(), "{outcome:?}");
    }
    ensure!(bench.cloud.volumes().await?.is_empty());
    Ok(())
}

pub(super) async fn grows_a_disk(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let disk = bench.disk("growing", &request()).await?;
    bench.cloud.client.attach(&disk.handle, "node-1").await?;
    let change = DiskChange { size_bytes: Some(3 * GIB), options: request().options };
    for _ in 0..2 {
        bench.driver.modify_disk(&bench.call, &target("growing", &disk), &change, None).await?;
        ensure!(bench.named("growing").await?.size_bytes == 3 * GIB);
    }
    let path = bench.cloud.client.volume(&disk.handle).await?.data.context("no path")?.path;
    ensure!(std::fs::metadata(path)?.len() == 3 * GIB, "the image did not grow");
    Ok(())
}

pub(super) async fn waits_when_throttled(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let throttled =
        Fault { retry_after_seconds: Some(9), ..Fault::once(FaultKind::Throttled, "create-volume") };
    bench.fault(throttled).await?;
    let intent = owner("throttled").intent(1, &Attributes::new());
    let refusal = error(bench.driver.create_disk(&bench.call, &intent, &request(), None).await)?;
    ensure!(refusal.code == ErrorCode::Throttled && refusal.effect == Effect::None, "{refusal:?}");
    ensure!(refusal.retry_after == Some(Duration::from_secs(9)), "{refusal:?}");
    bench.fault(Fault::once(FaultKind::Internal, "create-volume")).await?;
    let failed = error(bench.driver.create_disk(&bench.call, &intent, &request(), None).await)?;
    ensure!(failed.code == ErrorCode::Unavailable && failed.effect == Effect::Unknown, "{failed:?}");
    ensure!(bench.cloud.volumes().await?.is_empty());
    Ok(())
}

pub(super) async fn waits_while_a_disk_is_being_made(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let stuck = Fault { milliseconds: Some(1000), ..Fault::once(FaultKind::Stuck, "create-volume") };
    bench.fault(stuck).await?;
    let intent = owner("slow").intent(1, &Attributes::new());
    let first = bench.driver.create_disk(&bench.call, &intent, &request(), None).await?;
    ensure!(first.pending.is_some() && first.handle.is_some(), "{first:?}");
    // Without its token too: it looks, and finds the one that is being made.
    let disk = bench.disk("slow", &request()).await?;
    ensure!(first.handle.as_deref() == Some(disk.handle.as_str()), "{disk:?}");
    ensure!(bench.cloud.volumes().await?.len() == 1);
    Ok(())
}

pub(super) async fn pages_through_many(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    for number in 0..7 {
        let owner = Owner { namespace: "pages".into(), ..owner(&format!("page-{number}")) };
        let intent = owner.intent(1, &Attributes::new());
        bench.driver.create_disk(&bench.call, &intent, &request(), None).await?;
    }
    bench.disk("elsewhere", &request()).await?;
    let tags = [("kompox-ns".to_owned(), "pages".to_owned())].into();
    let query = Query { tags, limit: 3, ..Query::default() };
    let first = bench.driver.find_disks(&bench.call, &query, None).await?;
    ensure!(first.items.len() == 3 && first.next.is_some() && first.unread.is_empty(), "{first:?}");
    match find(bench.driver.as_ref(), &bench.call, &query).await? {
        Sighting::Many(handles) => ensure!(handles.len() == 7, "{handles:?}"),
        other => bail!("{other:?}"),
    }
    Ok(())
}

/// Absence at another service, or without a good token, proves nothing: the account tells them apart.
pub(super) async fn knows_whose_account_it_is(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let account = bench.driver.get_account(&bench.call).await?;
    let other = Cloud::start().await?;
    let elsewhere = Call { config: [("endpoint".to_owned(), other.endpoint())].into(), ..bench.call.clone() };
    let there = bench.driver.get_account(&elsewhere).await?;
    ensure!(account.id.is_some() && account.id != there.id, "{account:?} {there:?}");
    ensure!(account == bench.driver.get_account(&bench.call).await?);
    let credentials = Credentials::new([("token".to_owned(), "another-token-0123".to_owned().into())].into());
    let stranger = Call { credentials, ..bench.call.clone() };
    let query = Query { handles: vec!["vol-019ad7c2f3a1b2c3d4e5".into()], ..Query::default() };
    let found: Result<_, DriverError> = find(bench.driver.as_ref(), &stranger, &query).await;
    ensure!(error(found)?.code == ErrorCode::Unauthenticated);
    ensure!(find(bench.driver.as_ref(), &bench.call, &query).await? == Sighting::Absent);
    Ok(())
}

/// A KompoxDisk of provider type `devcloud`.
fn disk(cloud: &Cloud, name: &str, more: &serde_json::Value) -> String {
    let mut spec = json!({
        "provider": {
            "type": "devcloud", "credentialsSecretRef": { "name": "devcloud" },
            "config": { "endpoint": cloud.endpoint() },
        },
        "zone": "a", "deletionPolicy": "Delete", "trashRetentionSeconds": 0,
    });
    if let (Some(spec), Some(more)) = (spec.as_object_mut(), more.as_object()) {
        spec.extend(more.clone());
    }
    json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxDisk", "metadata": { "name": name },
        "spec": spec,
    })
    .to_string()
}

/// The PersistentVolume of a disk that is ready, which is one of the CSI driver and of the disk's zone.
async fn check_volume(scene: &Scene<'_>, disk: &KompoxDisk, zone: &str) -> Result<String> {
    let status = disk.status.clone().unwrap_or_default();
    let (handle, name) = (status.handle.context("no handle")?, status.pv_name.context("no volume")?);
    let spec = Api::<PersistentVolume>::all(scene.client()).get(&name).await?.spec.context("no spec")?;
    let affinity = serde_json::to_string(&spec.node_affinity)?;
    let csi = spec.csi.context("no CSI volume")?;
    ensure!(csi.driver == "devcloud.csi.kompox.dev" && csi.volume_handle == handle, "{csi:?}");
    ensure!(spec.persistent_volume_reclaim_policy.as_deref() == Some("Retain"));
    ensure!(
        affinity.contains("topology.kubernetes.io/zone") && affinity.contains(&format!("\"{zone}\"")),
        "{affinity}"
    );
    Ok(handle)
}

/// Opens a scene into which the driver comes as a third party's would: from a ConfigMap, with a granted egress.
async fn install<'a>(stage: &'a Stage, name: &str) -> Result<Scene<'a>> {
    let scene = open(stage, name).await?;
    put(&scene, std::fs::read(stage.programs.examples.join("devcloud.wasm"))?).await?;
    let spec = json!({
        "source": { "configMapRef": { "name": "component" } }, "egress": { "mode": "Declared" },
    });
    scene.apply(&driver(&scene, name, &spec)).await?;
    let (installed, _) = says(&scene, name, "Ready", "Ready").await?;
    ensure!(installed.status.unwrap_or_default().provider_types == ["devcloud"]);
    let secret = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "devcloud" }, "stringData": { "token": TOKEN },
    });
    scene.apply(&secret.to_string()).await?;
    Ok(scene)
}

pub(super) async fn comes_in_a_config_map_and_serves_disks(stage: &Stage) -> Result<()> {
    let cloud = Cloud::start().await?;
    let scene = install(stage, "devcloud").await?;
    // The answer to the creation is lost: the operator looks, and there is one disk.
    cloud.client.add_fault(&Fault::once(FaultKind::LostAnswer, "create-volume")).await?;
    scene.apply(&disk(&cloud, "data", &json!({ "size": "64Mi", "options": { "backing": "image" } }))).await?;
    let handle = check_volume(&scene, &scene.disk_ready("data").await?, "a").await?;
    let [volume] = &cloud.volumes().await?[..] else { bail!("not one volume") };
    ensure!(
        volume.id == handle && volume.backing == Backing::Image && volume.size_bytes == 64 << 20,
        "{volume:?}"
    );

    let snapshot = json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxSnapshot", "metadata": { "name": "cut" },
        "spec": { "diskRef": { "name": "data" }, "deletionPolicy": "Delete" },
    });
    scene.apply(&snapshot.to_string()).await?;
    scene.snapshot_ready("cut").await?;
    let restore = json!({ "source": { "snapshotRef": { "name": "cut" } }, "zone": "b" });
    scene.apply(&disk(&cloud, "copy", &restore)).await?;
    check_volume(&scene, &scene.disk_ready("copy").await?, "b").await?;

    scene.delete::<KompoxDisk>("copy").await?;
    scene.delete::<KompoxSnapshot>("cut").await?;
    // A disk that a node still has is not deleted before it lets go.
    cloud.client.attach(&handle, "node-1").await?;
    let disks = scene.api::<KompoxDisk>();
    disks.delete("data", &DeleteParams::default()).await?;
    let message = scene.disk_says("data", "DiskInUse").await?;
    ensure!(message.contains("node-1"), "{message}");
    cloud.client.detach(&handle, "node-1").await?;
    objects::wait_gone(&disks, "data", PATIENCE).await?;
    ensure!(cloud.volumes().await?.is_empty(), "volumes are left");
    ensure!(cloud.client.snapshots(&Filter::default()).await?.items.is_empty(), "snapshots are left");
    Api::<KompoxDriver>::all(scene.client()).delete("devcloud", &DeleteParams::default()).await?;
    for object in objects::everything(&scene.client(), &scene.namespace).await? {
        ensure!(
            object.get("kind").is_some_and(|kind| kind == "Secret") || !object.to_string().contains(TOKEN),
            "the token is in {object}"
        );
    }
    scene.close().await?;
    let log = std::fs::read_to_string(stage.directory().join("operator-devcloud.log"))?;
    ensure!(log.contains("controller") && !log.contains(TOKEN), "the token is in the operator's log");
    cloud.service.stop().await;
    Ok(())
}
