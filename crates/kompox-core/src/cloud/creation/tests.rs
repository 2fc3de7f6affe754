//! The protocol in a small world: a cloud whose lists lag, answers that get lost, an operator that is
//! killed. Every sequence of such events up to a bound is played, not a sample of them.

use super::*;
use crate::{
    cloud::identity::Kind,
    driver::{Attachments, Attributes, DiskInfo, DiskSource, DiskState, ErrorCode},
};

const CONSISTENCY: Duration = Duration::from_secs(10);

fn owner() -> Owner {
    Owner { kind: Kind::Disk, cluster: "c".into(), uid: "u".into(), namespace: "n".into(), name: "d".into() }
}

fn disk(state: DiskState, name: &str, tags: Attributes) -> DiskInfo {
    DiskInfo {
        handle: "vol-1".into(),
        name: Some(name.into()),
        state,
        size_bytes: 1 << 30,
        zone: None,
        source: Some(DiskSource::Empty),
        attachments: Attachments::Detached,
        tags,
        created_at: None,
        features: vec![],
        message: None,
        attributes: Attributes::new(),
    }
}

fn looks(by_name: Sighting<DiskInfo>, by_tags: Option<Sighting<DiskInfo>>) -> Looks<DiskInfo> {
    Looks { by_name: Some(by_name), by_tags }
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("in range")
}

fn answered(error: DriverError) -> Asked {
    Asked::Yes { at: at(0), answer: Err(error) }
}

fn decide(asked: &Asked, looks: &Looks<DiskInfo>, now: i64) -> Next<DiskInfo> {
    next(&owner(), "k4x-1", asked, looks, at(now), CONSISTENCY)
}

#[test]
fn it_looks_by_name_and_by_tags_before_it_asks() {
    assert_eq!(decide(&Asked::No, &Looks::default(), 0), Next::LookByName);
    assert_eq!(decide(&Asked::No, &looks(Sighting::Absent, None), 0), Next::LookByTags);
    let nothing = looks(Sighting::Absent, Some(Sighting::Absent));
    assert_eq!(decide(&Asked::No, &nothing, 0), Next::Create { resume: None });
}

#[test]
fn what_cannot_be_read_stops_it() {
    for looks in [
        looks(Sighting::Unclear(vec!["zone b".into()]), None),
        looks(Sighting::Absent, Some(Sighting::Unclear(vec!["zone b".into()]))),
        looks(Sighting::Many(vec!["a".into(), "b".into()]), None),
    ] {
        assert!(matches!(decide(&Asked::No, &looks, 0), Next::Blocked(_)), "{looks:?}");
    }
}

#[test]
fn a_predecessor_may_have_asked() {
    let nothing = looks(Sighting::Absent, Some(Sighting::Absent));
    let perhaps = Asked::Perhaps { since: at(0) };
    assert_eq!(decide(&perhaps, &nothing, 4), Next::Wait(Duration::from_secs(6)));
    assert_eq!(decide(&perhaps, &nothing, 10), Next::Create { resume: None });
}

#[test]
fn the_effect_of_an_error_decides() {
    let nothing = looks(Sighting::Absent, Some(Sighting::Absent));
    let error = |code, effect| answered(DriverError::new(code, effect, "Code", "text"));
    let unknown = error(ErrorCode::Unavailable, Effect::Unknown);
    assert_eq!(decide(&unknown, &nothing, 1), Next::Wait(Duration::from_secs(9)));
    assert_eq!(decide(&unknown, &nothing, 11), Next::Create { resume: None });
    let throttled = error(ErrorCode::Throttled, Effect::None);
    assert_eq!(decide(&throttled, &nothing, 1), Next::Create { resume: None });
    let invalid = error(ErrorCode::InvalidArgument, Effect::None);
    assert!(matches!(decide(&invalid, &nothing, 1), Next::Refused(_)));
    let spent = error(ErrorCode::Internal, Effect::Spent);
    assert!(matches!(decide(&spent, &nothing, 1), Next::Spent(_)));
}

#[test]
fn an_object_is_judged_by_its_tags_and_its_state() {
    let ours = owner().tags();
    let see =
        |state, name: &str, tags: &Attributes| looks(Sighting::One(disk(state, name, tags.clone())), None);
    let next = |looks: &Looks<DiskInfo>| decide(&Asked::No, looks, 0);
    assert!(matches!(next(&see(DiskState::Ready, "k4x-1", &ours)), Next::Confirmed(_)));
    assert!(matches!(next(&see(DiskState::Hydrating, "k4x-1", &ours)), Next::Confirmed(_)));
    assert_eq!(next(&see(DiskState::Creating, "k4x-1", &ours)), Next::Wait(POLL));
    assert!(matches!(next(&see(DiskState::Failed, "k4x-1", &ours)), Next::Spent(_)));
    assert!(matches!(next(&see(DiskState::Failed, "k4x-0", &ours)), Next::RemoveRemains(_)));
    assert!(matches!(next(&see(DiskState::Unavailable, "k4x-1", &ours)), Next::Blocked(_)));
    let mut theirs = ours.clone();
    theirs.insert("kompox-disk-uid".into(), "other".into());
    assert!(matches!(next(&see(DiskState::Ready, "k4x-1", &theirs)), Next::Blocked(_)));
    assert_eq!(next(&see(DiskState::Ready, "k4x-1", &Attributes::new())), Next::Create { resume: None });
}

