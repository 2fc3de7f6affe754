//! Profiles of single clouds: what their token services are sent, with a Secret and with the
//! operator's own identity.

use crate::auth::{
    AwsIdentity, AzureIdentity, GoogleIdentity, WorkloadIdentity,
    testing::{Bench, Server, reply, token},
};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use http::Request;
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use serde_json::{Value, json};
use std::io::Write as _;
use tempfile::NamedTempFile;

const KEY: &str = include_str!("../testdata/rfc7515-a2.pem");

fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file
}

#[tokio::test]
async fn azure_with_a_client_secret() {
    let server = Server::start(|_| token("entra-1", 3599)).await;
    let params = [("authority", "{config.endpoint}")];
    let secrets = [("tenantId", "tenant-1"), ("clientId", "client-1"), ("clientSecret", "s3cr3t")];
    let bench = Bench::new("azure-token", &params, &secrets, &server);
    assert_eq!(bench.authorization().await.unwrap(), "Bearer entra-1");
    let seen = &server.seen()[0];
    assert_eq!(seen.line, "POST /tenant-1/oauth2/v2.0/token");
    let expected = [
        ("client_id", "client-1"),
        ("client_secret", "s3cr3t"),
        ("grant_type", "client_credentials"),
        ("scope", "https://management.azure.com/.default"),
    ];
    let form = seen.form();
    assert_eq!(form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
    assert_eq!(bench.redactor.redact("tenant-1 client-1"), "tenant-1 client-1", "ids stay readable");

    let server = Server::start(|_| {
        let text = "AADSTS7000215: Invalid client secret provided. s3cr3t";
        reply(401, json!({ "error": "invalid_client", "error_description": text }))
    })
    .await;
    let failure = Bench::new("azure-token", &params, &secrets, &server).sign().await.unwrap_err();
    assert!(failure.message.contains("(status 401, AADSTS7000215)"), "{failure:?}");
    assert!(!failure.message.contains("s3cr3t"), "{failure:?}");
}

#[tokio::test]
async fn azure_with_the_operators_identity() {
    let server = Server::start(|_| token("entra-1", 60)).await;
    let assertion = file("service.account.token\n");
    let identity = || WorkloadIdentity {
        azure: Some(AzureIdentity {
            tenant_id: "tenant-1".to_owned(),
            client_id: "client-1".to_owned(),
            token_file: assertion.path().to_owned(),
            authority: server.origin.clone(),
        }),
        ..WorkloadIdentity::default()
    };
    let bench = Bench::new("azure-token", &[], &[], &server).with_identity(identity());
    assert_eq!(bench.authorization().await.unwrap(), "Bearer entra-1");
    let form = server.seen()[0].form();
    assert_eq!(form["client_assertion"], "service.account.token");
    assert_eq!(form["client_assertion_type"], "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    assert!(!form.contains_key("client_secret"));

    // The platform writes the file anew, and it is read anew.
    std::fs::write(assertion.path(), "second.token").unwrap();
    bench.advance(120);
    bench.sign().await.unwrap();
    assert_eq!(server.seen()[1].form()["client_assertion"], "second.token");

    // Half a Secret is a mistake and no wish for the operator's rights.
    let half = Bench::new("azure-token", &[], &[("clientId", "c")], &server).with_identity(identity());
    let failure = half.sign().await.unwrap_err();
    assert_eq!(failure.reason, "CredentialsMissing", "{failure:?}");
    assert_eq!(server.seen().len(), 2);
}

fn service_account(token_uri: &str) -> String {
    let key = json!({
        "type": "service_account", "client_email": "sa@project.iam.gserviceaccount.com",
        "private_key_id": "kid-1", "private_key": KEY, "token_uri": token_uri,
    });
    key.to_string()
}

#[tokio::test]
async fn google_with_a_service_account_key() {
    let server = Server::start(|_| token("ya29", 3600)).await;
    let params = [("tokenUrl", "{config.endpoint}/token")];
    let url = format!("{}/token", server.origin);
    let bench =
        Bench::new("google-token", &params, &[("serviceAccountKey", &service_account(&url))], &server);
    assert_eq!(bench.authorization().await.unwrap(), "Bearer ya29");
    let form = server.seen()[0].form();
    assert_eq!(form["grant_type"], "urn:ietf:params:oauth:grant-type:jwt-bearer");
    let (input, signature) = form["assertion"].rsplit_once('.').unwrap();
    let (header, claims) = input.split_once('.').unwrap();
    let json = |text: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(text).unwrap()).unwrap();
    assert_eq!(json(header), json!({ "alg": "RS256", "typ": "JWT", "kid": "kid-1" }));
    let expected = json!({
        "iss": "sa@project.iam.gserviceaccount.com", "aud": url,
        "scope": "https://www.googleapis.com/auth/cloud-platform",
        "iat": 1_767_323_045_u64, "exp": 1_767_326_645_u64,
    });
    assert_eq!(json(claims), expected);
    let der = PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
    let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
        .verify(input.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
        .unwrap();
    let line = KEY.lines().nth(3).unwrap();
    assert!(!bench.redactor.redact(&format!("key {line}")).contains(line), "a line of the key is secret");
}

#[tokio::test]
async fn a_key_file_chooses_no_token_endpoint() {
    let server = Server::start(|_| token("t", 60)).await;
    let other = format!("{}/token", server.origin);
    for (key, says) in [
        (service_account(&other), "`token_uri`"),
        (
            service_account("https://oauth2.googleapis.com/token").replace("service_account", "other"),
            "`type`",
        ),
        ("{\"private_key\": \"s3cr3t\"".to_owned(), "not the JSON key"),
    ] {
        let bench = Bench::new("google-token", &[], &[("serviceAccountKey", &key)], &server);
        let failure = bench.sign().await.unwrap_err();
        assert_eq!(failure.reason, "CredentialsInvalid");
        assert!(failure.message.contains(says) && !failure.message.contains("s3cr3t"), "{failure:?}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn google_with_a_metadata_server() {
    let server = Server::start(|_| token("ya29", 3600).with("metadata-flavor", "Google")).await;
    let identity = |server: &Server| WorkloadIdentity {
        google: Some(GoogleIdentity::Metadata { host: server.origin.replace("http://", "") }),
        ..WorkloadIdentity::default()
    };
    let bench = Bench::new("google-token", &[], &[], &server).with_identity(identity(&server));
    assert_eq!(bench.authorization().await.unwrap(), "Bearer ya29");
    let seen = &server.seen()[0];
    assert_eq!(
        seen.line,
        "GET /computeMetadata/v1/instance/service-accounts/default/token?scopes=https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fcloud-platform"
    );
    assert_eq!(seen.header("metadata-flavor"), "Google");

    let other = Server::start(|_| token("ya29", 3600)).await;
    let bench = Bench::new("google-token", &[], &[], &other).with_identity(identity(&other));
    let failure = bench.sign().await.unwrap_err();
    assert!(failure.message.contains("does not come from a metadata server"), "{failure:?}");
}

#[tokio::test]
async fn google_with_federation() {
    let server = Server::start(|seen| match seen.line.as_str() {
        "POST /sts" => token("federated", 3600),
        _ => reply(200, json!({ "accessToken": "impersonated", "expireTime": "2026-01-02T04:04:05Z" })),
    })
    .await;
    let subject = file(r#"{"id_token":"the.platform.token"}"#);
    let config = file(
        &json!({
            "type": "external_account", "audience": "//iam.googleapis.com/pool",
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{}/sts", server.origin),
            "service_account_impersonation_url": format!("{}/sa:generateAccessToken", server.origin),
            "credential_source": {
                "file": subject.path(),
                "format": { "type": "json", "subject_token_field_name": "id_token" },
            },
        })
        .to_string(),
    );
    let identity = WorkloadIdentity {
        google: Some(GoogleIdentity::Federation { config_file: config.path().to_owned() }),
        ..WorkloadIdentity::default()
    };
    let bench = Bench::new("google-token", &[], &[], &server).with_identity(identity);
    assert_eq!(bench.authorization().await.unwrap(), "Bearer impersonated");
    let seen = server.seen();
    let form = seen[0].form();
    assert_eq!(form["subject_token"], "the.platform.token");
    assert_eq!(form["audience"], "//iam.googleapis.com/pool");
    assert_eq!(seen[1].line, "POST /sa:generateAccessToken");
    assert_eq!(seen[1].header("authorization"), "Bearer federated");
    assert!(!bench.redactor.redact("federated the.platform.token").contains("the.platform"));
}

const AWS: [(&str, &str); 2] = [("service", "ec2"), ("region", "us-west-2")];

#[tokio::test]
async fn aws_with_a_key() {
    let server = Server::start(|_| reply(500, "")).await;
    let secrets =
        [("accessKeyId", "AKIDEXAMPLE"), ("secretAccessKey", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")];
    let bench = Bench::new("aws-sigv4", &AWS, &secrets, &server);
    let parts =
        bench.sign_request(Request::post("https://ec2.us-west-2.amazonaws.com/"), "a=b").await.unwrap();
    let value = parts.headers["authorization"].to_str().unwrap();
    let head = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-west-2/ec2/aws4_request, SignedHeaders=host;x-amz-date, Signature=";
    assert!(value.starts_with(head), "{value}");
    assert!(!parts.headers.contains_key("x-amz-security-token"));
    assert!(!format!("{parts:?}").contains("Signature"), "{parts:?}");
}

fn assumed(end: &str) -> String {
    format!(
        "<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
         <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>\
         <SecretAccessKey>temporary/secret</SecretAccessKey><SessionToken>session/token</SessionToken>\
         <Expiration>{end}</Expiration></Credentials></AssumeRoleWithWebIdentityResult>\
         </AssumeRoleWithWebIdentityResponse>"
    )
}

fn aws(identity: AwsIdentity) -> WorkloadIdentity {
    WorkloadIdentity { aws: Some(identity), ..WorkloadIdentity::default() }
}

#[tokio::test]
async fn aws_with_a_role_for_a_service_account() {
    let assertion = file("service.account.token");
    let identity = |server: &Server| {
        aws(AwsIdentity::WebIdentity {
            role_arn: "arn:aws:iam::1:role/disks".to_owned(),
            token_file: assertion.path().to_owned(),
            sts_url: Some(format!("{}/", server.origin)),
        })
    };
    let server = Server::start(|_| reply(200, assumed("2026-01-02T04:04:05Z"))).await;
    let bench = Bench::new("aws-sigv4", &AWS, &[], &server).with_identity(identity(&server));
    for _ in 0..2 {
        let parts = bench.sign().await.unwrap();
        assert_eq!(parts.headers["x-amz-security-token"], "session/token");
        let value = parts.headers["authorization"].to_str().unwrap();
        assert!(value.contains("Credential=ASIA1/20260102/us-west-2/ec2/"), "{value}");
        assert!(value.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"), "{value}");
    }
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    let form = seen[0].form();
    assert_eq!(
        (form["Action"].as_str(), form["Version"].as_str()),
        ("AssumeRoleWithWebIdentity", "2011-06-15")
    );
    assert_eq!(form["RoleArn"], "arn:aws:iam::1:role/disks");
    assert_eq!(form["WebIdentityToken"], "service.account.token");
    assert_eq!(seen[0].header("authorization"), "", "the exchange is not signed");
    assert_eq!(bench.redactor.redact("session/token temporary/secret"), "[redacted] [redacted]");

    for (answer, says) in [
        (
            reply(400, "<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>"),
            "(status 400, ExpiredTokenException)",
        ),
        (reply(200, assumed("2020-01-01T00:00:00Z")), "`Expiration`"),
        (reply(200, "no XML <"), "`Expiration`"),
    ] {
        let server = Server::start(move |_| answer.clone()).await;
        let bench = Bench::new("aws-sigv4", &AWS, &[], &server).with_identity(identity(&server));
        let failure = bench.sign().await.unwrap_err();
        assert!(failure.message.contains(says), "{failure:?}");
    }
}

#[tokio::test]
async fn aws_with_pod_identity() {
    let server = Server::start(|_| {
        let body = json!({
            "AccessKeyId": "ASIA2", "SecretAccessKey": "temporary", "Token": "session-2",
            "Expiration": "2026-01-02T04:04:05Z",
        });
        reply(200, body)
    })
    .await;
    let pod = file("pod.token\n");
    let identity = aws(AwsIdentity::Container {
        url: format!("{}/v1/credentials", server.origin),
        token_file: Some(pod.path().to_owned()),
    });
    let bench = Bench::new("aws-sigv4", &AWS, &[], &server).with_identity(identity);
    assert_eq!(bench.sign().await.unwrap().headers["x-amz-security-token"], "session-2");
    let seen = &server.seen()[0];
    assert_eq!((seen.line.as_str(), seen.header("authorization")), ("GET /v1/credentials", "pod.token"));
}

#[tokio::test]
async fn oci_with_an_api_key() {
    let server = Server::start(|_| reply(500, "")).await;
    let secrets =
        [("tenancy", "ocid1.tenancy"), ("user", "ocid1.user"), ("fingerprint", "aa:bb"), ("privateKey", KEY)];
    let bench = Bench::new("oci-signature", &[], &secrets, &server);
    let value = bench.authorization().await.unwrap();
    let head = "Signature version=\"1\",keyId=\"ocid1.tenancy/ocid1.user/aa:bb\",algorithm=\"rsa-sha256\",";
    assert!(value.starts_with(head), "{value}");
    let signature = value.rsplit_once("signature=\"").unwrap().1.trim_end_matches('"');
    assert!(!bench.redactor.redact(&format!("echo {signature}")).contains(signature));
    assert_eq!(bench.redactor.redact("ocid1.tenancy"), "ocid1.tenancy", "ids stay readable");
}
