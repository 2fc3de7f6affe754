//! Whole lives of a disk, played against a small cloud and cluster held in memory, with the operator
//! killed after every single act.

use super::*;
use crate::{
    cloud::{Problem, creation::Asked, identity},
    driver::{Attachments, Attributes, DiskInfo, DiskSource},
};
use k8s_openapi::{apimachinery::pkg::api::resource::Quantity, jiff::Timestamp};
use kompox_crds::{
    reasons::Reason,
    v1alpha1::{DeletionPolicy, KompoxDiskSpec, LocalRef, disk, driver::Adoption},
};

mod byzantine;
mod world;

use world::*;

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
