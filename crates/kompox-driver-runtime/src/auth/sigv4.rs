//! AWS Signature Version 4 for requests with a body in memory.
//!
//! Source: AWS IAM User Guide, "Create a signed AWS API request". Signed are `host`, `content-type`
//! and the `x-amz-*` headers set here.

use crate::redact::hex;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue, header, request::Parts};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, percent_encode};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use std::time::SystemTime;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const SEGMENTS: &AsciiSet = &UNRESERVED.remove(b'/');

/// A key of AWS.
#[derive(Clone)]
pub(super) struct AccessKey {
    pub(super) id: SecretString,
    pub(super) secret: SecretString,
    /// Of a temporary key.
    pub(super) session_token: Option<SecretString>,
}

impl AccessKey {
    /// What must never be shown.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &SecretString> {
        [&self.id, &self.secret].into_iter().chain(&self.session_token)
    }
}

/// Signs for one service and region.
pub(super) struct Signer {
    /// Such as `ec2`.
    pub(super) service: String,
    /// Such as `us-west-2`.
    pub(super) region: String,
}

impl Signer {
    /// Sets `x-amz-date`, `x-amz-security-token` and `authorization`.
    pub(super) fn sign(
        &self,
        key: &AccessKey,
        request: &mut Parts,
        body: &[u8],
        now: SystemTime,
    ) -> Result<(), String> {
        let now = jiff::Timestamp::try_from(now).map_err(|_| "the clock is out of range")?;
        let time = now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let day = now.strftime("%Y%m%d").to_string();
        request.headers.insert(DATE, value(&time)?);
        if let Some(token) = &key.session_token {
            let mut token = value(token.expose_secret())?;
            token.set_sensitive(true);
            request.headers.insert(TOKEN, token);
        }

        let (names, headers) = canonical_headers(&request.headers)?;
        let canonical = format!(
            "{}\n{}\n{}\n{headers}\n{names}\n{}",
            request.method,
            self.canonical_path(request.uri.path()),
            canonical_query(request.uri.query().unwrap_or_default()),
            hex(&Sha256::digest(body)),
        );
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let to_sign = format!("{ALGORITHM}\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical)));
        let signature = hex(&hmac(&self.signing_key(key, &day)?, &to_sign)?);

        let key = key.id.expose_secret();
        let text =
            format!("{ALGORITHM} Credential={key}/{scope}, SignedHeaders={names}, Signature={signature}");
        let mut authorization = value(&text)?;
        authorization.set_sensitive(true);
        request.headers.insert(header::AUTHORIZATION, authorization);
        Ok(())
    }

    fn signing_key(&self, key: &AccessKey, day: &str) -> Result<Vec<u8>, String> {
        let secret = format!("AWS4{}", key.secret.expose_secret());
        let day = hmac(secret.as_bytes(), day)?;
        let region = hmac(&day, &self.region)?;
        let service = hmac(&region, &self.service)?;
        hmac(&service, "aws4_request")
    }

    /// Every service but S3 encodes the path once more and ignores empty segments.
    fn canonical_path(&self, path: &str) -> String {
        if self.service == "s3" {
            return path.to_owned();
        }
        let mut plain = String::with_capacity(path.len());
        for c in path.chars() {
            if !(c == '/' && plain.ends_with('/')) {
                plain.push(c);
            }
        }
        percent_encode(plain.as_bytes(), SEGMENTS).to_string()
    }
}

fn canonical_query(query: &str) -> String {
    let encode = |text: &str| {
        let plain: Vec<u8> = percent_decode_str(text).collect();
        percent_encode(&plain, UNRESERVED).to_string()
    };
    let mut pairs: Vec<(String, String)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(name, value)| (encode(name), encode(value)))
        .collect();
    pairs.sort();
    pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
}

/// The names, `;`-separated, and the lines `name:value\n`, of the headers that are signed.
fn canonical_headers(headers: &HeaderMap) -> Result<(String, String), String> {
    let mut signed: Vec<&HeaderName> = headers
        .keys()
        .filter(|name| {
            *name == header::HOST || *name == header::CONTENT_TYPE || name.as_str().starts_with("x-amz-")
        })
        .collect();
    signed.sort_by_key(|name| name.as_str());
    let mut lines = String::new();
    for name in &signed {
        let values: Result<Vec<String>, String> = headers
            .get_all(*name)
            .iter()
            .map(|value| value.to_str().map_err(|_| format!("header `{name}` is not text")))
            .map(|value| value.map(|value| value.split_whitespace().collect::<Vec<_>>().join(" ")))
            .collect();
        lines.push_str(&format!("{name}:{}\n", values?.join(",")));
    }
    let names: Vec<&str> = signed.iter().map(|name| name.as_str()).collect();
    Ok((names.join(";"), lines))
}

