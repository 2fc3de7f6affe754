//! W21, W22, W24: a driver that may see a secret, and wants somebody else to see it too; and one that wants
//! to write more than its message.

use crate::support::{Logs, SECRET, Server, behaving, call, load, local_grant, options};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use kompox_core::driver::{Credentials, Driver as _, DriverError, Query};
use kompox_driver_runtime::{EgressGrant, LoadedDriver};
use std::sync::Arc;

async fn granted() -> Arc<LoadedDriver> {
    let reveal_secret_keys = ["secretAccessKey".to_owned()].into();
    load(options(EgressGrant { reveal_secret_keys, ..local_grant() })).await
}

/// The canary in the forms in which it leaves by accident. Who may see a secret can of course put it into
/// forms that nobody knows: that is what the grant is for.
fn forms() -> [String; 3] {
    [SECRET.to_owned(), STANDARD.encode(SECRET), SECRET.replace('/', "%2F").replace('+', "%2B")]
}

fn shown(error: &DriverError) -> String {
    format!("{error:?}")
}

#[tokio::test]
async fn a_revealed_secret_gets_nowhere() {
    let server = Server::start().await;
    let driver = granted().await;
    let (logs, _guard) = Logs::capture();
    let [_, base64, escaped] = &forms();
    let config = [
        ("behaviour", "exfiltrate"),
        ("base64", base64),
        ("escaped", escaped),
        ("elsewhere", &server.origin),
    ];
    let error = driver.get_account(&call("open", &config)).await.unwrap_err();
    let (log, said) = (logs.text(), shown(&error));
    // All of it was tried.
    assert!(log.contains("stdout [redacted]") && log.contains("stderr [redacted]"), "{log}");
    assert!(log.contains("EndpointNotDeclared"), "{log}");
    assert!(server.seen().is_empty(), "{:?}", server.seen());
    for form in forms() {
        assert!(!log.contains(&form) && !said.contains(&form), "{form}\n{said}\n{log}");
    }
}

/// Tags and handles are kept: what holds a secret is not accepted into them.
#[tokio::test]
async fn a_secret_does_not_become_a_tag() {
    let query = Query { handles: vec!["vol-1".to_owned()], ..Query::default() };
    let page = granted().await.find_disks(&behaving("leak-in-tags"), &query, None).await.unwrap();
    let text = format!("{page:?}");
    assert!(page.items[0].tags["leak"].contains("[redacted]") && !text.contains(SECRET), "{text}");
}

/// W22: with other credentials the same driver finds nothing of what it kept.
#[tokio::test]
async fn nothing_is_kept_from_one_tenant_for_another() {
    let driver = granted().await;
    let of = |tenant: &str| {
        let mut call = behaving("session");
        call.credentials = Credentials::new([("secretAccessKey".to_owned(), tenant.into())].into());
        call
    };
    for (tenant, expected) in
        [("tenant-one-secret", "seen:"), ("tenant-one-secret", "seen:+"), ("tenant-two-secret", "seen:")]
    {
        assert_eq!(driver.get_account(&of(tenant)).await.unwrap().id.as_deref(), Some(expected), "{tenant}");
    }
}

/// W24: what becomes a condition and an event is short, on one line, and of one colour.
#[tokio::test]
async fn messages_are_short_and_plain() {
    let error = granted().await.get_account(&behaving("inject-long")).await.unwrap_err();
    assert!(error.message.chars().count() <= 1024 && error.reason.chars().count() <= 128, "{error:?}");
    let text = shown(&error).replace("\\\"", "");
    assert!(!text.contains(['\n', '\u{202e}', '\u{1b}']) && !text.contains('\\'), "{text}");
}
