//! Time is paused: it passes only while everybody waits, and exactly as long as they wait for.

use super::*;
use http::Response;
use kompox_core::driver::Endpoint;
use std::{
    future::poll_fn,
    pin::pin,
    task::Poll,
    time::{Duration, SystemTime},
};

const SECOND: Duration = Duration::from_secs(1);
const LONG: Duration = Duration::from_secs(600);

fn quota(rate: Option<u32>, burst: Option<u32>, concurrent: Option<u32>) -> Quota {
    let url = "https://a.example/".to_owned();
    Quota::of(&Endpoint { url, auth: None, rate_per_minute: rate, burst, concurrent })
}

/// Passes, gives back when, in milliseconds from `start`.
async fn passed(gate: &Gate, quota: Quota, start: Instant) -> u128 {
    gate.pass(quota, start + LONG).await.unwrap();
    start.elapsed().as_millis()
}

#[tokio::test(start_paused = true)]
async fn a_burst_passes_at_once_and_the_rest_at_the_declared_rate() {
    let (gate, start) = (Gate::default(), Instant::now());
    let mut times = Vec::new();
    for _ in 0..5 {
        times.push(passed(&gate, quota(Some(60), Some(3), None), start).await);
    }
    assert_eq!(times, [0, 0, 0, 1000, 2000]);
    // Without requests the burst comes back, and never more than that.
    tokio::time::sleep(60 * SECOND).await;
    let start = Instant::now();
    for expected in [0, 0, 0, 1000] {
        assert_eq!(passed(&gate, quota(Some(60), Some(3), None), start).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn without_a_declaration_nobody_waits() {
    let (gate, start) = (Gate::default(), Instant::now());
    for _ in 0..1000 {
        assert_eq!(passed(&gate, Quota::default(), start).await, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_would_come_too_late_is_refused_at_once_and_takes_nobodys_place() {
    let (gate, start) = (Gate::default(), Instant::now());
    let slow = quota(Some(6), None, None);
    assert_eq!(passed(&gate, slow, start).await, 0);
    for _ in 0..3 {
        assert_eq!(gate.pass(slow, start + 9 * SECOND).await.unwrap_err(), Late { after: 10 * SECOND });
        assert_eq!(start.elapsed(), Duration::ZERO);
    }
    assert_eq!(passed(&gate, slow, start).await, 10_000);
}

#[tokio::test(start_paused = true)]
async fn who_came_first_passes_first() {
    let (gate, start) = (Gate::default(), Instant::now());
    let slow = quota(Some(60), None, None);
    let (a, b, c) =
        tokio::join!(passed(&gate, slow, start), passed(&gate, slow, start), passed(&gate, slow, start));
    assert_eq!((a, b, c), (0, 1000, 2000));
}

#[tokio::test(start_paused = true)]
async fn a_closed_account_opens_at_its_time_and_without_a_burst() {
    let (gate, start) = (Gate::default(), Instant::now());
    let fast = quota(Some(60), Some(10), None);
    gate.close(fast, start + 30 * SECOND);
    assert_eq!(gate.pass(fast, start + 29 * SECOND).await.unwrap_err().after, 30 * SECOND);
    assert_eq!(passed(&gate, fast, start).await, 30_000);
    assert_eq!(passed(&gate, fast, start).await, 31_000);
    // The shorter wish does not open it.
    gate.close(Quota::default(), start + 90 * SECOND);
    gate.close(Quota::default(), start + 40 * SECOND);
    assert_eq!(passed(&gate, Quota::default(), start).await, 90_000);
}

#[tokio::test(start_paused = true)]
async fn who_waits_when_it_is_closed_waits_longer_or_is_refused() {
    let (gate, start) = (Gate::default(), Instant::now());
    let slow = quota(Some(6), None, None);
    assert_eq!(passed(&gate, slow, start).await, 0);
    let close = async {
        tokio::time::sleep(SECOND).await;
        gate.close(slow, start + 60 * SECOND);
    };
    let patient = passed(&gate, slow, start);
    let hurried = gate.pass(slow, start + 30 * SECOND);
    let (patient, hurried, ()) = tokio::join!(patient, hurried, close);
    assert_eq!(patient, 60_000);
    assert!(hurried.unwrap_err().after >= 30 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_are_open_than_declared() {
    let (gate, start) = (Gate::default(), Instant::now());
    let two = quota(None, None, Some(2));
    let first = gate.pass(two, start + SECOND).await.unwrap();
    let second = gate.pass(two, start + SECOND).await.unwrap();
    assert_eq!(gate.pass(two, start + SECOND).await.unwrap_err(), Late { after: SECOND });
    assert_eq!(start.elapsed(), SECOND);
    // A driver that declares fewer: what is open ends first.
    let one = quota(None, None, Some(1));
    drop(first);
    let mut third = pin!(gate.pass(one, start + LONG));
    assert!(poll_fn(|cx| Poll::Ready(third.as_mut().poll(cx).is_pending())).await);
    drop(second);
    third.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn accounts_are_apart_and_drivers_are_not() {
    let limiter = Limiter::default();
    let start = Instant::now();
    let slow = quota(Some(6), None, None);
    let account = |who: &str, url: &str| limiter.gate(Account::new(who, url));
    assert_eq!(passed(&account("f1", "https://a.example/"), slow, start).await, 0);
    assert_eq!(passed(&account("f2", "https://a.example/"), slow, start).await, 0);
    assert_eq!(passed(&account("f1", "https://b.example/"), slow, start).await, 0);
    // Another driver, another declaration, the same account.
    let other = quota(Some(60), None, None);
    assert_eq!(passed(&account("f1", "https://a.example/"), other, start).await, 10_000);
}

#[tokio::test(start_paused = true)]
async fn more_accounts_than_are_kept_forget_the_oldest() {
    let limiter = Limiter::default();
    let gates: Vec<_> =
        (0..=ACCOUNTS).map(|number| limiter.gate(Account::new(&number.to_string(), ""))).collect();
    assert_eq!(limiter.0.lock().unwrap().len(), ACCOUNTS);
    assert_eq!(gates.len(), ACCOUNTS + 1);
}

#[test]
fn answers_that_ask_for_patience() {
    // RFC 9110, 5.6.7.
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(784_111_777);
    let cases = [
        (429, None, Some(1)),
        (429, Some("7"), Some(7)),
        (429, Some("soon"), Some(1)),
        (429, Some("Sun, 06 Nov 1994 08:49:47 GMT"), Some(10)),
        (429, Some("Sun, 06 Nov 1994 08:49:27 GMT"), Some(0)),
        (503, Some("90"), Some(90)),
        (503, Some("999999999"), Some(3600)),
        (503, None, None),
        (202, Some("5"), None),
        (400, Some("5"), None),
    ];
    for (status, header, expected) in cases {
        let mut response = Response::builder().status(status);
        if let Some(header) = header {
            response = response.header("retry-after", header);
        }
        let wish = asked_for(&response.body(()).unwrap(), now);
        assert_eq!(wish, expected.map(Duration::from_secs), "{status} {header:?}");
    }
}
