//! Drivers that lie (W25 to W28 of the threat table). What a driver says is never enough to take a disk
//! from somebody, to destroy one, or to make a second one; at worst it harms the tenant that trusts it.

use super::*;
use crate::driver::{DriverError, Effect, ErrorCode, Outcome};

/// W25: it says that the disk of another tenant is the one that was made, owner tags and all.
#[test]
fn another_tenants_handle_is_not_taken() {
    let mut world = World::new(spec());
    world.rival = Some("app2/data".into());
    assert_eq!(reason(world.turn(Asked::No, false)), Reason::AlreadyClaimed);
    let status = world.disk.status.clone().unwrap_or_default();
    assert_eq!((status.handle, world.volume.is_some()), (None, false), "{:?}", world.acts);
    // Not by restarting either.
    assert_eq!(reason(world.survive_kills()), Reason::AlreadyClaimed);
    assert!(world.volume.is_none());
}

/// W25: its answer to `create` names a foreign disk. Only what is found under our name or tags counts.
#[test]
fn a_handle_that_create_names_is_no_proof() {
    let mut world = World::new(spec());
    world.turn(Asked::No, true);
    world.turn(Asked::No, true);
    let foreign = Outcome { handle: Some("vol-of-somebody".into()), ..Outcome::default() };
    let verdict = world.turn(Asked::Yes { at: world.time(), answer: Ok(foreign) }, true);
    assert_eq!(verdict, Some(Verdict::Creating), "{:?}", world.acts);
    assert_eq!(world.disk.status.unwrap().handle, None);
}

/// W25: under the name that we look for it shows a disk with another owner's tags.
#[test]
fn a_foreign_disk_of_our_name_is_left_alone() {
    let mut world = World::new(spec());
    world.turn(Asked::No, true);
    world.turn(Asked::No, true);
    let creation = world.disk.status.clone().unwrap().creation.unwrap();
    let request = crate::driver::DiskRequest { size_bytes: 2 * GIB, ..Default::default() };
    let tags = [("kompox-disk-uid".to_owned(), "somebody".to_owned())].into();
    let intent = crate::driver::Intent { name: creation.name, token: String::new(), tags };
    world.cloud.push(info("vol-of-somebody", &intent, &request));
    world.acts.clear();
    assert_eq!(reason(world.turn(Asked::No, false)), Reason::OwnerMismatch);
    assert_eq!((world.acts.len(), world.cloud.len()), (0, 1), "{:?}", world.acts);
}

/// W25: it makes the disk, and then names a foreign one as what goes into the PersistentVolume.
#[test]
fn a_foreign_volume_of_our_disk_is_not_taken() {
    let mut world = World::new(spec());
    world.says_volume = Some("vol-of-somebody".into());
    let verdict = world.turn(Asked::No, false);
    let Some(Verdict::Problem(problem)) = verdict else { panic!("no problem: {verdict:?}") };
    assert_eq!(problem.reason, Reason::VolumeMismatch);
    assert!(
        problem.message.contains("`vol-of-somebody`") && problem.message.contains("`vol-1`"),
        "{problem:?}"
    );
    assert!(world.volume.is_none(), "{:?}", world.acts);
    assert_eq!(reason(world.survive_kills()), Reason::VolumeMismatch);
    // A driver that tells the truth goes on with the same disk.
    world.says_volume = None;
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Ready));
    assert_eq!(world.cloud.len(), 1, "{:?}", world.acts);
}

/// W25: once it told the truth. What it says later, when the PersistentVolume is made again, must be the same.
#[test]
fn what_a_driver_says_of_a_volume_stays_constant() {
    let mut world = ready();
    world.says_volume = Some("vol-of-somebody".into());
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Ready), "it is not asked while the volume stands");
    world.volume = None;
    assert_eq!(reason(world.turn(Asked::No, false)), Reason::VolumeMismatch);
    assert!(world.volume.is_none(), "{:?}", world.acts);
}

