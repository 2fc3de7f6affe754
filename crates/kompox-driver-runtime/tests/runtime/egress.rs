//! Requests of guests: signed by the host, refused where not declared or not granted, bounded.

use crate::support::{Logs, SECRET, Server, call, driver, intent, load, local_grant, options, request};
use kompox_core::driver::{Driver as _, DriverError, Effect};
use kompox_driver_runtime::{
    CallBounds, EgressGrant, Limits, Observer, RequestDenied, RequestFinished, RuntimeOptions,
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

async fn post(config: &[(&str, &str)]) -> DriverError {
    let config = [config, &[("behaviour", "post")]].concat();
    driver().await.create_disk(&call("open", &config), &intent(), &request(), None).await.unwrap_err()
}

#[tokio::test]
async fn the_host_signs_and_drops_what_the_guest_forged() {
    let server = Server::start().await;
    let driver = driver().await;
    driver.get_account(&server.call("signed", "post-and-log", "/")).await.unwrap_err();
    let seen = server.seen();
    assert_eq!(seen.len(), 1, "{seen:?}");
    let text = &seen[0];
    assert!(!text.contains("forged") && !text.contains("20000101"), "{text}");
    assert!(text.contains("x-amz-date: 20260102T030405Z\n"), "{text}");
    assert!(text.contains("x-kept: yes\n"), "{text}");
    assert!(text.contains(&format!("host: {}\n", server.origin.trim_start_matches("http://"))), "{text}");
    let authorization = "authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-west-2/ec2/aws4_request, \
                         SignedHeaders=content-type;host;x-amz-date, Signature=";
    assert!(text.contains(authorization), "{text}");
    assert!(text.ends_with("\n\nAction=DescribeVolumes"), "{text}");
}

#[tokio::test]
async fn without_a_profile_the_guest_may_sign_itself() {
    let server = Server::start().await;
    driver().await.get_account(&server.call("open", "post-and-log", "/")).await.unwrap_err();
    assert!(server.seen()[0].contains("authorization: forged\n"));
}

#[tokio::test]
async fn a_secret_that_a_server_echoes_is_never_shown() {
    let server = Server::start().await;
    let driver = driver().await;
    let (logs, _guard) = Logs::capture();
    let error = driver
        .create_disk(&server.call("signed", "post-and-log", "/secret"), &intent(), &request(), None)
        .await
        .unwrap_err();
    assert_eq!(error.message, "403 refused for key [redacted]");
    // The signature and the key id come back here.
    let echoed = driver
        .create_disk(&server.call("signed", "post-and-log", "/"), &intent(), &request(), None)
        .await
        .unwrap_err();
    assert!(echoed.message.contains("authorization: [redacted]"), "{echoed}");
    let text = logs.text();
    assert!(text.contains("[redacted]") && text.contains("stdout"), "{text}");
    assert!(
        !text.contains(SECRET) && !text.contains("AKIDEXAMPLE") && !text.contains("Signature="),
        "{text}"
    );
}

#[tokio::test]
async fn what_is_not_declared_or_not_granted_is_refused() {
    let server = Server::start().await;
    let endpoint = ("endpoint", server.origin.as_str());
    for url in [
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/",
        "https://evil.example/",
        "http://localhost:8080/",
        "https://ec2.us-west-2.amazonaws.com/",
    ] {
        let error = post(&[endpoint, ("url", url)]).await;
        assert_eq!(error.message, "ErrorCode::HttpRequestDenied", "{url}");
        let refusal = &error.details["egressRefused"];
        assert!(
            refusal.contains("does not declare") && refusal.contains("usable: {config.endpoint}"),
            "{refusal}"
        );
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn without_a_grant_the_same_request_is_refused() {
    let server = Server::start().await;
    let driver = load(options(EgressGrant::default())).await;
    let error = driver.get_account(&server.call("open", "post", "/")).await.unwrap_err();
    assert_eq!((error.message.as_str(), error.effect), ("ErrorCode::HttpRequestDenied", Effect::None));
    assert!(error.details["egressRefused"].contains("must grant"), "{error:?}");
    // Declared, and resolved to a loopback address.
    let config = [("behaviour", "post"), ("url", "https://localhost:9/")];
    let error = driver.get_account(&call("open", &config)).await.unwrap_err();
    assert_eq!(error.message, "ErrorCode::HttpRequestDenied");
    assert!(error.details["egressRefused"].contains("is loopback"), "{error:?}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn pure_calls_have_no_network() {
    let server = Server::start().await;
    let driver = driver().await;
    let error = driver.plan(&server.call("open", "post", "/"), &request()).await.unwrap_err();
    assert_eq!(error.message, "ErrorCode::HttpRequestDenied");
    driver.validate_config(&server.call("open", "post", "/"), false).await.unwrap_err();
    assert!(server.seen().is_empty());
    driver.validate_config(&server.call("open", "post", "/"), true).await.unwrap();
    assert_eq!(server.seen().len(), 1, "online it may read");
}

#[tokio::test]
async fn failures_before_and_after_sending_differ() {
    let refused = post(&[("url", "http://localhost:9/")]).await;
    assert_eq!(refused.message, "ErrorCode::ConnectionRefused");
    let unknown = post(&[("url", "https://name.invalid/")]).await;
    assert!(unknown.message.starts_with("ErrorCode::DnsError"), "{unknown}");
    let server = Server::start().await;
    let limits = Limits { first_byte_timeout: Duration::from_millis(200), ..fast() };
    let driver = load(RuntimeOptions { limits, ..options(local_grant()) }).await;
    let hanging = driver.get_account(&server.call("open", "post", "/hang")).await.unwrap_err();
    assert_eq!(hanging.message, "ErrorCode::HttpResponseTimeout");
}

fn fast() -> Limits {
    Limits { connect_timeout: Duration::from_millis(200), ..Limits::default() }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let server = Server::start().await;
    let account = driver().await.get_account(&server.call("open", "post", "/redirect")).await.unwrap();
    assert_eq!(account.id.as_deref(), Some("302 elsewhere"));
}

#[tokio::test]
async fn bodies_and_numbers_of_requests_are_bounded() {
    let server = Server::start().await;
    let limits = Limits { requests_per_call: 3, ..Limits::default() };
    let driver = load(RuntimeOptions { limits, ..options(local_grant()) }).await;
    let error = driver.get_account(&server.call("open", "big-request", "/")).await.unwrap_err();
    assert!(error.message.starts_with("ErrorCode::HttpRequestBodySize"), "{error}");
    assert!(server.seen().is_empty());
    let error = driver.get_account(&server.call("open", "post", "/big")).await.unwrap_err();
    assert!(error.message.starts_with("ErrorCode::HttpResponseBodySize"), "{error}");
    let before = server.seen().len();
    let error = driver.get_account(&server.call("open", "many", "/")).await.unwrap_err();
    assert_eq!(error.message, "ErrorCode::HttpRequestDenied");
    assert!(error.details["egressRefused"].contains("3 requests"), "{error:?}");
    assert_eq!(server.seen().len() - before, 3);
    let bounds = CallBounds { requests: Some(2), ..CallBounds::default() };
    let narrower = driver.granted(EgressGrant { bounds, ..local_grant() });
    let error = narrower.get_account(&server.call("open", "many", "/")).await.unwrap_err();
    assert!(error.details["egressRefused"].contains("2 requests"), "{error:?}");
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn call_finished(&self, event: &kompox_driver_runtime::CallFinished<'_>) {
        self.0.lock().unwrap().push(format!("call {} {} {}", event.driver, event.operation, event.code));
    }

    fn request_finished(&self, event: &RequestFinished<'_>) {
        self.0.lock().unwrap().push(format!("request {} {} {}", event.driver, event.endpoint, event.status));
    }

    fn request_denied(&self, event: &RequestDenied<'_>) {
        self.0.lock().unwrap().push(format!("denied {} {}", event.driver, event.reason));
    }
}

#[tokio::test]
async fn the_observer_is_told() {
    let server = Server::start().await;
    let observer = Arc::new(Seen::default());
    let seen = Arc::clone(&observer);
    let driver = load(RuntimeOptions { observer, ..options(local_grant()) }).await;
    driver.get_account(&server.call("open", "post", "/redirect")).await.unwrap();
    driver.plan(&server.call("open", "post", "/"), &request()).await.unwrap_err();
    let seen = seen.0.lock().unwrap().clone();
    assert_eq!(
        seen,
        [
            "call unnamed identity.describe ok",
            "request behaviours {config.endpoint} 3xx",
            "call behaviours identity.get-account ok",
            "denied behaviours EgressClosed",
            "call behaviours disk.plan unavailable",
        ]
    );
}
