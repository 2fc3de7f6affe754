//! Whole lives of a disk, played against a small cloud and cluster held in memory, with the operator
//! killed after every single act.

use super::*;
use crate::{
    cloud::{
        CloudObject as _, Problem, Sighting,
        creation::{Asked, Looks},
        identity,
        removal::Evidence,
    },
    driver::{
        Account, Attachments, Attributes, ClusterIdentity, CsiSource, DiskInfo, DiskPlan, DiskSource,
        DiskState, TopologyTerm, Volume, VolumeSource,
    },
};
use k8s_openapi::{
    apimachinery::pkg::{
        api::resource::Quantity,
        apis::meta::v1::{ObjectMeta, Time},
    },
    jiff::Timestamp,
};
use kompox_crds::{
    reasons::Reason,
    v1alpha1::{DeletionPolicy, KompoxDisk, KompoxDiskSpec, LocalRef, disk, driver::Adoption},
};
use std::{collections::BTreeSet, time::Duration};

mod byzantine;

const GIB: u64 = 1 << 30;

/// A cluster with one KompoxDisk, and a cloud.
#[derive(Clone)]
struct World {
    disk: KompoxDisk,
    source: Result<Source, Problem>,
    around: Surroundings,
    rival: Option<String>,
    cloud: Vec<DiskInfo>,
    volume: Option<PersistentVolume>,
    /// What the driver says the volume is, where it lies.
    says_volume: Option<String>,
    holder: Option<String>,
    adoption: Adoption,
    /// The driver says "deleted" and deletes nothing.
    lies: bool,
    now: i64,
    acts: Vec<String>,
    gone: bool,
}

impl World {
    fn new(spec: KompoxDiskSpec) -> Self {
        let metadata = ObjectMeta {
            name: Some("data".into()),
            namespace: Some("app1".into()),
            uid: Some("7d3b8f10-aaaa-4bbb-8ccc-9dddeeeeffff".into()),
            generation: Some(1),
            ..ObjectMeta::default()
        };
        Self {
            disk: KompoxDisk { metadata, spec, status: None },
            source: Ok(Source::Empty),
            around: Surroundings::default(),
            rival: None,
            cloud: vec![],
            volume: None,
            says_volume: None,
            holder: None,
            adoption: Adoption::Any,
            lies: false,
            now: 1_800_000_000,
            acts: vec![],
            gone: false,
        }
    }

    fn deleted(mut self) -> Self {
        self.disk.metadata.deletion_timestamp = Some(Time(self.time()));
        self
    }

    fn time(&self) -> Timestamp {
        Timestamp::from_second(self.now).expect("in range")
    }

    fn observe(&self, asked: Asked) -> Observed {
        Observed {
            disk: self.disk.clone(),
            now: self.time(),
            cluster: ClusterIdentity { uid: "cluster-1".into(), ..ClusterIdentity::default() },
            operator_namespace: "k4x-system".into(),
            provider: Ok(Provider { adoption: self.adoption, ..provider() }),
            source: self.source.clone(),
            asked,
            asked_generation: Some(1),
            rival: None,
            tags_refused: None,
            looks: Looks::default(),
            by_handle: None,
            account: None,
            plan: None,
            volume: None,
            holder: None,
            persistent_volume: None,
            attached_to: BTreeSet::new(),
            evidence: Evidence::default(),
            surroundings: None,
        }
    }

    fn seen(&self, wanted: impl Fn(&DiskInfo) -> bool) -> Sighting<DiskInfo> {
        Sighting::of(self.cloud.iter().filter(|info| wanted(info)).cloned().collect(), vec![])
    }

    fn read(&self, observed: &mut Observed, read: Read) {
        let account = || Some(Account { id: Some("123".into()), ..Account::default() });
        let owner = observed.owner();
        match read {
            Read::Account => observed.account = account(),
            Read::EvidenceAccount => observed.evidence.account = account(),
            Read::Plan(request) => observed.plan = Some(plan(&request)),
            Read::ByName(name) => {
                observed.looks.by_name = Some(self.seen(|info| info.name.as_deref() == Some(&name)));
            }
            Read::ByTags => {
                let ours = |info: &DiskInfo| owner.tags().iter().all(|(k, v)| info.tags().get(k) == Some(v));
                observed.looks.by_tags = Some(self.seen(ours));
            }
            Read::Rival(_) => observed.rival = Some(self.rival.clone()),
            Read::ByHandle(handle) => observed.by_handle = Some(self.seen(|info| info.handle == handle)),
            Read::Evidence(handle) => observed.evidence.looks.push(self.seen(|info| info.handle == handle)),
            Read::Volume(request) => {
                let handle = self.says_volume.clone().unwrap_or(request.handle.clone());
                observed.volume = Some(describe(&crate::driver::VolumeRequest { handle, ..request }));
            }
            Read::Holder { driver, handle } => {
                assert_eq!(driver, "ebs.csi.aws.com");
                assert!(self.cloud.iter().any(|info| info.handle == handle), "{handle}");
                observed.holder = Some(self.holder.clone());
            }
            Read::PersistentVolume(_) => observed.persistent_volume = Some(self.volume.clone()),
            Read::Surroundings => observed.surroundings = Some(self.around.clone()),
        }
    }

