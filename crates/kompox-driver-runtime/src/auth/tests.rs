//! The profiles against a token endpoint on the loopback interface: what it is sent, what becomes of
//! its answers, and that no answer and no failure shows a secret. Those of single clouds are in
//! `tests/clouds.rs`.

mod clouds;

use super::{
    signers,
    testing::{Bench, Reply, Server, reply, token},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use kompox_core::driver::ErrorCode;
use serde_json::json;
use std::{sync::Arc, time::Duration};

const SECRET: &str = "s3cr3t/of+the~client";
const OAUTH: [(&str, &str); 1] = [("tokenUrl", "{config.endpoint}/token")];
const CLIENT: [(&str, &str); 2] = [("clientId", "client:7"), ("clientSecret", SECRET)];

fn oauth(server: &Server) -> Bench {
    Bench::new("oauth2-client", &OAUTH, &CLIENT, server)
}

#[tokio::test]
async fn the_client_credentials_grant() {
    let server = Server::start(|_| token("first", 3600)).await;
    assert_eq!(oauth(&server).authorization().await.unwrap(), "Bearer first");
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /token");
    assert_eq!(seen.header("content-type"), "application/x-www-form-urlencoded");
    // RFC 6749 §2.3.1: both are form-encoded first.
    let basic = STANDARD.encode("client%3A7:s3cr3t%2Fof%2Bthe%7Eclient");
    assert_eq!(seen.header("authorization"), format!("Basic {basic}"));
    assert_eq!(seen.body, "grant_type=client_credentials");

    let params =
        [OAUTH[0], ("clientAuth", "body"), ("scope", "disks:write"), ("audience", "https://api.example/")];
    Bench::new("oauth2-client", &params, &CLIENT, &server).sign().await.unwrap();
    let seen = &server.seen()[1];
    let form = seen.form();
    assert_eq!(seen.header("authorization"), "");
    assert_eq!((form["client_id"].as_str(), form["client_secret"].as_str()), ("client:7", SECRET));
    assert_eq!((form["scope"].as_str(), form["audience"].as_str()), ("disks:write", "https://api.example/"));
}

#[tokio::test]
async fn many_requests_use_one_token_until_it_ends() {
    let server = Server::start(|_| token("kept", 3600)).await;
    let bench = Arc::new(oauth(&server));
    let callers: Vec<_> = (0..30)
        .map(|_| {
            let bench = Arc::clone(&bench);
            tokio::spawn(async move { bench.authorization().await })
        })
        .collect();
    for caller in callers {
        assert_eq!(caller.await.unwrap().unwrap(), "Bearer kept");
    }
    assert_eq!(server.seen().len(), 1);
    bench.advance(3599);
    bench.sign().await.unwrap();
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn a_rejected_token_is_not_sent_again() {
    let server = Server::start(|_| token("kept", 3600)).await;
    let bench = oauth(&server);
    bench.sign().await.unwrap();
    bench.advance(120);
    bench.signer().unwrap().rejected(&bench.desk());
    bench.sign().await.unwrap();
    assert_eq!(server.seen().len(), 2);
}

#[tokio::test]
async fn tokens_of_others_are_not_found() {
    let server = Server::start(|_| token("kept", 3600)).await;
    let bench = oauth(&server);
    let other = Bench::new("oauth2-client", &OAUTH, &[CLIENT[0], ("clientSecret", "another")], &server);
    let slot = |digest: &str, bench: &Bench| {
        let signer = signers(digest, &bench.provider, &bench.call, None).unwrap().remove("profile").unwrap();
        match signer.unwrap() {
            super::Signer::Token { minting, .. } => minting.slot,
            _ => unreachable!("the kind gives tokens"),
        }
    };
    assert_eq!(slot("sha256:one", &bench), slot("sha256:one", &bench));
    assert_ne!(slot("sha256:one", &bench), slot("sha256:one", &other), "other credentials");
    assert_ne!(slot("sha256:one", &bench), slot("sha256:two", &bench), "another component");
}

struct Refused {
    answer: Reply,
    code: ErrorCode,
    reason: &'static str,
    says: &'static str,
    retry_after: Option<u64>,
}

fn refused(answer: Reply, code: ErrorCode, reason: &'static str, says: &'static str) -> Refused {
    Refused { answer, code, reason, says, retry_after: None }
}

fn answers_that_are_no_token() -> Vec<Refused> {
    use ErrorCode::{Unauthenticated, Unavailable};
    let described = json!({ "error": "invalid_client", "error_description": format!("not {SECRET}") });
    let telling = json!({ "error": SECRET });
    let injected = json!({ "error": "a\nb" });
    let busy = reply(429, "").with("retry-after", "7");
    let moved = reply(302, "").with("location", "http://127.0.0.1:9/");
    vec![
        refused(reply(400, described), Unauthenticated, "CredentialsRefused", "(status 400, invalid_client)"),
        refused(reply(401, ""), Unauthenticated, "CredentialsRefused", "check the credentials"),
        refused(reply(401, telling), Unauthenticated, "CredentialsRefused", "(status 401)"),
        refused(reply(400, injected), Unauthenticated, "CredentialsRefused", "(status 400)"),
        Refused {
            retry_after: Some(7),
            ..refused(busy, Unavailable, "TokenEndpointUnavailable", "(status 429)")
        },
        refused(reply(500, SECRET), Unavailable, "TokenEndpointUnavailable", "(status 500)"),
        refused(moved, Unauthenticated, "CredentialsRefused", "(status 302)"),
        refused(reply(200, "<html>"), Unavailable, "TokenAnswerInvalid", "not JSON"),
        refused(reply(200, "{}"), Unavailable, "TokenAnswerInvalid", "missing or malformed"),
        refused(token("a b", 60), Unavailable, "TokenAnswerInvalid", "missing or malformed"),
        refused(token(&"x".repeat(40 << 10), 60), Unavailable, "TokenAnswerInvalid", "missing or malformed"),
        refused(
            reply(200, json!({ "access_token": "t", "token_type": "mac" })),
            Unavailable,
            "TokenAnswerInvalid",
            "not `Bearer`",
        ),
        refused(reply(200, "x".repeat(300 << 10)), Unavailable, "TokenAnswerInvalid", "too long"),
        refused(Reply::Never, Unavailable, "TokenEndpointUnavailable", "did not answer in time"),
    ]
}

#[tokio::test]
async fn answers_that_are_no_token_say_what_to_do_and_nothing_else() {
    for case in answers_that_are_no_token() {
        let never = matches!(case.answer, Reply::Never);
        let answer = case.answer;
        let server = Server::start(move |_| answer.clone()).await;
        let bench = if never { oauth(&server).impatient(300) } else { oauth(&server) };
        let failure = bench.sign().await.unwrap_err();
        assert_eq!((failure.code, failure.reason), (case.code, case.reason), "{failure:?}");
        assert!(failure.message.contains(case.says), "{failure:?}");
        assert!(!format!("{failure:?}").contains(SECRET), "{failure:?}");
        assert_eq!(failure.retry_after, case.retry_after.map(Duration::from_secs), "{failure:?}");
        assert_eq!(server.seen().len(), 1, "asked once, and no redirect followed: {failure:?}");
    }
}

#[tokio::test]
async fn a_token_endpoint_outside_the_drivers_own_is_not_asked() {
    let server = Server::start(|_| token("t", 60)).await;
    let params = [("tokenUrl", "https://elsewhere.example/token")];
    let failure = Bench::new("oauth2-client", &params, &CLIENT, &server).sign().await.unwrap_err();
    assert_eq!((failure.code, failure.reason), (ErrorCode::PermissionDenied, "TokenEndpointForbidden"));
    assert!(failure.message.contains("elsewhere.example"), "{failure:?}");
}

#[tokio::test]
async fn token_endpoints_over_tls() {
    let server = Server::tls(&[], |_| token("over-tls", 60)).await;
    assert_eq!(oauth(&server).authorization().await.unwrap(), "Bearer over-tls");
    let stranger = Server::tls(&[], |_| token("t", 60)).await;
    let failure = oauth(&server).reaching(&stranger).sign().await.unwrap_err();
    assert_eq!(failure.reason, "TokenEndpointUnavailable", "{failure:?}");
    assert!(stranger.seen().is_empty(), "nothing is sent to a server that is not known");
}

#[tokio::test]
async fn a_token_is_redacted_in_every_form() {
    let server = Server::start(|_| token("tok/en+1234567890", 60)).await;
    let bench = oauth(&server);
    bench.sign().await.unwrap();
    let forms = [
        "tok/en+1234567890".to_owned(),
        "tok%2Fen%2B1234567890".to_owned(),
        STANDARD.encode("Bearer tok/en+1234567890"),
        STANDARD.encode("client%3A7:s3cr3t%2Fof%2Bthe%7Eclient"),
        SECRET.to_owned(),
    ];
    for form in forms {
        let text = bench.redactor.redact(&format!("said {form}"));
        assert!(!text.contains(&form), "{text}");
    }
}

#[tokio::test]
async fn fixed_headers() {
    let server = Server::start(|_| reply(500, "")).await;
    let sent = async |kind: &str, params: &[(&str, &str)], secrets: &[(&str, &str)], name: &str| {
        let parts = Bench::new(kind, params, secrets, &server).sign().await.unwrap();
        assert!(!format!("{parts:?}").contains(SECRET), "a header with a secret is not shown");
        parts.headers[name].to_str().unwrap().to_owned()
    };
    assert_eq!(sent("bearer", &[], &[("token", SECRET)], "authorization").await, format!("Bearer {SECRET}"));
    let key = [("key", "apiKey")];
    assert_eq!(sent("bearer", &key, &[("apiKey", "k1")], "authorization").await, "Bearer k1");
    let header = [("header", "X-Api-Key"), ("key", "apiKey")];
    assert_eq!(sent("header", &header, &[("apiKey", SECRET)], "x-api-key").await, SECRET);
    let prefixed = [("header", "authorization"), ("prefix", "PVEAPIToken=")];
    assert_eq!(
        sent("header", &prefixed, &[("token", "u@p!t=1")], "authorization").await,
        "PVEAPIToken=u@p!t=1"
    );
    // The example of RFC 7617 §2.
    let aladdin = [("username", "Aladdin"), ("password", "open sesame")];
    let basic = sent("basic", &[], &aladdin, "authorization").await;
    assert_eq!(basic, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert!(server.seen().is_empty(), "nobody is asked");
}

#[tokio::test]
async fn unusable_entries_are_named_and_not_shown() {
    let server = Server::start(|_| reply(500, "")).await;
    let long = "x".repeat(70 << 10);
    type Case<'a> = (&'a str, &'a [(&'a str, &'a str)], &'a str, &'a str);
    let cases: [Case<'_>; 7] = [
        ("bearer", &[], "CredentialsMissing", "`token`"),
        ("bearer", &[("token", "")], "CredentialsMissing", "`token`"),
        ("bearer", &[("token", "s3cret\nx-injected: 1")], "CredentialsInvalid", "characters"),
        ("bearer", &[("token", &long)], "CredentialsInvalid", "longer than 65536 bytes"),
        ("basic", &[("username", "s3cret:b"), ("password", "p")], "CredentialsInvalid", "colon"),
        ("mtls", &[("tls.crt", "s3cret"), ("tls.key", "s3cret")], "CredentialsInvalid", "not a certificate"),
        ("oci-signature", &[("tenancy", "t"), ("user", "a\"s3cret")], "CredentialsInvalid", "`user`"),
    ];
    for (kind, secrets, reason, says) in cases {
        let failure = Bench::new(kind, &[], secrets, &server).sign().await.unwrap_err();
        assert_eq!((failure.code, failure.reason), (ErrorCode::Unauthenticated, reason), "{failure:?}");
        assert!(failure.message.contains(says), "{failure:?}");
        assert!(!failure.message.contains("s3cret"), "{failure:?}");
    }
}

#[tokio::test]
async fn a_login_gives_a_token_for_the_calls_after_it() {
    let server = Server::start(|seen| match seen.line.as_str() {
        "POST /v3/auth/tokens" => reply(201, "{}").with("x-subject-token", "keystone-1"),
        "POST /session" => reply(200, r#""vsphere-1""#),
        "POST /form" => reply(200, r#"{"data":{"ticket":"pve-1"}}"#),
        _ => reply(404, ""),
    })
    .await;
    let body = r#"{"auth":{"identity":{"password":{"user":{"name":"{secret.username}","domain":{"id":"{config.endpoint}"},"password":"{secret.password}"}}}}}"#;
    let secrets = [("username", "u\"1"), ("password", SECRET)];
    let keystone = [
        ("url", "{config.endpoint}/v3/auth/tokens"),
        ("body", body),
        ("token", "X-Subject-Token"),
        ("header", "X-Auth-Token"),
        ("prefix", ""),
    ];
    let bench = Bench::new("login", &keystone, &secrets, &server);
    for _ in 0..2 {
        let parts = bench.sign().await.unwrap();
        assert_eq!(parts.headers["x-auth-token"], "keystone-1");
    }
    let vsphere = [
        ("url", "{config.endpoint}/session"),
        ("basic", "username,password"),
        ("token", ""),
        ("header", "vmware-api-session-id"),
        ("prefix", ""),
    ];
    let parts = Bench::new("login", &vsphere, &secrets, &server).sign().await.unwrap();
    assert_eq!(parts.headers["vmware-api-session-id"], "vsphere-1");
    let form = [
        ("url", "{config.endpoint}/form"),
        ("body", r#"{"username":"{secret.username}","password":"{secret.password}"}"#),
        ("format", "form"),
        ("token", "/data/ticket"),
        ("header", "cookie"),
        ("prefix", "PVEAuthCookie="),
    ];
    let parts = Bench::new("login", &form, &secrets, &server).sign().await.unwrap();
    assert_eq!(parts.headers["cookie"], "PVEAuthCookie=pve-1");

    let seen = server.seen();
    assert_eq!(seen.len(), 3, "the first token was used twice");
    let user = &serde_json::from_str::<serde_json::Value>(&seen[0].body).unwrap()["auth"]["identity"]["password"]
        ["user"];
    assert_eq!(*user, json!({ "name": "u\"1", "domain": { "id": server.origin }, "password": SECRET }));
    assert_eq!(
        seen[1].header("authorization"),
        format!("Basic {}", STANDARD.encode(format!("u\"1:{SECRET}")))
    );
    assert_eq!(seen[2].form()["password"], SECRET);
}

#[tokio::test]
async fn client_certificates_have_connections_of_their_own() {
    let [one, two] =
        ["one", "two"].map(|name| rcgen::generate_simple_self_signed([name.to_owned()]).unwrap());
    let known = [one.cert.der().clone(), two.cert.der().clone()];
    let server = Server::tls(&known, |_| reply(200, "")).await;
    let secrets = |of: &rcgen::CertifiedKey<rcgen::KeyPair>| (of.cert.pem(), of.signing_key.serialize_pem());
    let bench = Bench::new("mtls", &[], &[], &server);
    let url = format!("{}/v1", server.origin);
    let send = async |signer: Option<&super::Signer>| {
        let request = Request::get(&url).body(Full::<Bytes>::default()).unwrap();
        bench.client.send(request, signer.and_then(super::Signer::certificate)).await.is_ok()
    };
    for identity in [&one, &two, &one] {
        let (certificate, key) = secrets(identity);
        let own = Bench::new("mtls", &[], &[("tls.crt", &certificate), ("tls.key", &key)], &server);
        let signer = own.signer().unwrap();
        assert!(own.sign().await.is_ok());
        assert!(send(Some(&signer)).await);
        let shown = server.seen().last().unwrap().certificate.clone();
        assert_eq!(shown.unwrap(), identity.cert.der().to_vec());
        let printed = format!("{:?}", signer.certificate());
        assert!(!key.lines().any(|line| printed.contains(line)), "{printed}");
    }
    assert!(!send(None).await, "without a certificate there is no answer");
    let (certificate, _) = secrets(&one);
    let (_, key) = secrets(&two);
    let mixed = Bench::new("mtls", &[], &[("tls.crt", &certificate), ("tls.key", &key)], &server);
    assert!(mixed.sign().await.unwrap_err().message.contains("not the key of the certificate"));
}
