//! The hand-over against a small cluster: the steps are carried out on values, and the binder of
//! Kubernetes is played by the rules that were measured on a real one.

use super::*;
use crate::app::validated::{AccessMode, Activity, DiskUse};
use crate::disk::parked_on;
use crate::naming;
use k8s_openapi::api::core::v1::PersistentVolumeStatus;
use kompox_crds::names::finalizers;
use serde_json::json;
use std::collections::BTreeSet;

const DISK_UID: &str = "disk-uid";

fn app(uid: &str) -> AppIdentity {
    AppIdentity { namespace: "n".into(), name: format!("app-{uid}"), uid: uid.into() }
}

fn usage(app: &AppIdentity, services: &[&str]) -> DiskUse {
    DiskUse {
        disk: "data".into(),
        claim: naming::claim("data", &app.uid),
        workloads: services.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>(),
    }
}

/// Disk, volume and one claim, as the API server has them.
struct Cluster {
    seen: ObservedVolume,
    uids: u32,
}

impl Cluster {
    fn new() -> Self {
        let disk = serde_json::from_value(json!({
            "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxDisk",
            "metadata": { "name": "data", "namespace": "n", "uid": DISK_UID, "resourceVersion": "1" },
            "spec": {}, "status": { "lifecycle": "Ready", "pvName": "kompox-disk-uid", "epoch": 6 },
        }))
        .unwrap();
        let mut volume: PersistentVolume = serde_json::from_value(json!({
            "metadata": { "name": "kompox-disk-uid", "uid": "volume-uid", "resourceVersion": "1" },
            "spec": { "accessModes": ["ReadWriteOncePod"], "capacity": { "storage": "1Gi" },
                "storageClassName": "kompox-eks" },
            "status": { "phase": "Released" },
        }))
        .unwrap();
        volume.spec.as_mut().unwrap().claim_ref = Some(parked_on("k4x-system", DISK_UID));
        let seen = ObservedVolume {
            disk: Some(disk),
            volume: Some(volume),
            claim: None,
            users: Some(Users::default()),
        };
        Self { seen, uids: 0 }
    }

    fn execute(&mut self, step: Step) {
        let status = |seen: &mut ObservedVolume| seen.disk.as_mut().unwrap().status.clone().unwrap();
        match step {
            Step::TakeLock(lock) => {
                let mut status = status(&mut self.seen);
                assert!(status.used_by.is_none() && lock.epoch > status.epoch.unwrap(), "the CRD's rules");
                status.epoch = Some(lock.epoch);
                status.used_by = Some(lock);
                self.seen.disk.as_mut().unwrap().status = Some(status);
            }
            Step::ReleaseLock => {
                let mut status = status(&mut self.seen);
                status.used_by = None;
                self.seen.disk.as_mut().unwrap().status = Some(status);
            }
            Step::CreateClaim(mut claim) => {
                assert!(self.seen.claim.is_none());
                self.uids += 1;
                claim.metadata.uid = Some(format!("claim-{}", self.uids));
                self.seen.claim = Some(*claim);
            }
            Step::HandOver(volume) => self.seen.volume = Some(*volume),
            Step::Nudge { key, epoch } => {
                let claim = self.seen.claim.as_mut().unwrap();
                claim.metadata.annotations.get_or_insert_default().insert(key, epoch.to_string());
                claim.status.get_or_insert_default().phase = Some("Bound".into());
            }
            Step::DeleteClaim => {
                let at = serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
                self.seen.claim.as_mut().unwrap().metadata.deletion_timestamp = Some(at);
            }
            Step::FreeClaim => {
                self.seen.claim = None;
                self.set_phase("Released");
            }
        }
        self.binder();
    }

    /// Kubernetes' binder: a volume whose `claimRef` is the claim, uid included, is bound; the claim
    /// follows only when something wakes it. An empty uid would be anybody's.
    fn binder(&mut self) {
        let reference = self.seen.volume.as_ref().unwrap().spec.as_ref().unwrap().claim_ref.clone();
        let uid = reference.expect("a volume is never without claimRef").uid.unwrap_or_default();
        assert!(!uid.is_empty(), "claimRef.uid is never empty");
        if self.seen.claim.as_ref().and_then(|claim| claim.metadata.uid.clone()) == Some(uid) {
            self.set_phase("Bound");
        }
    }

