//! The built driver component in the real runtime against the AWS double, which checks signatures and
//! permissions. What the double lacks (tokens, pages, slow states, faults) is added by a proxy of ours.

use anyhow::{Context as _, Result, bail, ensure};
use ipnet::IpNet;
use kompox_core::{
    cloud::{
        Sighting,
        identity::{Kind, Owner},
    },
    driver::{
        Attachments, Attributes, Call, ClusterIdentity, Credentials, DiskChange, DiskInfo, DiskRequest,
        DiskSource, Driver, DriverError, Drivers as _, Effect, ErrorCode, Intent, Outcome, Query,
        SnapshotRequest, SnapshotState, Target,
    },
};
use kompox_driver_runtime::{ComponentCache, EgressGrant, PlainHttp, Registry, Runtime, RuntimeOptions};
use kompox_tests::{
    cloud::{Fault, Proxy},
    stage::Stage,
};
use std::{sync::Arc, time::Duration};

const GIB: u64 = 1 << 30;

/// The loaded driver, a proxy of its own, and the context of its calls.
struct Bench {
    driver: Arc<dyn Driver>,
    proxy: Proxy,
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
            grants: [("eks".to_owned(), grant)].into(),
            ..RuntimeOptions::default()
        };
        let registry = Registry::new();
        let report = registry.load_directory(&Runtime::new(options)?, &stage.programs.drivers).await;
        ensure!(report.refused.is_empty(), "{:?}", report.refused);
        let driver = registry.for_type("eks").context("the driver eks is not loaded")?;
        let proxy = Proxy::start(stage.moto.address()).await?;
        let config = [
            ("region".to_owned(), "us-west-2".to_owned()),
            ("endpoint".to_owned(), proxy.ec2_url()),
            ("stsEndpoint".to_owned(), proxy.sts_url()),
        ];
        let call = Call {
            provider_type: "eks".to_owned(),
            config: config.into(),
            cluster: ClusterIdentity { uid: "cluster-1".into(), ..ClusterIdentity::default() },
            credentials: Credentials::new(
                [
                    ("accessKeyId".to_owned(), stage.key.id.clone().into()),
                    ("secretAccessKey".to_owned(), stage.key.secret.clone()),
                ]
                .into(),
            ),
            subject: "component test".to_owned(),
            timeout: Duration::from_secs(60),
        };
        Ok(Self { driver, proxy, call })
    }

    async fn find(&self, query: &Query) -> Result<Sighting<DiskInfo>, DriverError> {
        find(self.driver.as_ref(), &self.call, query).await
    }

    async fn the_disk(&self, query: &Query) -> Result<DiskInfo> {
        the_disk(self.driver.as_ref(), &self.call, query).await
    }

    /// Makes a disk and waits for its handle.
    async fn disk(&self, name: &str) -> Result<DiskInfo> {
        let intent = owner(name).intent(1, &Attributes::new());
        let _: Outcome = self.driver.create_disk(&self.call, &intent, &request(), None).await?;
        self.the_disk(&Query { name: Some(intent.name), ..Query::default() }).await
    }

    async fn snapshot(&self, disk: &DiskInfo) -> Result<String> {
        let intent = Owner { kind: Kind::Snapshot, ..owner(&disk.handle) }.intent(1, &Attributes::new());
        let request = SnapshotRequest { disk_handle: disk.handle.clone(), options: Attributes::new() };
        self.driver.create_snapshot(&self.call, &intent, &request, None).await?;
        let query = Query { name: Some(intent.name), ..Query::default() };
        let page = self.driver.find_snapshots(&self.call, &query, None).await?;
        let [snapshot] = page.items.as_slice() else { bail!("not one snapshot: {page:?}") };
        ensure!(snapshot.state == SnapshotState::Ready && snapshot.restore_size_bytes == GIB, "{snapshot:?}");
        Ok(snapshot.handle.clone())
    }
}

