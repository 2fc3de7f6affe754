//! Signatures against the test values of "Request Signatures" in the documentation of Oracle Cloud
//! Infrastructure, made with the key of draft-cavage-http-signatures appendix C. That key has 1024 bits,
//! with which nothing is signed here any more: the published signatures are verified over our text.

use super::*;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaKeyPair,
    UnparsedPublicKey,
};
use http::Request;
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};
use std::time::Duration;

const PUBLIC_KEY: &str = "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDCFENGw33yGihy92pDjZQhl0C36rPJj+CvfSC8+q28hxA161QFNUd13wuCTUcq0Qd2qsBe/2hFyc2DCJJg0h1L78+6Z4UMR7EOcpfdUE9Hf3m/hs+FUR45uBJeDK1HSFHD8bHKD6kv8FPGfJTotc+2xjJwoYi+1hqp1fIekaxsyQIDAQAB";
/// Its day of the week is wrong, as published.
const PUBLISHED_DATE: &str = "Thu, 05 Jan 2014 21:31:40 GMT";
const HOST_NAME: &str = "iaas.us-phoenix-1.oraclecloud.com";

fn verify(text: &str, signature: &str) {
    let key = STANDARD.decode(PUBLIC_KEY).unwrap();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, key);
    key.verify(text.as_bytes(), &STANDARD.decode(signature).unwrap()).unwrap();
}

fn published(request: http::request::Builder, body: &str) -> String {
    let (mut parts, ()) = request.header(HOST, HOST_NAME).body(()).unwrap().into_parts();
    let names = prepare(&mut parts, body.as_bytes(), SystemTime::UNIX_EPOCH).unwrap();
    parts.headers.insert(DATE, HeaderValue::from_static(PUBLISHED_DATE));
    signing_string(&parts, &names).unwrap()
}

#[test]
fn the_published_request_without_a_body() {
    let text = published(
        Request::get(format!(
            "https://{HOST_NAME}/20160918/instances?availabilityDomain=Pjwf%3A%20PHX-AD-1&compartmentId=ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa&displayName=TeamXInstances&volumeId=ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q"
        )),
        "",
    );
    verify(
        &text,
        "GBas7grhyrhSKHP6AVIj/h5/Vp8bd/peM79H9Wv8kjoaCivujVXlpbKLjMPeDUhxkFIWtTtLBj3sUzaFj34XE6YZAHc9r2DmE4pMwOAy/kiITcZxa1oHPOeRheC0jP2dqbTll8fmTZVwKZOKHYPtrLJIJQHJjNvxFWeHQjMaR7M=",
    );
}

#[test]
fn the_published_request_with_a_body() {
    let body = r#"{
    "compartmentId": "ocid1.compartment.oc1..aaaaaaaam3we6vgnherjq5q2idnccdflvjsnog7mlr6rtdb25gilchfeyjxa",
    "instanceId": "ocid1.instance.oc1.phx.abuw4ljrlsfiqw6vzzxb43vyypt4pkodawglp3wqxjqofakrwvou52gb6s5a",
    "volumeId": "ocid1.volume.oc1.phx.abyhqljrgvttnlx73nmrwfaux7kcvzfs3s66izvxf2h4lgvyndsdsnoiwr5q"
}"#;
    let text = published(Request::post(format!("https://{HOST_NAME}/20160918/volumeAttachments")), body);
    assert!(text.contains("content-length: 316\n"), "{text}");
    assert!(text.ends_with("x-content-sha256: V9Z20UJTvkvpJ50flBzKE32+6m2zJjweHpDMX/U4Uy0="), "{text}");
    verify(
        &text,
        "Mje8vIDPlwIHmD/cTDwRxE7HaAvBg16JnVcsuqaNRim23fFPgQfLoOOxae6WqKb1uPjYEl0qIdazWaBy/Ml8DRhqlocMwoSXv0fbukP8J5N80LCmzT/FFBvIvTB91XuXI3hYfP9Zt1l7S6ieVadHUfqBedWH0itrtPJBgKmrWso=",
    );
}

#[test]
fn the_header_names_what_it_signs() {
    let pem = include_str!("../testdata/rfc7515-a2.pem");
    let signer = Signer { key_id: "t/u/f".to_owned(), key: RsaKey::read(pem).unwrap() };
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_323_045);
    for (method, body, names) in [
        ("GET", "", "date (request-target) host"),
        ("DELETE", "", "date (request-target) host"),
        ("POST", "", "date (request-target) host content-length content-type x-content-sha256"),
        ("PUT", "{}", "date (request-target) host content-length content-type x-content-sha256"),
    ] {
        let request =
            Request::builder().method(method).uri("https://a.example/x?b=c").header(HOST, "a.example");
        let (mut parts, ()) = request.body(()).unwrap().into_parts();
        signer.sign(&mut parts, body.as_bytes(), now).unwrap();
        assert_eq!(parts.headers[DATE], "Fri, 02 Jan 2026 03:04:05 GMT");
        let value = parts.headers[AUTHORIZATION].to_str().unwrap();
        let head = format!(
            "Signature version=\"1\",keyId=\"t/u/f\",algorithm=\"rsa-sha256\",headers=\"{names}\",signature=\""
        );
        let signature = value.strip_prefix(&head).unwrap().strip_suffix('"').unwrap();
        let names: Vec<&str> = names.split(' ').collect();
        let text = signing_string(&parts, &names).unwrap();
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
        let pair = RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap();
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref())
            .verify(text.as_bytes(), &STANDARD.decode(signature).unwrap())
            .unwrap();
        assert!(!format!("{parts:?}").contains(signature), "a signature is not shown");
    }
}