    /// Performs an act on the cluster and the cloud.
    fn perform(&mut self, act: Act) {
        let word = match act {
            Act::AddFinalizer => {
                self.disk.metadata.finalizers = Some(vec![kompox_crds::names::finalizers::DISK.into()]);
                "finalizer".to_owned()
            }
            Act::RemoveFinalizer(note) => {
                self.gone = true;
                format!("gone:{}", note.reason.as_str())
            }
            Act::WriteStatus(status, _) => {
                let word = match (&status.creation, &status.handle) {
                    (Some(creation), _) => format!("intent-{}", creation.attempt),
                    (None, Some(_)) => format!("handle:{}", status.lifecycle.clone().unwrap_or_default()),
                    (None, None) => "cleared".to_owned(),
                };
                self.disk.status = Some(status);
                word
            }
            Act::CreateVolume(pv) => {
                self.volume = Some(pv);
                "volume".to_owned()
            }
            Act::DeleteVolume { .. } => {
                self.volume = None;
                "no-volume".to_owned()
            }
            Act::CreateDisk { intent, request, .. } => {
                let handle = format!("vol-{}", self.cloud.len() + 1);
                self.cloud.push(info(&handle, &intent, &request));
                format!("create:{handle}")
            }
            Act::DeleteDisk(target) => {
                self.cloud.retain(|info| self.lies || info.handle != target.handle);
                format!("delete:{}", target.handle)
            }
            Act::SetTags(target, change) => {
                for info in self.cloud.iter_mut().filter(|info| info.handle == target.handle) {
                    info.tags.extend(change.set.clone());
                    info.tags.retain(|key, _| !change.remove.contains(key));
                }
                format!("tags:{}", change.set.keys().cloned().collect::<Vec<_>>().join("+"))
            }
        };
        self.acts.push(word);
    }

    /// One turn: until it rests, or until it was killed after its first act.
    fn turn(&mut self, asked: Asked, killed: bool) -> Option<Verdict> {
        let mut observed = self.observe(asked);
        for _ in 0..64 {
            match decide(&observed) {
                Step::Read(read) => self.read(&mut observed, read),
                Step::Act(act) => {
                    let deletes = matches!(*act, Act::DeleteDisk(_));
                    let asks = matches!(*act, Act::CreateDisk { .. });
                    self.perform(*act);
                    if killed || self.gone {
                        return None;
                    }
                    let asked = match asks {
                        true => Asked::Yes { at: self.time(), answer: Ok(crate::driver::Outcome::default()) },
                        false => observed.asked.clone(),
                    };
                    let evidence = Evidence { deleted: deletes, ..observed.evidence.clone() };
                    observed = self.observe(asked);
                    if deletes {
                        observed.evidence = Evidence { looks: vec![], ..evidence };
                    }
                }
                Step::Rest(rest) => {
                    let base = self.disk.status.clone().unwrap_or_default();
                    self.disk.status = Some(status(&observed, &base, &rest.verdict));
                    return Some(rest.verdict);
                }
            }
        }
        panic!("no end: {:?}", self.acts)
    }

    /// Turns with a new process after every act, time passing between them.
    fn survive_kills(&mut self) -> Option<Verdict> {
        for _ in 0..64 {
            let verdict = self.turn(Asked::Perhaps { since: self.time() }, true);
            let settled = matches!(verdict, Some(Verdict::Ready | Verdict::Problem(_)));
            if settled || self.gone {
                return verdict;
            }
            if verdict.is_some() {
                // A wait: a living process sees the time pass.
                let since = self.time();
                self.now += 60;
                if self.turn(Asked::Perhaps { since }, true).is_some() && self.gone {
                    return None;
                }
            }
        }
        panic!("does not settle: {:?}", self.acts)
    }
}

fn provider() -> Provider {
    Provider {
        type_: "eks".into(),
        driver: "eks".into(),
        version: "0.1.0".into(),
        digest: "sha256:00".into(),
        region: Some("us-west-2".into()),
        consistency: Duration::from_secs(10),
        clones: true,
        tags: true,
        fingerprint: "f".into(),
        adoption: Adoption::Any,
    }
}