    fn set_phase(&mut self, phase: &str) {
        let status =
            PersistentVolumeStatus { phase: Some(phase.into()), ..PersistentVolumeStatus::default() };
        self.seen.volume.as_mut().unwrap().status = Some(status);
    }

    /// Takes steps until nothing is left to do, and names them.
    fn take(&mut self, app: &AppIdentity, activity: Activity, usage: &DiskUse) -> (Vec<&'static str>, Take) {
        let mut steps = Vec::new();
        for _ in 0..20 {
            match take(app, activity, usage, &self.seen) {
                Take::Do(step) => {
                    steps.push(step.as_str());
                    self.execute(step);
                }
                rest => return (steps, rest),
            }
        }
        panic!("no rest after {steps:?}");
    }

    fn give_back(&mut self, app: &AppIdentity) -> (Vec<&'static str>, GiveBack) {
        let mut steps = Vec::new();
        for _ in 0..20 {
            match give_back(app, &self.seen) {
                GiveBack::Do(step) => {
                    steps.push(step.as_str());
                    self.execute(step);
                }
                rest => return (steps, rest),
            }
        }
        panic!("no rest after {steps:?}");
    }

    fn use_by(&mut self, pods: &[&str], nodes: &[&str]) {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        self.seen.users = Some(Users { pods: list(pods), nodes: list(nodes) });
    }
}

