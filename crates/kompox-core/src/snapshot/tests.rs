//! Whole lives of a snapshot, played against a small cloud held in memory.

use super::*;
use crate::{
    cloud::{
        CloudObject as _, Problem, Sighting,
        creation::{Asked, Looks},
        identity,
        removal::Evidence,
    },
    driver::{Account, Attributes, ClusterIdentity, Outcome, SnapshotInfo, SnapshotState},
};
use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, Time},
    jiff::Timestamp,
};
use kompox_crds::{
    reasons::Reason,
    v1alpha1::{DeletionPolicy, KompoxSnapshot, KompoxSnapshotSpec, LocalRef},
};
use std::time::Duration;

struct World {
    snapshot: KompoxSnapshot,
    disk: Result<SourceDisk, Problem>,
    cloud: Vec<SnapshotInfo>,
    state: SnapshotState,
    collateral: bool,
    acts: Vec<String>,
    gone: bool,
}

impl World {
    fn new(policy: DeletionPolicy) -> Self {
        let spec = KompoxSnapshotSpec {
            disk_ref: Some(LocalRef::to("data")),
            deletion_policy: policy,
            ..serde_json::from_value(serde_json::json!({})).expect("all optional")
        };
        let metadata = ObjectMeta {
            name: Some("cut".into()),
            namespace: Some("app1".into()),
            uid: Some("5e1a0c11-aaaa-4bbb-8ccc-9dddeeeeffff".into()),
            generation: Some(1),
            ..ObjectMeta::default()
        };
        Self {
            snapshot: KompoxSnapshot { metadata, spec, status: None },
            disk: Ok(SourceDisk {
                name: "data".into(),
                uid: "d".into(),
                handle: "vol-1".into(),
                account_id: Some("123".into()),
                fs_type: Some("ext4".into()),
                zone: Some("a".into()),
            }),
            cloud: vec![],
            state: SnapshotState::Ready,
            collateral: false,
            acts: vec![],
            gone: false,
        }
    }

    fn deleted(mut self) -> Self {
        self.snapshot.metadata.deletion_timestamp = Some(Time(now()));
        self.acts.clear();
        self
    }

    fn observe(&self, asked: Asked) -> Observed {
        Observed {
            snapshot: self.snapshot.clone(),
            now: now(),
            cluster: ClusterIdentity { uid: "cluster-1".into(), ..ClusterIdentity::default() },
            provider: Ok(provider()),
            disk: self.disk.clone(),
            asked,
            asked_generation: Some(1),
            looks: Looks::default(),
            by_handle: None,
            account: None,
            tags_refused: None,
            evidence: Evidence::default(),
            deletion_is_collateral: None,
        }
    }

    fn seen(&self, wanted: impl Fn(&SnapshotInfo) -> bool) -> Sighting<SnapshotInfo> {
        let found = self.cloud.iter().filter(|info| wanted(info)).cloned();
        Sighting::of(found.map(|info| SnapshotInfo { state: self.state, ..info }).collect(), vec![])
    }

    fn read(&self, observed: &mut Observed, read: Read) {
        let account = || Some(Account { id: Some("123".into()), ..Account::default() });
        let owner = observed.owner();
        match read {
            Read::Account => observed.account = account(),
            Read::EvidenceAccount => observed.evidence.account = account(),
            Read::ByName(name) => {
                observed.looks.by_name = Some(self.seen(|info| info.name.as_deref() == Some(&name)));
            }
            Read::ByTags => {
                let ours =
                    |info: &SnapshotInfo| owner.tags().iter().all(|(k, v)| info.tags().get(k) == Some(v));
                observed.looks.by_tags = Some(self.seen(ours));
            }
            Read::ByHandle(handle) => observed.by_handle = Some(self.seen(|info| info.handle == handle)),
            Read::Evidence(handle) => observed.evidence.looks.push(self.seen(|info| info.handle == handle)),
            Read::Surroundings => observed.deletion_is_collateral = Some(self.collateral),
        }
    }

    fn perform(&mut self, act: Act) {
        let word = match act {
            Act::AddFinalizer => {
                self.snapshot.metadata.finalizers =
                    Some(vec![kompox_crds::names::finalizers::SNAPSHOT.into()]);
                "finalizer".to_owned()
            }
            Act::RemoveFinalizer(note) => {
                self.gone = true;
                format!("gone:{}", note.reason.as_str())
            }
            Act::WriteStatus(status, _) => {
                let word =
                    status.creation.as_ref().map_or("handle".to_owned(), |c| format!("intent-{}", c.attempt));
                self.snapshot.status = Some(status);
                word
            }
            Act::CreateSnapshot { intent, .. } => {
                self.cloud.push(info(&intent));
                "create".to_owned()
            }
            Act::DeleteSnapshot(target) => {
                self.cloud.retain(|info| info.handle != target.handle);
                "delete".to_owned()
            }
            Act::SetTags(_, change) => {
                self.cloud.iter_mut().for_each(|info| info.tags.extend(change.set.clone()));
                "tags".to_owned()
            }
        };
        self.acts.push(word);
    }

