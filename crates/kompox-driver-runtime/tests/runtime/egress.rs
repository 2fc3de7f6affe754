//! Requests of guests: signed by the host, refused where not declared or not granted, bounded.

use crate::support::{Logs, SECRET, Server, call, driver, intent, load, local_grant, options, request};
use kompox_core::driver::{Driver as _, DriverError, Effect};
use kompox_driver_runtime::{
    CallBounds, CallFinished, ComponentCache, ComponentCompiled, EgressGrant, EgressScope, Limits, Observer,
    RequestDenied, RequestFinished, ResponseRead, RuntimeOptions, Stopped,
};
use std::{
    sync::{Arc, Mutex, atomic::Ordering},
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
        let refusal = &error.message;
        assert!(
            refusal.contains("does not declare") && refusal.contains("usable: {config.endpoint}"),
            "{refusal}"
        );
        assert!(refusal.ends_with("the driver says: ErrorCode::HttpRequestDenied"), "{refusal}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn without_a_grant_the_same_request_is_refused() {
    let server = Server::start().await;
    let driver = load(options(EgressGrant::default())).await;
    let error = driver.get_account(&server.call("open", "post", "/")).await.unwrap_err();
    assert_eq!(error.effect, Effect::None);
    let grant =
        "add `127.0.0.1/32` to `spec.egress.cidrs` of the KompoxDriver with `spec.egress.mode: Custom`";
    assert!(error.message.contains(grant), "{error}");
    // Declared, and resolved to a loopback address.
    let config = [("behaviour", "post"), ("url", "https://localhost:9/")];
    let error = driver.get_account(&call("open", &config)).await.unwrap_err();
    assert!(error.message.contains("is loopback: if it is right, add `"), "{error}");
    assert!(error.message.contains("to `spec.egress.cidrs`"), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn pure_calls_have_no_network() {
    let server = Server::start().await;
    let driver = driver().await;
    let error = driver.plan(&server.call("open", "post", "/"), &request()).await.unwrap_err();
    assert!(error.message.contains("this function may not use the network"), "{error}");
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
    assert!(error.message.contains("may send 3 requests"), "{error}");
    assert_eq!(server.seen().len() - before, 3);
    let bounds = CallBounds { requests: Some(2), ..CallBounds::default() };
    let narrower = driver.granted(EgressGrant { bounds, ..local_grant() });
    let error = narrower.get_account(&server.call("open", "many", "/")).await.unwrap_err();
    assert!(error.message.contains("may send 2 requests"), "{error}");
}

/// What the administrator wrote, what is asked for, and the field that would allow it, with the exact value.
#[tokio::test]
async fn a_refusal_names_the_grant_that_would_allow_it() {
    let hosts = |list: &[&str]| EgressGrant {
        scope: EgressScope::Hosts(list.iter().map(|host| (*host).to_owned()).collect()),
        ..EgressGrant::default()
    };
    let closed = EgressGrant { scope: EgressScope::Closed, ..EgressGrant::default() };
    let custom = "`spec.egress.mode: Custom`";
    let cases = [
        (
            closed,
            "",
            "https://name.invalid/",
            vec!["`spec.egress.mode`", "`Declared`", "`Custom` with `name.invalid` in `spec.egress.hosts`"],
        ),
        (
            hosts(&["other.example"]),
            "",
            "https://name.invalid/",
            vec!["add `name.invalid` to `spec.egress.hosts`"],
        ),
        (hosts(&["localhost"]), "", "https://localhost:9/", vec!["/32` to `spec.egress.cidrs`", custom]),
        (
            EgressGrant::default(),
            "https://vpce.example",
            "https://vpce.example/",
            vec!["add `vpce.example` to `spec.egress.hosts`", custom],
        ),
        (
            EgressGrant::default(),
            "https://10.1.2.3",
            "https://10.1.2.3/",
            vec!["add `10.1.2.3/32` to `spec.egress.cidrs`", custom],
        ),
        (
            EgressGrant::default(),
            "https://[fd00::7]",
            "https://[fd00::7]/",
            vec!["add `fd00::7/128` to `spec.egress.cidrs`", custom],
        ),
        (EgressGrant::default(), "", "http://localhost:9/", vec!["use https", "--allow-plain-http-cidr"]),
    ];
    for (grant, endpoint, url, expected) in cases {
        let driver = driver().await.granted(grant.clone());
        let mut config = vec![("behaviour", "post"), ("url", url)];
        if !endpoint.is_empty() {
            config.push(("endpoint", endpoint));
        }
        let error = driver.get_account(&call("open", &config)).await.unwrap_err();
        for text in expected {
            assert!(error.message.contains(text), "{url} with {grant:?}: {error}");
        }
    }
}

#[tokio::test]
async fn connections_are_kept_and_never_shared_between_drivers() {
    let server = Server::start().await;
    let first = driver().await;
    for _ in 0..3 {
        first.get_account(&server.call("open", "post", "/redirect")).await.unwrap();
    }
    assert_eq!(server.connections.load(Ordering::Relaxed), 1);
    let second = first.granted(local_grant());
    second.get_account(&server.call("open", "post", "/redirect")).await.unwrap();
    assert_eq!(server.connections.load(Ordering::Relaxed), 2);
}

/// Proxies of the environment would see where drivers go, and would resolve names by themselves.
#[test]
fn proxies_of_the_environment_are_not_used() {
    let proxy = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", proxy.local_addr().unwrap());
    let names = ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"];
    // The test of redirects again, in a process with these variables.
    let output = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "egress::redirects_are_not_followed"])
        .envs(names.map(|name| (name, url.as_str())))
        .env_remove("no_proxy")
        .env_remove("NO_PROXY")
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
    proxy.set_nonblocking(true).unwrap();
    assert_eq!(proxy.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
}

#[derive(Default)]
struct Seen(Mutex<Vec<String>>);

impl Observer for Seen {
    fn call_finished(&self, event: &CallFinished<'_>) {
        let CallFinished { driver, operation, code, stopped, .. } = event;
        let stopped = stopped.map_or("", Stopped::as_str);
        assert!(event.memory_peak_bytes >= 64 << 10 && event.memory_peak_bytes <= 64 << 20, "{event:?}");
        self.0.lock().unwrap().push(format!("call {driver} {operation} {code} {stopped}"));
    }

    fn request_finished(&self, event: &RequestFinished<'_>) {
        let RequestFinished { driver, operation, endpoint, method, status, sent_bytes, .. } = event;
        let text = format!("request {driver} {operation} {endpoint} {method} {status} {sent_bytes}");
        self.0.lock().unwrap().push(text);
    }

    fn request_denied(&self, event: &RequestDenied<'_>) {
        let RequestDenied { driver, operation, reason } = event;
        self.0.lock().unwrap().push(format!("denied {driver} {operation} {reason}"));
    }

    fn response_read(&self, event: &ResponseRead<'_>) {
        self.0.lock().unwrap().push(format!("read {} {}", event.driver, event.bytes));
    }

    fn component_compiled(&self, event: &ComponentCompiled) {
        self.0.lock().unwrap().push(format!("compiled {}", event.cache));
    }
}

#[tokio::test]
async fn the_observer_is_told() {
    let server = Server::start().await;
    let observer = Arc::new(Seen::default());
    let seen = Arc::clone(&observer);
    let cache = ComponentCache::Disabled;
    let driver = load(RuntimeOptions { observer, cache, ..options(local_grant()) }).await;
    driver.get_account(&server.call("open", "post", "/redirect")).await.unwrap();
    driver.plan(&server.call("open", "post", "/"), &request()).await.unwrap_err();
    driver.plan(&server.call("open", "panic", "/"), &request()).await.unwrap_err();
    let mut endless = server.call("open", "loop", "/");
    endless.timeout = Duration::from_millis(200);
    driver.plan(&endless, &request()).await.unwrap_err();
    let seen = seen.0.lock().unwrap().clone();
    assert_eq!(
        seen,
        [
            "compiled off",
            "call unnamed identity.describe ok ",
            "request behaviours identity.get-account {config.endpoint} POST 3xx 22",
            "read behaviours 9",
            "call behaviours identity.get-account ok ",
            "denied behaviours disk.plan EgressClosed",
            "call behaviours disk.plan unavailable ",
            "call behaviours disk.plan internal trap",
            "call behaviours disk.plan deadline-exceeded deadline",
        ]
    );
}

/// Whoever reads the log knows the call and the request of every line, and no path and no query.
#[tokio::test]
async fn lines_stand_in_the_span_of_their_call_and_request() {
    let server = Server::start().await;
    let driver = driver().await;
    let (logs, _guard) = Logs::capture();
    driver.get_account(&server.call("open", "post-and-log", "/some/path?token=hidden")).await.unwrap_err();
    let text = logs.text();
    let call =
        "driver_call{driver=behaviours operation=\"identity.get-account\" object=\"KompoxDisk/ns/data\"}";
    let guest = text.lines().find(|line| line.contains("stream=\"stdout\"")).unwrap();
    assert!(guest.contains(call), "{guest}");
    let request = text.lines().find(|line| line.contains("driver request")).unwrap();
    for part in [call, "driver_request{", "method=\"POST\"", "host=\"127.0.0.1\"", "status=\"2xx\""] {
        assert!(request.contains(part), "{part}: {request}");
    }
    // What the guest itself says of it is its own.
    for line in text.lines().filter(|line| !line.contains("stream=") && !line.contains("::state:")) {
        assert!(!line.contains("/some/path") && !line.contains("hidden"), "{line}");
    }
}