fn reason(take: &Take) -> Reason {
    match take {
        Take::Wait(obstacle) | Take::Refuse(obstacle) => obstacle.reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_disk_goes_from_one_app_to_the_next() {
    let mut cluster = Cluster::new();
    let (first, second) = (app("a"), app("b"));
    let (steps, end) = cluster.take(&first, Activity::Running, &usage(&first, &["db"]));
    assert_eq!(steps, ["TakeLock", "CreateClaim", "HandOver", "Nudge"]);
    assert_eq!(end, Take::Ready { epoch: 7 });
    let claim = cluster.seen.claim.clone().unwrap();
    assert_eq!(claim.metadata.finalizers.unwrap(), [finalizers::CLAIM]);
    assert!(claim.metadata.owner_references.is_none());

    let claim_of_second = ObservedVolume { claim: None, ..cluster.seen.clone() };
    let waits = take(&second, Activity::Running, &usage(&second, &["db"]), &claim_of_second);
    assert_eq!(reason(&waits), Reason::DiskLocked);

    cluster.use_by(&["db-0"], &["node-1"]);
    assert!(matches!(cluster.give_back(&first), (steps, GiveBack::Wait(_)) if steps.is_empty()));
    cluster.use_by(&[], &["node-1"]);
    assert!(matches!(cluster.give_back(&first), (steps, GiveBack::Wait(_)) if steps.is_empty()));
    cluster.use_by(&[], &[]);
    assert_eq!(cluster.give_back(&first), (vec!["DeleteClaim", "FreeClaim", "ReleaseLock"], GiveBack::Done));

    let (steps, end) = cluster.take(&second, Activity::Running, &usage(&second, &["db", "web"]));
    assert_eq!(steps, ["TakeLock", "CreateClaim", "HandOver", "Nudge"]);
    assert_eq!(end, Take::Ready { epoch: 8 });
    let modes = cluster.seen.volume.as_ref().unwrap().spec.as_ref().unwrap().access_modes.clone();
    assert_eq!(modes.unwrap(), [AccessMode::ReadWriteOnce.as_str()]);
}

/// Every step may be the last one before a crash: deciding again from what is there ends the same.
#[test]
fn nothing_is_remembered_between_steps() {
    let app = app("a");
    let usage = usage(&app, &["db"]);
    for crash in 0..5 {
        let mut cluster = Cluster::new();
        for _ in 0..crash {
            if let Take::Do(step) = take(&app, Activity::Running, &usage, &cluster.seen) {
                cluster.execute(step);
            }
        }
        assert_eq!(cluster.take(&app, Activity::Running, &usage).1, Take::Ready { epoch: 7 });
        assert_eq!(cluster.give_back(&app).1, GiveBack::Done);
    }
}

#[test]
fn a_lock_is_taken_only_on_a_disk_that_is_ready_and_stays() {
    let app = app("a");
    let decide = |change: &dyn Fn(&mut KompoxDisk)| {
        let mut cluster = Cluster::new();
        change(cluster.seen.disk.as_mut().unwrap());
        take(&app, Activity::Running, &usage(&app, &["db"]), &cluster.seen)
    };
    let at: k8s_openapi::apimachinery::pkg::apis::meta::v1::Time =
        serde_json::from_value(json!("2026-01-01T00:00:00Z")).unwrap();
    let cases: [&dyn Fn(&mut KompoxDisk); 6] = [
        &|disk| disk.metadata.deletion_timestamp = Some(at.clone()),
        &|disk| disk.spec.paused = true,
        &|disk| disk.status.as_mut().unwrap().lifecycle = Some("Deleting".into()),
        &|disk| disk.status.as_mut().unwrap().lifecycle = Some("FromTheFuture".into()),
        &|disk| disk.status.as_mut().unwrap().pv_name = None,
        &|disk| disk.status = None,
    ];
    for (index, change) in cases.into_iter().enumerate() {
        assert_eq!(reason(&decide(change)), Reason::DiskNotReady, "case {index}");
    }
    assert!(matches!(decide(&|_| ()), Take::Do(Step::TakeLock(_))));
    let gone = ObservedVolume::default();
    assert_eq!(reason(&take(&app, Activity::Running, &usage(&app, &["db"]), &gone)), Reason::DiskNotFound);
}

#[test]
fn a_volume_held_elsewhere_is_left_alone_until_its_claim_is_gone() {
    let app = app("a");
    let usage = usage(&app, &["db"]);
    let mut cluster = Cluster::new();
    let spec = cluster.seen.volume.as_mut().unwrap().spec.as_mut().unwrap();
    let reference = spec.claim_ref.as_mut().unwrap();
    (reference.namespace, reference.name) = (Some("n".into()), Some("kd-data-other".into()));
    reference.uid = Some("other-claim".into());
    cluster.set_phase("Bound");
    let (steps, end) = cluster.take(&app, Activity::Running, &usage);
    assert_eq!((steps, reason(&end)), (vec!["TakeLock", "CreateClaim"], Reason::VolumeConflict));
    cluster.set_phase("Released");
    assert_eq!(cluster.take(&app, Activity::Running, &usage).1, Take::Ready { epoch: 7 });
}

#[test]
fn the_access_mode_changes_only_while_nothing_runs() {
    let app = app("a");
    let mut cluster = Cluster::new();
    cluster.take(&app, Activity::Running, &usage(&app, &["db"]));
    let wider = usage(&app, &["db", "web"]);
    assert!(
        matches!(cluster.take(&app, Activity::Running, &wider), (steps, Take::Refuse(_)) if steps.is_empty())
    );
    cluster.use_by(&["db-0"], &[]);
    assert_eq!(reason(&cluster.take(&app, Activity::Hibernated, &wider).1), Reason::WaitingForRelease);
    cluster.seen.users = None;
    assert_eq!(reason(&cluster.take(&app, Activity::Hibernated, &wider).1), Reason::WaitingForRelease);
    cluster.use_by(&[], &[]);
    let (steps, end) = cluster.take(&app, Activity::Hibernated, &wider);
    assert_eq!(steps, ["DeleteClaim", "FreeClaim", "CreateClaim", "HandOver", "Nudge"]);
    assert_eq!(end, Take::Ready { epoch: 7 });
}

#[test]
fn a_claim_of_somebody_else_or_of_a_former_disk_is_refused() {
    let app = app("a");
    let usage = usage(&app, &["db"]);
    let mut cluster = Cluster::new();
    cluster.take(&app, Activity::Running, &usage);
    cluster.seen.disk.as_mut().unwrap().metadata.uid = Some("made-again".into());
    assert_eq!(reason(&take(&app, Activity::Running, &usage, &cluster.seen)), Reason::SwitchNotSupported);
    cluster.seen.claim.as_mut().unwrap().metadata.labels = None;
    assert_eq!(reason(&take(&app, Activity::Running, &usage, &cluster.seen)), Reason::NameCollision);
    // Nor is it given back.
    cluster.use_by(&[], &[]);
    assert_eq!(cluster.give_back(&app), (vec!["ReleaseLock"], GiveBack::Done));
}