/// All pages of a query.
pub(super) async fn find(
    driver: &dyn Driver,
    call: &Call,
    query: &Query,
) -> Result<Sighting<DiskInfo>, DriverError> {
    let (mut items, mut unread, mut page) = (vec![], vec![], None);
    loop {
        let answer = driver.find_disks(call, query, page.as_deref()).await?;
        items.extend(answer.items);
        unread.extend(answer.unread);
        page = answer.next;
        if page.is_none() {
            return Ok(Sighting::of(items, unread));
        }
    }
}

/// The one disk that a query finds.
pub(super) async fn the_disk(driver: &dyn Driver, call: &Call, query: &Query) -> Result<DiskInfo> {
    match find(driver, call, query).await? {
        Sighting::One(info) => Ok(info),
        other => bail!("not one disk: {other:?}"),
    }
}

pub(super) fn owner(name: &str) -> Owner {
    Owner {
        kind: Kind::Disk,
        cluster: "cluster-1".into(),
        uid: format!("uid-{name}"),
        namespace: "component".into(),
        name: name.into(),
    }
}

fn request() -> DiskRequest {
    DiskRequest {
        size_bytes: GIB,
        zone: Some("us-west-2a".into()),
        source: DiskSource::Empty,
        options: [("type".to_owned(), "gp3".to_owned())].into(),
    }
}

pub(super) fn target(name: &str, disk: &DiskInfo) -> Target {
    Target { handle: disk.handle.clone(), name: None, tags: owner(name).tags() }
}

/// The refusal.
pub(super) fn error<T: std::fmt::Debug>(answer: Result<T, DriverError>) -> Result<DriverError> {
    answer.err().context("it was not refused")
}

pub(super) async fn makes_a_disk_once_although_the_answer_was_lost(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let intent: Intent = owner("lost").intent(1, &Attributes::new());
    bench.proxy.inject("CreateVolume", Fault::LoseAnswer, 1);
    let lost = error(bench.driver.create_disk(&bench.call, &intent, &request(), None).await)?;
    ensure!(lost.effect == Effect::Unknown, "{lost:?}");
    bench.driver.create_disk(&bench.call, &intent, &request(), None).await?;
    let disk = bench.the_disk(&Query { tags: owner("lost").tags(), ..Query::default() }).await?;
    ensure!(disk.name.as_deref() == Some(intent.name.as_str()), "{disk:?}");
    ensure!(intent.tags.iter().all(|(key, value)| disk.tags.get(key) == Some(value)), "{disk:?}");
    ensure!(
        disk.attachments == Attachments::Detached && disk.zone.as_deref() == Some("us-west-2a"),
        "{disk:?}"
    );

    let refused = owner("refused").intent(1, &Attributes::new());
    bench.proxy.inject("CreateVolume", Fault::Refuse, 1);
    let refusal = error(bench.driver.create_disk(&bench.call, &refused, &request(), None).await)?;
    ensure!(refusal.code == ErrorCode::Unavailable, "{refusal:?}");
    Ok(())
}

pub(super) async fn leaves_a_disk_of_another_owner_alone(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let disk = bench.disk("mine").await?;
    let theirs = target("yours", &disk);
    let refusal = error(bench.driver.delete_disk(&bench.call, &theirs, None).await)?;
    ensure!(refusal.code == ErrorCode::OwnerMismatch && refusal.effect == Effect::None, "{refusal:?}");
    let again = bench.the_disk(&Query { handles: vec![disk.handle.clone()], ..Query::default() }).await?;
    ensure!(again == disk, "{again:?}");
    ensure!(bench.proxy.count("DeleteVolume") == 0, "a delete request was sent");
    Ok(())
}