fn plan(request: &crate::driver::DiskRequest) -> DiskPlan {
    DiskPlan {
        size_bytes: request.size_bytes.div_ceil(GIB) * GIB,
        zone: request.zone.clone(),
        options: request.options.clone(),
        ..DiskPlan::default()
    }
}

fn describe(request: &crate::driver::VolumeRequest) -> Volume {
    Volume {
        source: VolumeSource::Csi(CsiSource {
            driver: "ebs.csi.aws.com".into(),
            volume_handle: request.handle.clone(),
            attributes: Attributes::new(),
        }),
        topology: vec![TopologyTerm {
            key: "topology.kubernetes.io/zone".into(),
            values: request.zone.clone().into_iter().collect(),
        }],
        mount_options: vec![],
        access_modes: vec!["ReadWriteOnce".into(), "ReadWriteOncePod".into()],
    }
}

fn info(handle: &str, intent: &crate::driver::Intent, request: &crate::driver::DiskRequest) -> DiskInfo {
    DiskInfo {
        handle: handle.into(),
        name: Some(intent.name.clone()),
        state: DiskState::Ready,
        size_bytes: request.size_bytes,
        zone: request.zone.clone(),
        source: Some(request.source.clone()),
        attachments: Attachments::Detached,
        tags: intent.tags.clone(),
        created_at: None,
        features: vec![],
        message: None,
        attributes: Attributes::new(),
    }
}

fn spec() -> KompoxDiskSpec {
    KompoxDiskSpec {
        size: Some(Quantity("1.5Gi".into())),
        zone: Some("us-west-2a".into()),
        ..KompoxDiskSpec::default()
    }
}

fn ready() -> World {
    let mut world = World::new(spec());
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Ready));
    world.acts.clear();
    world
}

fn reason(verdict: Option<Verdict>) -> Reason {
    match verdict {
        Some(Verdict::Problem(problem) | Verdict::Lost(problem)) => problem.reason,
        other => panic!("no problem: {other:?}"),
    }
}

#[test]
fn a_disk_is_made_in_five_writes() {
    let mut world = World::new(spec());
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Ready));
    assert_eq!(world.acts, ["finalizer", "intent-1", "create:vol-1", "handle:Creating", "volume"]);
    let status = world.disk.status.expect("written");
    assert_eq!(status.handle.as_deref(), Some("vol-1"));
    assert_eq!(status.capacity, Some(Quantity("2Gi".into())));
    assert_eq!(status.lifecycle.as_deref(), Some("Ready"));
    assert_eq!(status.creation, None);
    let volume = world.volume.and_then(|pv| pv.spec).expect("made");
    let claim = volume.claim_ref.expect("never empty");
    assert_eq!(claim.uid, world.disk.metadata.uid);
    assert_eq!((claim.namespace.as_deref(), claim.name.as_deref()), (Some("k4x-system"), Some("parked")));
    assert_eq!(volume.persistent_volume_reclaim_policy.as_deref(), Some("Retain"));
}

#[test]
fn a_ready_disk_is_left_alone() {
    let mut world = ready();
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Ready));
    assert_eq!(world.acts, [""; 0]);
}

#[test]
fn killed_after_every_act_there_is_one_disk() {
    let mut world = World::new(spec());
    assert_eq!(world.survive_kills(), Some(Verdict::Ready));
    assert_eq!(world.cloud.len(), 1, "{:?}", world.acts);
    assert!(world.volume.is_some());
}

#[test]
fn killed_after_every_act_of_a_deletion_nothing_is_left_and_nothing_is_lost() {
    for acts in 0..6 {
        for policy in [DeletionPolicy::Delete, DeletionPolicy::Orphan] {
            let mut world =
                World::new(KompoxDiskSpec { deletion_policy: policy, trash_retention_seconds: 0, ..spec() });
            for _ in 0..acts {
                world.turn(Asked::Perhaps { since: Timestamp::UNIX_EPOCH }, true);
            }
            let made = world.cloud.len();
            let mut world = world.deleted();
            if world.disk.metadata.finalizers.is_none() {
                continue;
            }
            world.survive_kills();
            assert!(world.gone && world.volume.is_none(), "{acts} {policy:?}: {:?}", world.acts);
            let left = if policy == DeletionPolicy::Delete { 0 } else { made };
            assert_eq!(world.cloud.len(), left, "{acts} {policy:?}: {:?}", world.acts);
        }
    }
}

