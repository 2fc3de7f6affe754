//! A small cloud and a cluster with one KompoxDisk, held in memory, whose operator can be killed after every act.

use crate::disk::*;
use crate::{
    cloud::{
        CloudObject as _, Problem, Sighting,
        creation::{Asked, Looks},
        removal::Evidence,
    },
    driver::{
        Account, Attachments, Attributes, ClusterIdentity, CsiSource, DiskInfo, DiskPlan, DiskState,
        TopologyTerm, Volume, VolumeSource,
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
    v1alpha1::{KompoxDisk, KompoxDiskSpec, driver::Adoption},
};
use std::{collections::BTreeSet, time::Duration};

pub(super) const GIB: u64 = 1 << 30;

/// A cluster with one KompoxDisk, and a cloud.
#[derive(Clone)]
pub(super) struct World {
    pub(super) disk: KompoxDisk,
    pub(super) source: Result<Source, Problem>,
    pub(super) around: Surroundings,
    pub(super) rival: Option<String>,
    pub(super) cloud: Vec<DiskInfo>,
    pub(super) volume: Option<PersistentVolume>,
    /// What the driver says the volume is, where it lies.
    pub(super) says_volume: Option<String>,
    pub(super) holder: Option<String>,
    pub(super) adoption: Adoption,
    /// The driver says "deleted" and deletes nothing.
    pub(super) lies: bool,
    pub(super) now: i64,
    pub(super) acts: Vec<String>,
    pub(super) gone: bool,
}

impl World {
    pub(super) fn new(spec: KompoxDiskSpec) -> Self {
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

    pub(super) fn deleted(mut self) -> Self {
        self.disk.metadata.deletion_timestamp = Some(Time(self.time()));
        self
    }

    pub(super) fn time(&self) -> Timestamp {
        Timestamp::from_second(self.now).expect("in range")
    }

    pub(super) fn observe(&self, asked: Asked) -> Observed {
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

    pub(super) fn seen(&self, wanted: impl Fn(&DiskInfo) -> bool) -> Sighting<DiskInfo> {
        Sighting::of(self.cloud.iter().filter(|info| wanted(info)).cloned().collect(), vec![])
    }

    pub(super) fn read(&self, observed: &mut Observed, read: Read) {
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
    pub(super) fn perform(&mut self, act: Act) {
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
    pub(super) fn turn(&mut self, asked: Asked, killed: bool) -> Option<Verdict> {
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
    pub(super) fn survive_kills(&mut self) -> Option<Verdict> {
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

pub(super) fn provider() -> Provider {
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

pub(super) fn plan(request: &crate::driver::DiskRequest) -> DiskPlan {
    DiskPlan {
        size_bytes: request.size_bytes.div_ceil(GIB) * GIB,
        zone: request.zone.clone(),
        options: request.options.clone(),
        ..DiskPlan::default()
    }
}

pub(super) fn describe(request: &crate::driver::VolumeRequest) -> Volume {
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

pub(super) fn info(
    handle: &str,
    intent: &crate::driver::Intent,
    request: &crate::driver::DiskRequest,
) -> DiskInfo {
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

pub(super) fn spec() -> KompoxDiskSpec {
    KompoxDiskSpec {
        size: Some(Quantity("1.5Gi".into())),
        zone: Some("us-west-2a".into()),
        ..KompoxDiskSpec::default()
    }
}

pub(super) fn ready() -> World {
    let mut world = World::new(spec());
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Ready));
    world.acts.clear();
    world
}

pub(super) fn reason(verdict: Option<Verdict>) -> Reason {
    match verdict {
        Some(Verdict::Problem(problem) | Verdict::Lost(problem)) => problem.reason,
        other => panic!("no problem: {other:?}"),
    }
}