/// Of two PersistentVolumes of one volume, the second is not made: two pods could write at once.
#[test]
fn a_volume_that_another_persistent_volume_stands_for_is_not_taken() {
    let mut world = World::new(spec());
    world.holder = Some("kompox-other".into());
    assert_eq!(reason(world.turn(Asked::No, false)), Reason::AlreadyClaimed);
    assert!(world.volume.is_none(), "{:?}", world.acts);
    world.holder = None;
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Ready));
}

/// W26: it says "deleted" and has not done it: `find` still shows the disk, and the object stays.
#[test]
fn a_deletion_that_did_not_happen_keeps_the_object() {
    let mut world = ready();
    world.disk.spec.deletion_policy = DeletionPolicy::Delete;
    world.disk.spec.trash_retention_seconds = 0;
    let mut world = World { lies: true, ..world.deleted() };
    for _ in 0..8 {
        world.turn(Asked::No, false);
        world.now += 600;
    }
    assert!(world.acts.iter().any(|act| act == "delete:vol-1"), "{:?}", world.acts);
    assert!(!world.gone && world.disk.metadata.finalizers.is_some(), "{:?}", world.acts);
    // Once it is done, the object goes.
    world.lies = false;
    world.turn(Asked::No, false);
    assert!(world.gone, "{:?}", world.acts);
}

/// W26: once it says that the disk is not there. It is not made again, and nobody else's is taken.
#[test]
fn a_disk_that_is_said_to_be_gone_is_never_made_again() {
    let mut world = ready();
    let hidden = std::mem::take(&mut world.cloud);
    world.volume = None;
    assert_eq!(reason(world.turn(Asked::No, false)), Reason::DiskLost);
    world.cloud = hidden;
    assert_eq!(world.turn(Asked::No, false), Some(Verdict::Ready), "and it comes back by itself");
    assert!(!world.acts.iter().any(|act| act.starts_with("create")), "{:?}", world.acts);
}

/// W27: each `create` makes another disk, all with our tags: nothing is chosen, nothing is destroyed.
#[test]
fn duplicates_are_shown_to_a_person() {
    let mut world = World::new(spec());
    world.turn(Asked::No, true);
    world.turn(Asked::No, true);
    world.turn(Asked::No, true);
    assert_eq!(world.cloud.len(), 1, "{:?}", world.acts);
    let twin = DiskInfo { handle: "vol-2".into(), ..world.cloud[0].clone() };
    world.cloud.push(twin);
    assert_eq!(reason(world.turn(Asked::Perhaps { since: world.time() }, false)), Reason::MultipleDisks);
    assert_eq!(world.cloud.len(), 2);
    assert!(!world.acts.iter().any(|act| act.starts_with("delete")), "{:?}", world.acts);
}

/// W28: the driver traps at every call to `create`, before or after it has made the disk. There is one
/// disk in the end.
#[test]
fn a_driver_that_traps_at_any_call_leaves_one_disk() {
    for made_before_the_trap in [false, true] {
        let mut world = World::new(spec());
        world.turn(Asked::No, true);
        world.turn(Asked::No, true);
        world.turn(Asked::No, true);
        assert_eq!(world.cloud.len(), 1);
        if !made_before_the_trap {
            world.cloud.clear();
        }
        let trap = DriverError::new(ErrorCode::Internal, Effect::Unknown, "DriverTrapped", "trapped");
        let answer = Asked::Yes { at: world.time(), answer: Err(trap) };
        let first = world.turn(answer.clone(), false);
        if !made_before_the_trap {
            // What is not seen yet may still appear: no second call before the provider's window is over.
            assert_eq!(first, Some(Verdict::Creating));
            assert!(world.cloud.is_empty());
            world.now += 60;
            assert_eq!(world.turn(answer, false), Some(Verdict::Ready));
        } else {
            assert_eq!(first, Some(Verdict::Ready));
        }
        assert_eq!(world.cloud.len(), 1, "{:?}", world.acts);
    }
}
