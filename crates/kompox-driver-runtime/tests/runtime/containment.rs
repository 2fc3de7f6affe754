//! Guests that misbehave: each is contained, and its neighbours are served meanwhile.

use crate::support::{Logs, behaving, call, driver, intent, load, local_grant, options, request};
use kompox_core::driver::{Driver as _, Effect, ErrorCode, Query};
use kompox_driver_runtime::{CallBounds, EgressGrant, Limits};
use std::time::{Duration, Instant};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn endless_guests_are_stopped_while_others_run() {
    let driver = driver().await;
    for behaviour in ["loop", "log-flood", "sleep"] {
        let mut endless = behaving(behaviour);
        endless.timeout = Duration::from_millis(300);
        let (intent, request, query) = (intent(), request(), Query::default());
        let started = Instant::now();
        let (create, find, neighbour) = tokio::join!(
            driver.create_disk(&endless, &intent, &request, None),
            driver.find_disks(&endless, &query, None),
            async {
                let quiet = behaving("quiet");
                for _ in 0..20 {
                    driver.plan(&quiet, &request).await.unwrap();
                }
                started.elapsed()
            }
        );
        let create = create.unwrap_err();
        assert_eq!(
            (create.code, create.effect),
            (ErrorCode::DeadlineExceeded, Effect::Unknown),
            "{behaviour}"
        );
        assert_eq!(create.reason, "DriverDeadlineExceeded");
        let find = find.unwrap_err();
        assert_eq!((find.code, find.effect), (ErrorCode::DeadlineExceeded, Effect::None), "{behaviour}");
        assert!(neighbour < Duration::from_secs(5), "{behaviour}: a neighbour waited {neighbour:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{behaviour}: {:?}", started.elapsed());
    }
}

#[tokio::test]
async fn a_panic_is_explained() {
    let driver = driver().await;
    let says = crate::support::SECRET;
    let call = call("open", &[("behaviour", "panic"), ("says", &format!("no {says}"))]);
    let error = driver.create_disk(&call, &intent(), &request(), None).await.unwrap_err();
    assert_eq!((error.code, error.effect), (ErrorCode::Internal, Effect::Unknown));
    assert_eq!(error.reason, "DriverTrapped");
    assert!(error.message.contains("the disk service said no [redacted]"), "{error}");
    let error = driver.find_disks(&call, &Query::default(), None).await.unwrap_err();
    assert_eq!(error.effect, Effect::None);
    // The next call has a fresh instance.
    driver.plan(&behaving("quiet"), &request()).await.unwrap();
}

#[tokio::test]
async fn memory_and_stack_are_bounded() {
    let driver = driver().await;
    for behaviour in ["grow", "recurse"] {
        let error = driver.create_disk(&behaving(behaviour), &intent(), &request(), None).await.unwrap_err();
        assert_eq!(
            (error.code, error.reason.as_str()),
            (ErrorCode::Internal, "DriverTrapped"),
            "{behaviour}"
        );
    }
}

#[tokio::test]
async fn a_driver_may_be_given_more_or_less_than_the_others() {
    let grows = |bytes: usize| async move {
        let bounds = CallBounds { memory_bytes: Some(bytes), requests: None };
        let driver = load(options(local_grant())).await.granted(EgressGrant { bounds, ..local_grant() });
        driver.get_account(&behaving("grow-to-100-mib")).await
    };
    assert_eq!(grows(8 << 20).await.unwrap_err().reason, "DriverTrapped");
    assert_eq!(grows(64 << 20).await.unwrap_err().reason, "DriverTrapped");
    assert_eq!(grows(200 << 20).await.unwrap().id.as_deref(), Some("100 MiB"));
}

#[tokio::test]
async fn answers_are_bounded() {
    let driver = driver().await;
    let error = driver.create_disk(&behaving("long-handle"), &intent(), &request(), None).await.unwrap_err();
    assert_eq!((error.code, error.effect), (ErrorCode::Internal, Effect::Unknown));
    assert_eq!(error.reason, "DriverAnswerInvalid");
    assert!(error.message.contains("longer than 1024 bytes"), "{error}");
    let error = driver.get_account(&behaving("huge-answer")).await.unwrap_err();
    assert_eq!((error.code, error.effect), (ErrorCode::Internal, Effect::None));
}

#[tokio::test]
async fn neither_logs_nor_messages_can_be_forged() {
    let driver = driver().await;
    let (logs, _guard) = Logs::capture();
    let error = driver.plan(&behaving("inject"), &request()).await.unwrap_err();
    assert_eq!((error.message.as_str(), error.effect), ("first second", Effect::None));
    let text = logs.text();
    let line = text.lines().find(|line| line.contains("first second")).unwrap();
    assert!(line.contains("INFO") && line.contains("KompoxDisk/ns/data"), "{line}");
    assert!(!text.contains('\x1b'), "{text}");
}

#[tokio::test]
async fn logs_are_bounded() {
    let driver = driver().await;
    let (logs, _guard) = Logs::capture();
    let mut flood = behaving("log-flood");
    flood.timeout = Duration::from_millis(200);
    driver.plan(&flood, &request()).await.unwrap_err();
    let text = logs.text();
    assert_eq!(text.lines().filter(|line| line.ends_with(": flood")).count(), 200);
    assert_eq!(text.matches("driver logs too much").count(), 1);
}

#[tokio::test]
async fn calls_beyond_the_limit_wait_in_their_own_time() {
    let limits = Limits { concurrent_calls: 1, ..Limits::default() };
    let driver = load(kompox_driver_runtime::RuntimeOptions { limits, ..options(local_grant()) }).await;
    let mut holder = behaving("sleep");
    holder.timeout = Duration::from_secs(2);
    let mut waiter = behaving("quiet");
    waiter.timeout = Duration::from_millis(50);
    let request = request();
    let (held, waited) = tokio::join!(driver.plan(&holder, &request), driver.plan(&waiter, &request));
    assert_eq!(held.unwrap_err().code, ErrorCode::DeadlineExceeded);
    let error = waited.unwrap_err();
    assert_eq!(
        (error.code, error.reason.as_str(), error.effect),
        (ErrorCode::Unavailable, "RuntimeBusy", Effect::None)
    );
}