#[test]
fn orphaning_marks_the_disk_and_lets_it_live() {
    let mut world = ready().deleted();
    world.turn(Asked::No, false);
    assert_eq!(world.acts, ["no-volume", "tags:kompox-orphaned-at", "gone:Orphaned"]);
    assert!(!world.cloud[0].tags.contains_key(identity::TAG_MANAGED));
}

#[test]
fn the_end_of_a_namespace_is_not_consent() {
    for around in [
        Surroundings { namespace_terminating: true, ..Surroundings::default() },
        Surroundings { definition_terminating: true, ..Surroundings::default() },
    ] {
        let mut world = ready();
        world.disk.spec.deletion_policy = DeletionPolicy::Delete;
        world.disk.spec.trash_retention_seconds = 0;
        world.around = around;
        let mut world = world.deleted();
        world.turn(Asked::No, false);
        assert_eq!(world.cloud.len(), 1);
        assert_eq!(world.acts.last().map(String::as_str), Some("gone:Orphaned"));
    }
}

#[test]
fn the_trash_keeps_a_disk_until_its_time_has_come() {
    let mut world = ready();
    world.disk.spec.deletion_policy = DeletionPolicy::Delete;
    let mut world = world.deleted();
    assert!(matches!(world.turn(Asked::No, false), Some(Verdict::Trashed(_))));
    assert_eq!(world.acts, ["handle:Deleting", "no-volume", "handle:Trashed", "tags:kompox-trash-until"]);
    world.now += 604_799;
    assert!(matches!(world.turn(Asked::No, false), Some(Verdict::Trashed(_))));
    assert_eq!(world.cloud.len(), 1);
    world.now += 1;
    world.turn(Asked::No, false);
    assert!(world.gone && world.cloud.is_empty(), "{:?}", world.acts);
}

#[test]
fn nothing_that_is_used_is_deleted() {
    let users: [fn(&mut World); 4] = [
        |world| world.around.claimed_by = Some("app1/kd-data".into()),
        |world| world.around.attached_to = vec!["node-1".into()],
        |world| {
            let mut status = world.disk.status.take().unwrap_or_default();
            status.used_by =
                Some(disk::UsedBy { kind: "KompoxApp".into(), name: "a".into(), ..disk::UsedBy::default() });
            world.disk.status = Some(status);
        },
        |world| world.cloud[0].attachments = Attachments::Attached(vec!["i-1".into()]),
    ];
    for user in users {
        let mut world = ready();
        world.disk.spec.deletion_policy = DeletionPolicy::Delete;
        world.disk.spec.trash_retention_seconds = 0;
        user(&mut world);
        let mut world = world.deleted();
        assert_eq!(reason(world.turn(Asked::No, false)), Reason::DiskInUse);
        assert_eq!(world.cloud.len(), 1);
    }
}

#[test]
fn the_status_names_the_nodes_that_have_the_disk() {
    let world = ready();
    let mut observed = world.observe(Asked::No);
    let base = observed.disk.status.clone().unwrap_or_default();
    observed.persistent_volume = Some(world.volume.clone());
    for (nodes, expected) in [(vec![], "False"), (vec!["node-1", "node-2"], "True")] {
        observed.attached_to = nodes.iter().map(|node| (*node).to_owned()).collect();
        let status = status(&observed, &base, &Verdict::Ready);
        let attached = status.conditions.iter().find(|c| c.type_ == "Attached").expect("Attached");
        assert_eq!(
            (attached.status.as_str(), status.attached_to),
            (expected, nodes.iter().map(|n| (*n).to_owned()).collect())
        );
    }
}

#[test]
fn paused_and_protected_disks_are_not_touched() {
    let mut world = ready();
    world.disk.spec.paused = true;
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Paused));
    let mut world = world.deleted();
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Paused));
    world.disk.spec.paused = false;
    world.disk.metadata.annotations = Some([("kompox.dev/protect".to_owned(), "true".to_owned())].into());
    assert_eq!(reason(world.turn(Asked::No, false)), Reason::Protected);
    assert_eq!(world.acts, [""; 0]);
}

#[test]
fn a_disk_that_vanished_is_lost_and_never_made_again() {
    let mut world = ready();
    world.cloud.clear();
    world.volume = None;
    assert_eq!(reason(world.turn(Asked::No, false)), Reason::DiskLost);
    assert_eq!(world.disk.status.as_ref().and_then(|s| s.lifecycle.as_deref()), Some("Lost"));
    assert_eq!(world.acts, [""; 0]);
}

