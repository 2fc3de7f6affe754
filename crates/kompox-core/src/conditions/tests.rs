//! What every tool that reads conditions relies on.

use super::*;
use kompox_crds::conditions::{BOUND, PAUSED, UP_TO_DATE};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn progressing() -> Summary {
    Summary::Progressing { reason: Reason::Creating, message: "the disk is being created".into() }
}

fn degraded(outlook: Outlook) -> Summary {
    Summary::Degraded { reason: Reason::QuotaExceeded, message: "10 of 10 disks".into(), outlook }
}

fn summarised(previous: &[Condition], state: &Summary, second: i64, generation: i64) -> Vec<Condition> {
    let mut conditions = Conditions::new(previous, at(second), generation);
    conditions.summary(state);
    conditions.finish()
}

/// How kstatus (sigs.k8s.io/cli-utils) reads an object that has conditions.
fn kstatus(generation: i64, observed: i64, conditions: &[Condition]) -> &'static str {
    let status = |type_| find(conditions, type_).map(|found| found.status.as_str());
    if observed != generation || status(RECONCILING) == Some("True") {
        return "InProgress";
    }
    if status(STALLED) == Some("True") {
        return "Failed";
    }
    if status(READY) == Some("True") { "Current" } else { "InProgress" }
}

#[test]
fn kstatus_reads_each_state_as_it_is_meant() {
    let cases = [
        (Summary::Ready, "Current"),
        (progressing(), "InProgress"),
        (degraded(Outlook::Retrying), "InProgress"),
        (degraded(Outlook::Stalled), "Failed"),
    ];
    for (before, _) in &cases {
        for (state, expected) in &cases {
            let old = summarised(&[], before, 1, 1);
            let conditions = summarised(&old, state, 2, 2);
            assert_eq!(kstatus(2, 2, &conditions), *expected, "{before:?} -> {state:?}");
            assert_eq!(kstatus(3, 2, &conditions), "InProgress", "a newer spec is not yet seen");
        }
    }
}

#[test]
fn the_three_are_always_there_and_the_others_only_while_true() {
    let types = |state: &Summary| -> Vec<String> {
        summarised(&[], state, 1, 1).into_iter().map(|c| format!("{}={}", c.type_, c.status)).collect()
    };
    assert_eq!(types(&Summary::Ready), ["Ready=True", "Progressing=False", "Degraded=False"]);
    assert_eq!(
        types(&progressing()),
        ["Ready=False", "Progressing=True", "Degraded=False", "Reconciling=True"]
    );
    assert_eq!(
        types(&degraded(Outlook::Stalled)),
        ["Ready=False", "Progressing=False", "Degraded=True", "Stalled=True"]
    );
    assert_eq!(
        types(&degraded(Outlook::Retrying)),
        ["Ready=False", "Progressing=True", "Degraded=True", "Reconciling=True"]
    );
    let nothing = Conditions::new(&[], at(1), 1).finish();
    assert!(nothing.iter().all(|c| c.status == "Unknown" && c.reason == "Unknown"), "{nothing:?}");
    assert_eq!(nothing.len(), 3);
}

#[test]
fn the_transition_time_changes_with_the_status_only() {
    let first = summarised(&[], &progressing(), 10, 1);
    let same = summarised(&first, &degraded(Outlook::Retrying), 20, 2);
    let ready = find(&same, READY).unwrap();
    assert_eq!(ready.last_transition_time.0, at(10), "False before and after");
    assert_eq!((ready.reason.as_str(), ready.observed_generation), ("QuotaExceeded", Some(2)));
    assert_eq!(find(&same, DEGRADED).unwrap().last_transition_time.0, at(20));
    let turned = summarised(&same, &Summary::Ready, 30, 2);
    assert_eq!(find(&turned, READY).unwrap().last_transition_time.0, at(30));
}

#[test]
fn the_same_state_again_changes_nothing() {
    for state in [Summary::Ready, progressing(), degraded(Outlook::Stalled)] {
        let first = summarised(&[], &state, 10, 3);
        assert_eq!(summarised(&first, &state, 99, 3), first);
    }
}

#[test]
fn times_have_the_precision_of_the_api() {
    let now = Timestamp::from_millisecond(1_500).unwrap();
    let conditions = Conditions::new(&[], now, 1).finish();
    assert_eq!(conditions[0].last_transition_time.0, at(1));
}

#[test]
fn the_order_is_fixed_and_what_was_not_set_stays() {
    let mut first = Conditions::new(&[], at(1), 1);
    first
        .set(UP_TO_DATE, Status::True, Reason::Ready, "")
        .set(BOUND, Status::False, Reason::WaitingForClaim, "")
        .set(PAUSED, Status::True, Reason::Paused, "")
        .summary(&progressing());
    let first = first.finish();
    let mut second = Conditions::new(&first, at(2), 2);
    second.remove(PAUSED).summary(&Summary::Ready);
    let second = second.finish();
    let types = |conditions: &[Condition]| conditions.iter().map(|c| c.type_.clone()).collect::<Vec<_>>();
    assert_eq!(
        types(&first),
        ["Ready", "Progressing", "Degraded", "Reconciling", "Paused", "Bound", "UpToDate"]
    );
    assert_eq!(types(&second), ["Ready", "Progressing", "Degraded", "Bound", "UpToDate"]);
    assert!(is_true_for(&second, READY, 2) && !is_true_for(&second, UP_TO_DATE, 2), "still of generation 1");
}

#[test]
fn messages_are_bounded_between_characters() {
    let message = |text: String| {
        let mut conditions = Conditions::new(&[], at(1), 1);
        conditions.set(READY, Status::False, Reason::CreateFailed, text);
        find(&conditions.finish(), READY).unwrap().message.clone()
    };
    assert_eq!(message("ä".repeat(MESSAGE_MAX)), "ä".repeat(MESSAGE_MAX));
    let cut = message("ä".repeat(MESSAGE_MAX + 1));
    assert_eq!(cut.chars().count(), MESSAGE_MAX);
    assert!(cut.ends_with("ä…"));
}
