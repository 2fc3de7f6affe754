//! W17, W18, W19, W20: what can be tried with requests and their answers, beyond what the tables of
//! `egress` hold.

use crate::support::{Server, behaving, call, driver, load, local_grant, options, request};
use kompox_core::driver::{Call, Driver as _, DriverError, ErrorCode};
use kompox_driver_runtime::{Limits, RuntimeOptions};
use std::time::Duration;

async fn neighbour_is_served() {
    let neighbour = driver().await;
    for _ in 0..5 {
        neighbour.plan(&behaving("quiet"), &request()).await.unwrap();
    }
}

/// The error of a call, while a neighbour is served.
async fn attacked(call: &Call) -> DriverError {
    let adversary = load(options(local_grant())).await;
    let (answer, ()) = tokio::join!(adversary.get_account(call), neighbour_is_served());
    answer.unwrap_err()
}

/// W17: what GHSA-243v was about. The guest is stopped at 64 KiB of headers, before the host has them.
#[tokio::test]
async fn headers_are_bounded_before_they_are_kept() {
    for (count, length) in [("100000", "1"), ("1", "200000")] {
        let config = [("behaviour", "headers"), ("count", count), ("length", length)];
        let error = attacked(&call("open", &config)).await;
        assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Internal, "DriverTrapped"), "{error}");
        assert!(error.message.contains("field"), "{error}");
    }
}

/// W17, from the other side.
#[tokio::test]
async fn a_server_cannot_send_headers_without_bound() {
    let server = Server::start().await;
    let error = attacked(&server.call("open", "post", "/many-headers")).await;
    assert_eq!(error.message, "ErrorCode::ConnectionTerminated");
}

/// W18: answers that nobody reads are given up with the call; the connections go with them.
#[tokio::test]
async fn answers_that_are_not_read_hold_nothing() {
    let server = Server::start().await;
    let adversary = load(options(local_grant())).await;
    for path in ["/endless", "/drip", "/big"] {
        let (answer, ()) = tokio::join!(
            async { adversary.get_account(&server.call("open", "abandon", path)).await },
            neighbour_is_served()
        );
        assert_eq!(answer.unwrap().id.as_deref(), Some("abandoned"), "{path}");
    }
}

/// W18: a byte at a time keeps every pause short and is cut by the call's deadline; without end it is cut at
/// 16 MiB.
#[tokio::test]
async fn bodies_that_never_end_are_cut() {
    let server = Server::start().await;
    let error = attacked(&server.call("open", "post", "/endless")).await;
    assert_eq!(error.message, "read", "the body ends in an error");
    let mut dripping = server.call("open", "post", "/drip");
    dripping.timeout = Duration::from_millis(500);
    let error = attacked(&dripping).await;
    assert_eq!((error.code, error.reason.as_str()), (ErrorCode::DeadlineExceeded, "DriverDeadlineExceeded"));
}

/// W18: a pause within a body has its own, shorter bound.
#[tokio::test]
async fn a_body_that_stalls_is_cut() {
    let server = Server::start().await;
    let limits = Limits { first_byte_timeout: Duration::from_millis(100), ..Limits::default() };
    let driver = load(RuntimeOptions { limits, ..options(local_grant()) }).await;
    let error = driver.get_account(&server.call("open", "post", "/stall")).await.unwrap_err();
    assert_eq!(error.message, "read", "the body ends in an error");
}

/// W19, W20: what the host alone writes, a guest cannot set; where it ends up is in `egress`.
#[tokio::test]
async fn headers_of_the_host_cannot_be_set() {
    let driver = driver().await;
    let account = driver.get_account(&behaving("forge-headers")).await.unwrap();
    let refused = "host=false connection=false transfer-encoding=false upgrade=false \
                   proxy-authorization=false :authority=false";
    assert_eq!(account.id.as_deref(), Some(refused));
}

/// W19: addresses in every disguise, all of them declared by the driver's own configuration. Each refusal
/// is before a byte is sent.
#[tokio::test]
async fn no_disguise_of_an_address_leads_inside() {
    let driver = load(options(Default::default())).await;
    for endpoint in [
        "http://169.254.169.254",
        "https://169.254.169.254",
        "https://[::ffff:169.254.169.254]",
        "https://[::ffff:a9fe:a9fe]",
        "https://[fd00:ec2::254]",
        "https://168.63.129.16",
        "https://10.96.0.1",
        "https://127.0.0.1",
        "https://2852039166",
        "https://0xa9fea9fe",
        "https://user@169.254.169.254",
        "https://169.254.169.254.",
        "https://kubernetes.default.svc",
        "https://localhost",
    ] {
        let url = format!("{endpoint}/");
        let config = [("behaviour", "post"), ("endpoint", endpoint), ("url", url.as_str())];
        let error = driver.get_account(&call("open", &config)).await.unwrap_err();
        let refused = error.message.contains("refused:") && error.message.contains("HttpRequestDenied");
        // The guest's own library takes some of them for no authority at all.
        assert!(refused || error.message == "authority", "{endpoint}: {error}");
    }
}