    fn turn(&mut self, asked: Asked) -> Option<Verdict> {
        let mut observed = self.observe(asked);
        for _ in 0..64 {
            match decide(&observed) {
                Step::Read(read) => self.read(&mut observed, read),
                Step::Act(act) => {
                    let deleted = matches!(*act, Act::DeleteSnapshot(_));
                    let asked = match *act {
                        Act::CreateSnapshot { .. } => {
                            Asked::Yes { at: now(), answer: Ok(Outcome::default()) }
                        }
                        _ => observed.asked.clone(),
                    };
                    self.perform(*act);
                    if self.gone {
                        return None;
                    }
                    let account = observed.evidence.account.take();
                    observed = self.observe(asked);
                    observed.evidence = Evidence { account, looks: vec![], deleted };
                }
                Step::Rest(rest) => {
                    let base = self.snapshot.status.clone().unwrap_or_default();
                    self.snapshot.status = Some(status(&observed, &base, &rest.verdict));
                    return Some(rest.verdict);
                }
            }
        }
        panic!("no end: {:?}", self.acts)
    }
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).expect("in range")
}

fn provider() -> Provider {
    Provider {
        common: crate::disk::Provider {
            type_: "eks".into(),
            driver: "eks".into(),
            version: "0.1.0".into(),
            digest: "sha256:00".into(),
            region: None,
            consistency: Duration::from_secs(10),
            clones: true,
            tags: true,
            fingerprint: "f".into(),
            adoption: kompox_crds::v1alpha1::driver::Adoption::Any,
        },
        supported: true,
    }
}

fn info(intent: &crate::driver::Intent) -> SnapshotInfo {
    SnapshotInfo {
        handle: "snap-1".into(),
        name: Some(intent.name.clone()),
        state: SnapshotState::Ready,
        disk_handle: Some("vol-1".into()),
        restore_size_bytes: 1 << 30,
        location: None,
        zones: vec![],
        taken_at: Some("2026-01-02T03:04:05Z".into()),
        expires_at: None,
        csi: None,
        tags: intent.tags.clone(),
        message: None,
        attributes: Attributes::new(),
    }
}

#[test]
fn a_snapshot_is_taken_once_and_then_left_alone() {
    let mut world = World::new(DeletionPolicy::Orphan);
    assert_eq!(world.turn(Asked::No), Some(Verdict::Ready));
    assert_eq!(world.acts, ["finalizer", "intent-1", "create", "handle"]);
    world.acts.clear();
    assert_eq!(world.turn(Asked::No), Some(Verdict::Ready));
    assert_eq!(world.acts, [""; 0]);
    let status = world.snapshot.status.expect("written");
    assert_eq!(status.restore_size.map(|size| size.0).as_deref(), Some("1Gi"));
    assert_eq!(status.method.as_deref(), Some("Provider"));
    assert!(status.taken_at.is_some());
}

#[test]
fn the_cut_is_told_before_the_snapshot_can_be_used() {
    let mut world = World::new(DeletionPolicy::Orphan);
    world.state = SnapshotState::Uploading;
    assert_eq!(world.turn(Asked::No), Some(Verdict::Uploading));
    let status = world.snapshot.status.clone().expect("written");
    let of = |type_: &str| status.conditions.iter().find(|c| c.type_ == type_).map(|c| c.status.clone());
    assert_eq!((of("Taken").as_deref(), of("Ready").as_deref()), (Some("True"), Some("False")));
    world.state = SnapshotState::Ready;
    assert_eq!(world.turn(Asked::No), Some(Verdict::Ready));
}

#[test]
fn a_disk_of_another_account_or_none_is_refused() {
    let mut world = World::new(DeletionPolicy::Orphan);
    if let Ok(disk) = &mut world.disk {
        disk.account_id = Some("456".into());
    }
    let Some(Verdict::Problem(problem)) = world.turn(Asked::No) else { panic!("accepted") };
    assert_eq!(problem.reason, Reason::AccountChanged);
    world.disk = Err(Problem::stalled(Reason::DiskNotFound, "no disk"));
    let Some(Verdict::Problem(problem)) = world.turn(Asked::No) else { panic!("accepted") };
    assert_eq!(problem.reason, Reason::DiskNotFound);
    assert!(world.cloud.is_empty());
}

#[test]
fn policies_decide_what_is_left() {
    for (policy, collateral, left, acts) in [
        (DeletionPolicy::Delete, false, 0, ["delete", "gone:Deleted"]),
        (DeletionPolicy::Orphan, false, 1, ["tags", "gone:Orphaned"]),
        (DeletionPolicy::Delete, true, 1, ["tags", "gone:Orphaned"]),
    ] {
        let mut world = World::new(policy);
        world.turn(Asked::No);
        let mut world = World { collateral, ..world.deleted() };
        world.turn(Asked::No);
        assert!(world.gone, "{policy:?}: {:?}", world.acts);
        assert_eq!((world.cloud.len(), world.acts.as_slice()), (left, acts.map(str::to_owned).as_slice()));
        assert!(left == 0 || world.cloud[0].tags.contains_key(identity::TAG_ORPHANED));
    }
}
