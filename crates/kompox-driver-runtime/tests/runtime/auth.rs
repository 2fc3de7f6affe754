//! Credentials in whole calls: what a driver's server gets, and what nobody else does.

use crate::support::{
    ACCESS_TOKEN, Logs, SECRET, Server, behaving, call, driver, load, local_grant, options,
};
use kompox_core::driver::{Call, Credentials, Driver as _, ErrorCode};
use kompox_driver_runtime::EgressGrant;

fn with_client(mut call: Call) -> Call {
    let secrets = [("clientId", "client-7"), ("clientSecret", SECRET)];
    call.credentials =
        Credentials::new(secrets.iter().map(|(k, v)| ((*k).to_owned(), (*v).into())).collect());
    call
}

#[tokio::test]
async fn a_token_is_fetched_once_and_seen_by_the_server_only() {
    let (logs, _guard) = Logs::capture();
    let server = Server::start().await;
    let driver = driver().await;
    let call = with_client(server.call("token", "post-and-log", "/echo"));
    for _ in 0..3 {
        let error = driver.get_account(&call).await.unwrap_err();
        assert_eq!(error.reason, "Echoed");
        assert!(error.message.contains("authorization: [redacted]"), "{error}");
    }
    let seen = server.seen();
    let tokens = seen.iter().filter(|request| request.starts_with("POST /token")).count();
    assert_eq!((seen.len(), tokens), (4, 1));
    for request in &seen[1..] {
        assert!(request.contains(&format!("authorization: Bearer {ACCESS_TOKEN}\n")), "{request}");
        assert!(!request.contains("authorization: forged"), "{request}");
    }
    let text = logs.text();
    assert!(text.contains("driver request"), "{text}");
    for secret in [ACCESS_TOKEN, SECRET] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[tokio::test]
async fn what_the_host_could_not_sign_for_is_told_in_its_own_words() {
    let server = Server::start().await;
    let driver = driver().await;
    let mut call = with_client(server.call("token", "post", "/echo"));
    call.credentials = Credentials::new([("clientId".to_owned(), "client-7".into())].into());
    let error = driver.get_account(&call).await.unwrap_err();
    assert_eq!((error.code, error.reason.as_str()), (ErrorCode::Unauthenticated, "CredentialsMissing"));
    assert!(error.message.contains("`clientSecret`"), "{error}");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn values_are_shown_and_used_as_declared_and_granted() {
    let driver = driver().await;
    let config = [("behaviour", "reveal"), ("endpoint", "http://127.0.0.1:9")];
    let account = driver.get_account(&call("signed", &config)).await.unwrap();
    let text = account.id.unwrap_or_default();
    assert!(text.starts_with("Err(CredentialError::NotGranted) Ok("), "{text}");

    let reveal_secret_keys = ["secretAccessKey".to_owned()].into();
    let granted = load(options(EgressGrant { reveal_secret_keys, ..local_grant() })).await;
    // An answer that holds a secret is not accepted: the value was seen, and did not get out.
    let answer = granted.get_account(&behaving("reveal")).await;
    let text = match &answer {
        Ok(account) => account.id.clone().unwrap_or_default(),
        Err(error) => format!("{} {}", error.reason, error.message),
    };
    assert!(!text.contains(SECRET), "{text}");
    assert!(!text.contains("NotGranted"), "{text}");
}
