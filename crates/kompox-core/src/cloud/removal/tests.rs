//! What must hold before anything is destroyed, one condition at a time.

use super::*;
use crate::{
    cloud::identity::Kind,
    driver::{Attributes, DiskInfo, DiskState},
};

fn owner() -> Owner {
    Owner { kind: Kind::Disk, cluster: "c".into(), uid: "u".into(), namespace: "n".into(), name: "d".into() }
}

fn disk() -> DiskInfo {
    DiskInfo {
        handle: "vol-1".into(),
        name: Some("k4x-1".into()),
        state: DiskState::Ready,
        size_bytes: 1 << 30,
        zone: None,
        source: None,
        attachments: Attachments::Detached,
        tags: owner().tags(),
        created_at: None,
        features: vec![],
        message: None,
        attributes: Attributes::new(),
    }
}

fn recorded() -> Recorded<'static> {
    Recorded { handle: "vol-1", account_id: Some("123"), fingerprint: Some("f"), fingerprint_now: "g" }
}

fn evidence(looks: Vec<Sighting<DiskInfo>>) -> Evidence<DiskInfo> {
    Evidence {
        account: Some(Account { id: Some("123".into()), ..Account::default() }),
        looks,
        deleted: false,
    }
}

fn decide(recorded: &Recorded<'_>, evidence: &Evidence<DiskInfo>) -> Next {
    next(&owner(), recorded, evidence, |info| info.attachments.clone())
}

fn reason(next: Next) -> Reason {
    match next {
        Next::Blocked(problem) => problem.reason,
        other => panic!("not blocked: {other:?}"),
    }
}

#[test]
fn the_account_is_asked_first_and_must_be_the_recorded_one() {
    assert_eq!(decide(&recorded(), &Evidence::default()), Next::AskAccount);
    let mut other = evidence(vec![]);
    other.account = Some(Account { id: Some("456".into()), ..Account::default() });
    assert_eq!(reason(decide(&recorded(), &other)), Reason::AccountChanged);
    other.account = Some(Account::default());
    assert_eq!(reason(decide(&recorded(), &other)), Reason::AccountChanged);
}

#[test]
fn without_account_ids_the_credentials_must_be_those_of_the_creation() {
    let nameless = Recorded { account_id: None, ..recorded() };
    assert_eq!(reason(decide(&nameless, &evidence(vec![]))), Reason::AccountChanged);
    let same = Recorded { fingerprint_now: "f", ..nameless };
    assert_eq!(decide(&same, &evidence(vec![])), Next::Look);
}

#[test]
fn two_looks_must_agree_before_the_call() {
    let free = || Sighting::One(disk());
    assert_eq!(decide(&recorded(), &evidence(vec![free()])), Next::Look);
    let Next::Delete(target) = decide(&recorded(), &evidence(vec![free(), free()])) else {
        panic!("two good looks must do");
    };
    assert_eq!(target.tags, owner().tags());
}

#[test]
fn a_use_seen_by_either_look_stops_it() {
    let attached =
        || Sighting::One(DiskInfo { attachments: Attachments::Attached(vec!["i-1".into()]), ..disk() });
    let untold = || Sighting::One(DiskInfo { attachments: Attachments::Unknown, ..disk() });
    for last in [attached(), untold()] {
        assert_eq!(reason(decide(&recorded(), &evidence(vec![last.clone()]))), Reason::DiskInUse);
        assert_eq!(
            reason(decide(&recorded(), &evidence(vec![Sighting::One(disk()), last]))),
            Reason::DiskInUse
        );
    }
}

#[test]
fn a_disk_without_our_tags_is_left_alone() {
    let foreign = Sighting::One(DiskInfo { tags: Attributes::new(), ..disk() });
    assert_eq!(reason(decide(&recorded(), &evidence(vec![foreign]))), Reason::OwnerMismatch);
}

#[test]
fn gone_only_when_proven_twice() {
    let unclear = Sighting::Unclear(vec!["403 or 404".into()]);
    assert_eq!(reason(decide(&recorded(), &evidence(vec![unclear.clone()]))), Reason::ProviderUnavailable);
    assert_eq!(decide(&recorded(), &evidence(vec![Sighting::Absent])), Next::Look);
    assert_eq!(
        reason(decide(&recorded(), &evidence(vec![Sighting::Absent, unclear]))),
        Reason::ProviderUnavailable
    );
    assert_eq!(decide(&recorded(), &evidence(vec![Sighting::Absent, Sighting::Absent])), Next::Gone);
}

#[test]
fn after_the_call_it_looks_again_and_never_calls_twice_in_a_turn() {
    let after = |looks| Evidence { deleted: true, ..evidence(looks) };
    assert_eq!(decide(&recorded(), &after(vec![])), Next::Look);
    assert_eq!(decide(&recorded(), &after(vec![Sighting::One(disk())])), Next::Look);
    let still = vec![Sighting::One(disk()), Sighting::One(disk())];
    assert_eq!(decide(&recorded(), &after(still)), Next::Wait(POLL));
    assert_eq!(decide(&recorded(), &after(vec![Sighting::Absent, Sighting::Absent])), Next::Gone);
}
