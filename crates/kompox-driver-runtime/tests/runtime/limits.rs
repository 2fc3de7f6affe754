//! Limits that drivers declare for their endpoints, kept by the host for each account. How long is waited
//! is tested beside the limiter, where time can be paused; here are real requests.

use crate::support::{Server, call, driver, guest, intent, load, local_grant, options, patched, request};
use kompox_core::driver::{Call, Credentials, Driver as _, DriverError, Effect, ErrorCode};
use kompox_driver_runtime::{Limits, LoadedDriver, Runtime, RuntimeOptions};
use std::{sync::Arc, time::Duration};

/// With the credentials of this account.
fn of(account: &str, mut call: Call) -> Call {
    call.credentials = Credentials::new([("secretAccessKey".to_owned(), account.into())].into());
    call
}

/// Two drivers in one operator.
async fn drivers() -> (Arc<LoadedDriver>, Arc<LoadedDriver>) {
    let runtime = Runtime::new(options(local_grant())).unwrap();
    let other = patched(guest("behaviours"), "\"name\": \"behaviours\"", "\"name\": \"behaviourz\"");
    let first = runtime.load(guest("behaviours")).await.unwrap();
    (first, runtime.load(other).await.unwrap().granted(local_grant()))
}

fn assert_late(error: &DriverError, least: u64, most: u64) {
    assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Throttled, "RateLimited"), "{error:?}");
    let after = error.retry_after.unwrap();
    assert!((Duration::from_secs(least)..=Duration::from_secs(most)).contains(&after), "{after:?}");
}

/// Two at once and one a minute are declared; the call has half a minute.
#[tokio::test]
async fn what_a_driver_declares_holds_for_the_account_whoever_asks() {
    let server = Server::start().await;
    let (driver, other) = drivers().await;
    let many = |account: &str| of(account, server.call("paced", "many", "/"));
    let error = driver.get_account(&many("one")).await.unwrap_err();
    assert_late(&error, 55, 60);
    assert!(error.message.contains("`{config.endpoint}`"), "{error}");
    assert_eq!((server.seen().len(), error.effect), (2, Effect::None));
    // Another driver with the same credentials: nothing is sent, so nothing can have happened.
    let error = other.create_disk(&many("one"), &intent(), &request(), None).await.unwrap_err();
    assert_late(&error, 55, 60);
    assert_eq!((server.seen().len(), error.effect), (2, Effect::None));
    // Another account has limits of its own. What was sent before counts as the driver says.
    let error = driver.create_disk(&many("two"), &intent(), &request(), None).await.unwrap_err();
    assert_late(&error, 55, 60);
    assert_eq!((server.seen().len(), error.effect), (4, Effect::Spent));
}

#[tokio::test]
async fn an_answer_that_asks_for_patience_closes_the_account() {
    let server = Server::start().await;
    let (driver, other) = drivers().await;
    let post = |account: &str, path: &str| of(account, server.call("open", "post", path));
    let answer = driver.get_account(&post("one", "/throttled")).await.unwrap();
    assert_eq!(answer.id.as_deref(), Some("429 slow down"));
    for driver in [&driver, &other] {
        assert_late(&driver.get_account(&post("one", "/")).await.unwrap_err(), 110, 120);
    }
    assert_eq!(server.seen().len(), 1);
    driver.get_account(&post("two", "/redirect")).await.unwrap();
    assert_eq!(server.seen().len(), 2);
}

/// AWS tells it in the body, which only the driver reads.
#[tokio::test]
async fn a_driver_that_says_throttled_closes_the_account() {
    let server = Server::start().await;
    let (driver, other) = drivers().await;
    let throttled = |account: &str, wait: &str| {
        let mut call = of(account, server.call("open", "throttled", "/"));
        call.config.insert("wait".to_owned(), wait.to_owned());
        call
    };
    let error = driver.get_account(&throttled("one", "9000")).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Throttled, "SlowDown"));
    let mut hurried = of("one", server.call("open", "post", "/"));
    hurried.timeout = Duration::from_secs(2);
    assert_late(&other.get_account(&hurried).await.unwrap_err(), 3, 9);
    // The cool-down of a single object is no reason to stop everybody.
    driver.get_account(&throttled("two", "3600000")).await.unwrap_err();
    driver.get_account(&of("two", server.call("open", "post", "/redirect"))).await.unwrap();
}

/// A driver whose calls hang cannot take the instances of all others.
#[tokio::test]
async fn calls_of_one_driver_leave_room_for_others() {
    let limits = Limits { concurrent_calls: 2, concurrent_calls_per_driver: 1, ..Limits::default() };
    let runtime = Runtime::new(RuntimeOptions { limits, ..options(local_grant()) }).unwrap();
    let greedy = runtime.load(guest("behaviours")).await.unwrap();
    let other = runtime.load(guest("minimal")).await.unwrap();
    let mut sleeping = call("open", &[("behaviour", "sleep")]);
    sleeping.timeout = Duration::from_millis(1500);
    let waiting = Call { timeout: Duration::from_millis(500), ..sleeping.clone() };
    let quiet = call("minimal", &[]);
    let request = request();
    let neighbour = async {
        // The sleepers have begun by then.
        tokio::task::yield_now().await;
        for _ in 0..5 {
            other.plan(&quiet, &request).await.unwrap();
        }
    };
    let (first, second, ()) =
        tokio::join!(greedy.plan(&sleeping, &request), greedy.plan(&waiting, &request), neighbour);
    let reasons = [first.unwrap_err().reason, second.unwrap_err().reason];
    assert_eq!(reasons, ["DriverDeadlineExceeded", "RuntimeBusy"]);
}

/// Fewer than one a minute cannot be declared, and the driver is told so.
#[tokio::test]
async fn a_limit_that_lets_nothing_pass_is_refused_at_load() {
    let broken = patched(guest("behaviours"), "\"ratePerMinute\": 1", "\"ratePerMinute\": 0");
    let error = Runtime::new(options(local_grant())).unwrap().load(broken).await.err().unwrap();
    assert!(error.to_string().contains("`ratePerMinute` must be at least 1"), "{error}");
    // The guest is unharmed otherwise.
    load(options(local_grant())).await.plan(&call("open", &[]), &request()).await.unwrap();
    driver().await.plan(&call("open", &[]), &request()).await.unwrap();
}