/// A disk in the small world: made at `made`, in lists from `visible`.
#[derive(Clone, Debug)]
struct Made {
    attempt: i32,
    visible: i64,
    broken: bool,
}

/// What the world does to one turn.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// The call is accepted and answered; the disk shows at once.
    Fine,
    /// Accepted and answered, but lists lag.
    Lags,
    /// Accepted, the answer is lost, lists lag.
    AnswerLost,
    /// Never sent.
    NotSent,
    /// Accepted, and the operator is killed before it hears.
    KilledAfterCall,
    /// Killed just before the call.
    KilledBeforeCall,
    /// Accepted, then failed for good.
    Breaks,
}

const FATES: [Fate; 7] = [
    Fate::Fine,
    Fate::Lags,
    Fate::AnswerLost,
    Fate::NotSent,
    Fate::KilledAfterCall,
    Fate::KilledBeforeCall,
    Fate::Breaks,
];

#[derive(Clone, Debug)]
struct World {
    now: i64,
    attempt: i32,
    asked: Asked,
    disks: Vec<Made>,
    confirmed: bool,
}

impl World {
    fn new() -> Self {
        Self { now: 0, attempt: 1, asked: Asked::No, disks: vec![], confirmed: false }
    }

    fn see(&self, wanted: impl Fn(&Made) -> bool) -> Sighting<DiskInfo> {
        let seen = self.disks.iter().filter(|d| d.visible <= self.now && wanted(d));
        let infos = seen.map(|d| {
            let state = if d.broken { DiskState::Failed } else { DiskState::Ready };
            disk(state, &format!("k4x-{}", d.attempt), owner().tags())
        });
        Sighting::of(infos.collect(), vec![])
    }

    /// One turn of the operator; the fate applies if it makes the call.
    fn turn(&mut self, fate: Fate) {
        self.now += 1;
        let mut looks = Looks::default();
        for _ in 0..4 {
            let name = format!("k4x-{}", self.attempt);
            match next(&owner(), &name, &self.asked, &looks, at(self.now), CONSISTENCY) {
                Next::LookByName => looks.by_name = Some(self.see(|d| d.attempt == self.attempt)),
                Next::LookByTags => looks.by_tags = Some(self.see(|_| true)),
                Next::Create { .. } => return self.call(fate),
                Next::Confirmed(_) => return self.confirmed = true,
                Next::RemoveRemains(info) => {
                    return self.disks.retain(|d| Some(format!("k4x-{}", d.attempt)) != info.name);
                }
                Next::Spent(_) => {
                    self.attempt += 1;
                    return self.asked = Asked::No;
                }
                Next::Wait(pause) => return self.now += i64::try_from(pause.as_secs()).expect("short"),
                other => panic!("{other:?} in {self:?}"),
            }
        }
    }

    fn call(&mut self, fate: Fate) {
        let lag = CONSISTENCY.as_secs().cast_signed() - 1;
        let made = |visible, broken| Made { attempt: self.attempt, visible, broken };
        let error = |effect| DriverError::new(ErrorCode::Unavailable, effect, "Code", "text");
        let (disk, answer) = match fate {
            Fate::Fine => (Some(made(self.now, false)), Some(Ok(Outcome::default()))),
            Fate::Lags => (Some(made(self.now + lag, false)), Some(Ok(Outcome::default()))),
            Fate::AnswerLost => (Some(made(self.now + lag, false)), Some(Err(error(Effect::Unknown)))),
            Fate::NotSent => (None, Some(Err(error(Effect::None)))),
            Fate::KilledAfterCall => (Some(made(self.now + lag, false)), None),
            Fate::KilledBeforeCall => (None, None),
            Fate::Breaks => (Some(made(self.now, true)), Some(Ok(Outcome::default()))),
        };
        self.disks.extend(disk);
        self.asked = match answer {
            Some(answer) => Asked::Yes { at: at(self.now), answer },
            None => Asked::Perhaps { since: at(self.now) },
        };
    }
}

fn explore(world: &World, depth: u32, played: &mut u32) {
    let usable = world.disks.iter().filter(|d| !d.broken).count();
    assert!(usable <= 1, "two disks: {world:?}");
    *played += 1;
    if depth == 0 || world.confirmed {
        return converges(world.clone());
    }
    for fate in FATES {
        let mut next = world.clone();
        next.turn(fate);
        explore(&next, depth - 1, played);
    }
}

/// When nothing more goes wrong, exactly one usable disk is there in the end, and no remains.
fn converges(mut world: World) {
    for _ in 0..12 {
        if world.confirmed {
            break;
        }
        world.turn(Fate::Fine);
    }
    assert!(world.confirmed, "{world:?}");
    assert_eq!(world.disks.iter().filter(|d| !d.broken).count(), 1, "{world:?}");
}

#[test]
fn whatever_happens_there_is_one_disk_and_never_two() {
    let mut played = 0;
    explore(&World::new(), 6, &mut played);
    assert!(played > 10_000, "only {played} states");
}