fn hmac(key: &[u8], text: &str) -> Result<Vec<u8>, String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| "the key cannot be used")?;
    mac.update(text.as_bytes());
    Ok(mac.finalize().into_bytes().to_vec())
}

fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text).map_err(|_| "a credential holds characters that no header may".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Request;

    struct Case<'a> {
        method: &'a str,
        url: &'a str,
        content_type: Option<&'a str>,
        body: &'a str,
    }

    fn signature((signer, key): &(Signer, AccessKey), case: &Case<'_>, time: &str) -> String {
        let mut builder = Request::builder().method(case.method).uri(case.url);
        let uri: http::Uri = case.url.parse().unwrap();
        builder = builder.header(header::HOST, uri.host().unwrap());
        if let Some(content_type) = case.content_type {
            builder = builder.header(header::CONTENT_TYPE, content_type);
        }
        let (mut parts, ()) = builder.body(()).unwrap().into_parts();
        let now: jiff::Timestamp = time.parse().unwrap();
        signer.sign(key, &mut parts, case.body.as_bytes(), now.into()).unwrap();
        parts.headers[header::AUTHORIZATION].to_str().unwrap().to_owned()
    }

    fn signer(service: &str, region: &str, token: Option<&str>) -> (Signer, AccessKey) {
        let signer = Signer { service: service.to_owned(), region: region.to_owned() };
        let key = AccessKey {
            id: "AKIDEXAMPLE".into(),
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".into(),
            session_token: token.map(Into::into),
        };
        (signer, key)
    }

    /// A case of the suite: what is signed, with which token, and the header that must come out.
    #[derive(serde::Deserialize)]
    struct Published {
        name: String,
        method: String,
        url: String,
        #[serde(default)]
        content_type: Option<String>,
        #[serde(default)]
        body: String,
        #[serde(default)]
        session_token: Option<String>,
        signed_headers: String,
        signature: String,
    }

    /// Cases of the AWS Signature Version 4 test suite, from its copy in
    /// <https://github.com/awslabs/aws-c-auth> (`tests/aws-signing-test-suite/v4`). Left out are those
    /// whose request line is no URL as an HTTP library has it, and those that sign other headers.
    #[test]
    fn the_published_test_suite() {
        let cases: Vec<Published> = serde_json::from_str(include_str!("testdata/sigv4-suite.json")).unwrap();
        assert_eq!(cases.len(), 12);
        for case in &cases {
            let signer = signer("service", "us-east-1", case.session_token.as_deref());
            let given = Case {
                method: &case.method,
                url: &case.url,
                content_type: case.content_type.as_deref(),
                body: &case.body,
            };
            let expected = format!(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders={}, Signature={}",
                case.signed_headers, case.signature
            );
            assert_eq!(signature(&signer, &given, "2015-08-30T12:36:00Z"), expected, "{}", case.name);
        }
    }

    /// The worked example of the IAM User Guide.
    #[test]
    fn the_documented_example() {
        let case = Case {
            method: "GET",
            url: "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
            content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
            body: "",
        };
        let text = signature(&signer("iam", "us-east-1", None), &case, "2015-08-30T12:36:00Z");
        assert!(
            text.ends_with("Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"),
            "{text}"
        );
    }

    /// Captured from botocore, with and without a session token.
    #[test]
    fn an_ec2_query_as_botocore_signs_it() {
        let case = Case {
            method: "POST",
            url: "https://ec2.us-west-2.amazonaws.com/",
            content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
            body: "Action=DescribeVolumes&Version=2016-11-15&VolumeId.1=vol-0123456789abcdef0",
        };
        let time = "2026-01-02T03:04:05Z";
        let text = signature(&signer("ec2", "us-west-2", None), &case, time);
        assert!(text.ends_with(
            "SignedHeaders=content-type;host;x-amz-date, Signature=0cbe55dae4dc395cc0a52f90fc7bd5a07fb880078fe8bb9d26b18e71652bce5e"
        ), "{text}");
        let text = signature(&signer("ec2", "us-west-2", Some("SESSIONTOKEN")), &case, time);
        assert!(text.ends_with(
            "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, Signature=3a5e178609a22d7ffb4abce5315879a8e8ee2c8c01ace9433763f442a29c8645"
        ), "{text}");
    }

    #[test]
    fn paths_and_queries_in_canonical_form() {
        let (ec2, _) = signer("ec2", "r", None);
        assert_eq!(ec2.canonical_path("//a//b%20c/"), "/a/b%2520c/");
        assert_eq!(signer("s3", "r", None).0.canonical_path("/a%20b//c"), "/a%20b//c");
        assert_eq!(canonical_query("b=2&a=x%2fy&a=~&c"), "a=x%2Fy&a=~&b=2&c=");
    }
}