#[test]
fn a_restore_takes_size_and_file_system_of_its_snapshot() {
    let source = disk::DiskSource { snapshot_ref: Some(LocalRef::to("s")), ..disk::DiskSource::default() };
    let snapshot =
        Source::Snapshot { handle: "snap-1".into(), restore_size: 3 * GIB, fs_type: Some("xfs".into()) };
    let mut world = World::new(KompoxDiskSpec { size: None, source: Some(source), ..spec() });
    world.source = Ok(snapshot.clone());
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Ready));
    assert_eq!(world.cloud[0].source, Some(DiskSource::Snapshot("snap-1".into())));
    assert_eq!(world.cloud[0].size_bytes, 3 * GIB);
    assert_eq!(world.disk.status.and_then(|s| s.fs_type).as_deref(), Some("xfs"));

    let mut small = World::new(spec());
    small.source = Ok(snapshot);
    assert_eq!(reason(small.turn(Asked::No, false)), Reason::SourceTooSmall);
    assert!(small.cloud.is_empty());
}

#[test]
fn a_source_that_is_not_ready_never_gives_an_empty_disk() {
    let mut world = World::new(spec());
    world.source = Err(Problem::stalled(Reason::SourceNotReady, "not yet"));
    assert_eq!(reason(world.turn(Asked::No, false)), Reason::SourceNotReady);
    assert!(world.cloud.is_empty());
}

fn adopting(tags: Attributes) -> World {
    let source = disk::DiskSource { handle: Some("vol-9".into()), ..disk::DiskSource::default() };
    let mut world = World::new(KompoxDiskSpec { size: None, source: Some(source), ..spec() });
    let request = crate::driver::DiskRequest {
        size_bytes: 4 * GIB,
        zone: Some("us-west-2a".into()),
        ..crate::driver::DiskRequest::default()
    };
    let intent = crate::driver::Intent { name: "other".into(), token: String::new(), tags };
    world.source = Ok(Source::Handle("vol-9".into()));
    world.cloud.push(info("vol-9", &intent, &request));
    world
}

#[test]
fn a_free_disk_is_adopted_and_marked_first() {
    let mut world = adopting(Attributes::new());
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Ready));
    assert!(world.acts[1].starts_with("tags:"), "{:?}", world.acts);
    assert_eq!(world.disk.status.and_then(|s| s.capacity), Some(Quantity("4Gi".into())));
}

#[test]
fn a_disk_that_somebody_owns_is_not_adopted() {
    let owned = [("kompox-disk-uid".to_owned(), "somebody".to_owned())];
    assert_eq!(reason(adopting(owned.clone().into()).turn(Asked::No, false)), Reason::AlreadyClaimed);
    let mut rival = adopting(Attributes::new());
    rival.rival = Some("app2/data".into());
    assert_eq!(reason(rival.turn(Asked::No, false)), Reason::AlreadyClaimed);
    let orphaned = owned.into_iter().chain([(identity::TAG_ORPHANED.to_owned(), "1".to_owned())]);
    assert_eq!(adopting(orphaned.collect()).turn(Asked::No, false), Some(Verdict::Ready));
}

#[test]
fn whose_disk_it_may_be_is_up_to_the_administrator() {
    let cluster = World::new(spec()).observe(Asked::No).owner().tags()[identity::TAG_CLUSTER].clone();
    type Tags<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Adoption, Tags<'_>, bool); 8] = [
        (Adoption::Any, &[], true),
        (Adoption::Denied, &[("kompox-adopt", "app1/data")], false),
        (Adoption::Tagged, &[], false),
        (Adoption::Tagged, &[("kompox-adopt", "app1/data")], true),
        (Adoption::Tagged, &[("kompox-adopt", "other/data")], false),
        (Adoption::Tagged, &[("kompox-ns", "app1"), ("kompox-cluster", &cluster)], true),
        (Adoption::Tagged, &[("kompox-ns", "other"), ("kompox-cluster", &cluster)], false),
        (Adoption::Tagged, &[("kompox-ns", "app1"), ("kompox-cluster", "another")], false),
    ];
    for (adoption, tags, allowed) in cases {
        let mut world = adopting(tags.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect());
        world.adoption = adoption;
        let verdict = world.turn(Asked::No, false);
        if allowed {
            assert_eq!(verdict, Some(Verdict::Ready), "{adoption:?} {tags:?}");
        } else {
            assert_eq!(reason(verdict), Reason::AdoptionDenied, "{adoption:?} {tags:?}");
        }
    }
}

#[test]
fn another_zone_than_asked_is_refused() {
    let mut world = adopting(Attributes::new());
    world.disk.spec.zone = Some("us-west-2b".into());
    assert_eq!(reason(world.turn(Asked::No, false)), Reason::ZoneMismatch);
    assert!(world.cloud[0].tags.is_empty());
}