pub(super) async fn restores_into_another_zone(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let disk = bench.disk("origin").await?;
    let snapshot = bench.snapshot(&disk).await?;
    let intent = owner("restored").intent(1, &Attributes::new());
    let request = DiskRequest {
        size_bytes: 2 * GIB,
        zone: Some("us-west-2b".into()),
        source: DiskSource::Snapshot(snapshot.clone()),
        ..request()
    };
    bench.driver.create_disk(&bench.call, &intent, &request, None).await?;
    let restored = bench.the_disk(&Query { tags: owner("restored").tags(), ..Query::default() }).await?;
    ensure!(restored.zone.as_deref() == Some("us-west-2b") && restored.size_bytes == 2 * GIB, "{restored:?}");
    ensure!(restored.source == Some(DiskSource::Snapshot(snapshot)), "{restored:?}");
    Ok(())
}

pub(super) async fn refuses_to_delete_what_is_attached(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let disk = bench.disk("attached").await?;
    let machine = stage.boto.attach(&disk.handle).await?;
    let seen = bench.the_disk(&Query { handles: vec![disk.handle.clone()], ..Query::default() }).await?;
    let Attachments::Attached(machines) = &seen.attachments else { bail!("{seen:?}") };
    ensure!(machines.iter().any(|id| id.contains(&machine)), "{machines:?}");
    let refusal = error(bench.driver.delete_disk(&bench.call, &target("attached", &disk), None).await)?;
    ensure!(refusal.code == ErrorCode::InUse && refusal.effect == Effect::None, "{refusal:?}");
    Ok(())
}

pub(super) async fn grows_a_disk(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let disk = bench.disk("growing").await?;
    let change = DiskChange { size_bytes: Some(3 * GIB), options: request().options };
    bench.driver.modify_disk(&bench.call, &target("growing", &disk), &change, None).await?;
    let grown = bench.the_disk(&Query { handles: vec![disk.handle], ..Query::default() }).await?;
    ensure!(grown.size_bytes == 3 * GIB, "{grown:?}");
    Ok(())
}

pub(super) async fn waits_when_throttled(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    bench.proxy.inject("CreateVolume", Fault::Throttle, 1);
    let intent = owner("throttled").intent(1, &Attributes::new());
    let refusal = error(bench.driver.create_disk(&bench.call, &intent, &request(), None).await)?;
    ensure!(refusal.code == ErrorCode::Throttled && refusal.effect == Effect::None, "{refusal:?}");
    Ok(())
}

/// A 404 that may be a 403: without the right to look, nothing is proven.
pub(super) async fn takes_a_refusal_for_no_proof_of_absence(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let query = Query { handles: vec!["vol-0123456789abcdef0".into()], ..Query::default() };
    ensure!(bench.find(&query).await? == Sighting::Absent, "with the right to look it is a proof");
    let denied = Fault::Error { status: 403, code: "UnauthorizedOperation".into() };
    bench.proxy.inject("DescribeVolumes", denied, 8);
    match bench.find(&query).await {
        Err(refusal) => ensure!(refusal.code == ErrorCode::PermissionDenied, "{refusal:?}"),
        Ok(sighting) => ensure!(matches!(sighting, Sighting::Unclear(_)), "{sighting:?}"),
    }
    Ok(())
}

pub(super) async fn pages_through_many(stage: &Stage) -> Result<()> {
    let bench = Bench::new(stage).await?;
    let tag = [("kompox-ns".to_owned(), "pages".to_owned())];
    for number in 0..7 {
        let owner = Owner { namespace: "pages".into(), ..owner(&format!("page-{number}")) };
        let intent = owner.intent(1, &Attributes::new());
        bench.driver.create_disk(&bench.call, &intent, &request(), None).await?;
    }
    bench.proxy.page_length(5);
    match bench.find(&Query { tags: tag.into(), ..Query::default() }).await? {
        Sighting::Many(handles) => ensure!(handles.len() == 7, "{handles:?}"),
        other => bail!("{other:?}"),
    }
    ensure!(bench.proxy.count("DescribeVolumes") >= 2, "there was one page only");
    Ok(())
}
