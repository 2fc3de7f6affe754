//! Table tests of endpoint matching.

use super::*;
use kompox_core::driver::Descriptor;
use serde_json::json;

fn provider(endpoints: &[(&str, &str)]) -> Provider {
    let endpoints: Vec<_> = endpoints.iter().map(|(url, auth)| json!({ "url": url, "auth": auth })).collect();
    let descriptor: Descriptor = serde_json::from_value(json!({
        "name": "d", "version": "1.0.0", "providers": [{ "type": "t", "endpoints": endpoints }]
    }))
    .unwrap();
    descriptor.providers[0].clone()
}

fn policy(endpoints: &[(&str, &str)], config: &[(&str, &str)], grant: &EgressGrant) -> Policy {
    let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Policy::Open(Endpoints::resolve(&provider(endpoints), &config, grant))
}

fn local() -> EgressGrant {
    EgressGrant {
        scope: EgressScope::Declared,
        plain_http: PlainHttp::InGrantedNetworks,
        networks: vec!["127.0.0.0/8".parse().unwrap()],
        origins: vec!["https://vpce-1.ec2.us-east-1.vpce.amazonaws.com".to_owned()],
        ..EgressGrant::default()
    }
}

/// The profile of the endpoint that allows the request, or the reason of its refusal.
#[expect(clippy::unwrap_in_result, reason = "a test: the URL is written in it")]
fn verdict(policy: &Policy, url: &str) -> Result<String, &'static str> {
    let uri: Uri = url.parse().unwrap();
    policy
        .allow(&Method::POST, &uri)
        .map(|endpoint| endpoint.auth.clone().unwrap_or_default())
        .map_err(|denial| denial.reason)
}

const ENDPOINTS: &[(&str, &str)] = &[
    ("https://ec2.{config.region}.amazonaws.com/", "ec2"),
    ("https://*.blob.example.com/v1", "wild"),
    ("https://a.blob.example.com/", "exact"),
    ("https://a.blob.example.com/v1/keys", "keys"),
    ("{config.endpoint}", "own"),
];

#[test]
fn requests_are_matched_to_endpoints() {
    let policy = policy(ENDPOINTS, &[("region", "us-west-2")], &EgressGrant::default());
    let not_declared = Err("EndpointNotDeclared");
    let malformed = Err("MalformedRequest");
    let cases: &[(&str, Result<&str, &'static str>)] = &[
        ("https://ec2.us-west-2.amazonaws.com/", Ok("ec2")),
        ("https://EC2.us-west-2.AmazonAWS.com:443/?Action=X", Ok("ec2")),
        ("https://ec2.us-west-2.amazonaws.com:8443/", not_declared),
        ("https://ec2.us-east-1.amazonaws.com/", not_declared),
        ("http://ec2.us-west-2.amazonaws.com/", not_declared),
        ("https://ec2.us-west-2.amazonaws.com.evil.com/", not_declared),
        ("https://evil.ec2.us-west-2.amazonaws.com/", not_declared),
        ("https://ec2.us-west-2.amazonaws.com./", malformed),
        ("https://user@ec2.us-west-2.amazonaws.com/", malformed),
        ("https://evil.com@ec2.us-west-2.amazonaws.com/", malformed),
        ("https://b.blob.example.com/v1", Ok("wild")),
        ("https://b.blob.example.com/v1/x?y=1", Ok("wild")),
        ("https://b.blob.example.com/v1x", not_declared),
        ("https://b.blob.example.com/", not_declared),
        ("https://b.c.blob.example.com/v1", not_declared),
        ("https://blob.example.com/v1", not_declared),
        ("https://a.blob.example.com/v1", Ok("exact")),
        ("https://a.blob.example.com/v1/keys/1", Ok("keys")),
        ("https://b.blob.example.com/v1/../secret", malformed),
        ("https://b.blob.example.com/v1/%2e%2E/secret", malformed),
        ("https://b.blob.example.com/v1/a%2f..%2f..%2fsecret", malformed),
        ("https://ec2.us-west-2.amazonaws.com:/", malformed),
        ("https://ec2.us-west-2.amazonaws.com:80/", not_declared),
        ("https://ec2.us-west-2.amazonaws.com:443@evil.example/", malformed),
        ("https://xn--ec-5ja.us-west-2.amazonaws.com/", not_declared),
        ("https://2852039166/latest/", not_declared),
        ("https://0xa9fea9fe/", not_declared),
        ("https://0251.0376.0251.0376/", not_declared),
        ("https://[::ffff:a9fe:a9fe]/", not_declared),
        ("https://10.96.0.1/api", not_declared),
        ("https://kubernetes.default.svc/api", not_declared),
        ("ftp://ec2.us-west-2.amazonaws.com/", malformed),
        ("https://169.254.169.254/latest/meta-data/", not_declared),
        ("https://[::ffff:169.254.169.254]/", not_declared),
    ];
    for (url, expected) in cases {
        assert_eq!(verdict(&policy, url), expected.map(str::to_owned), "{url}");
    }
}

#[test]
fn tunnels_cannot_be_asked_for() {
    let policy = policy(ENDPOINTS, &[("region", "us-west-2")], &EgressGrant::default());
    for method in [Method::CONNECT, Method::TRACE] {
        let denial =
            policy.allow(&method, &"https://ec2.us-west-2.amazonaws.com/".parse().unwrap()).unwrap_err();
        assert_eq!(denial.reason, "MalformedRequest", "{method}");
    }
}

/// A host in the administrator's list may also be configured, over TLS only.
#[test]
fn a_listed_host_may_be_configured() {
    let scope = EgressScope::Hosts(vec!["*.vpce.example".to_owned()]);
    let grant =
        EgressGrant { scope, networks: vec!["10.0.0.0/8".parse().unwrap()], ..EgressGrant::default() };
    for (endpoint, expected) in [
        ("https://a.vpce.example", Ok("own")),
        ("https://a.vpce.example:8443", Ok("own")),
        ("http://a.vpce.example", Err("EndpointNotDeclared")),
        ("https://a.b.vpce.example", Err("EndpointNotDeclared")),
        ("https://a.vpce.example.evil.example", Err("EndpointNotDeclared")),
        ("https://10.1.2.3", Ok("own")),
        ("https://11.1.2.3", Err("EndpointNotDeclared")),
    ] {
        let policy = policy(ENDPOINTS, &[("endpoint", endpoint)], &grant);
        assert_eq!(verdict(&policy, &format!("{endpoint}/")), expected.map(str::to_owned), "{endpoint}");
    }
}

#[test]
fn a_configured_origin_needs_a_grant() {
    let cases: &[(&str, &str, Result<&str, &'static str>)] = &[
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000/", Ok("own")),
        ("http://127.0.0.1:5000/", "http://127.0.0.1:5000/x", Ok("own")),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5001/", Err("EndpointNotDeclared")),
        ("http://10.0.0.1", "http://10.0.0.1/", Err("EndpointNotDeclared")),
        ("https://evil.example", "https://evil.example/", Err("EndpointNotDeclared")),
        (
            "https://vpce-1.ec2.us-east-1.vpce.amazonaws.com",
            "https://vpce-1.ec2.us-east-1.vpce.amazonaws.com/",
            Ok("own"),
        ),
        ("https://a@127.0.0.1", "https://127.0.0.1/", Err("EndpointNotDeclared")),
        ("https://*.example.com", "https://a.example.com/", Err("EndpointNotDeclared")),
    ];
    for (endpoint, url, expected) in cases {
        let policy = policy(ENDPOINTS, &[("endpoint", endpoint)], &local());
        assert_eq!(verdict(&policy, url), expected.map(str::to_owned), "{endpoint} {url}");
    }
    let ungranted = policy(ENDPOINTS, &[("endpoint", "http://127.0.0.1:5000")], &EgressGrant::default());
    let denial = ungranted.allow(&Method::GET, &"http://127.0.0.1:5000/".parse().unwrap()).unwrap_err();
    let grant = "from config.endpoint: if it is right, add `127.0.0.1/32` to `spec.egress.cidrs`";
    assert!(denial.message.contains(grant), "{denial}");
}

#[test]
fn plain_http_and_address_literals_need_grants() {
    let endpoints: &[(&str, &str)] = &[("http://api.example.com/", "a"), ("https://127.0.0.1:8443/", "b")];
    let none = policy(endpoints, &[], &EgressGrant::default());
    assert_eq!(verdict(&none, "http://api.example.com/"), Err("PlainHttp"));
    assert_eq!(verdict(&none, "https://127.0.0.1:8443/"), Err("AddressForbidden"));
    let local = policy(endpoints, &[], &local());
    assert_eq!(verdict(&local, "http://api.example.com/"), Ok("a".to_owned()));
    assert_eq!(verdict(&local, "https://127.0.0.1:8443/"), Ok("b".to_owned()));
}

#[test]
fn a_configured_value_cannot_break_out_of_its_label() {
    for region in ["evil.com/", "x@evil", "a.b", "", "a:1", "%2e"] {
        let policy = policy(ENDPOINTS, &[("region", region)], &local());
        let Policy::Open(endpoints) = &policy else { unreachable!() };
        assert!(endpoints.unusable[0].contains("config.region"), "{region}: {:?}", endpoints.unusable);
    }
}

#[test]
fn closed_egress_says_why() {
    let policy = Policy::Closed("`disk.plan` is pure");
    let denial = policy.allow(&Method::GET, &"https://a.example.com/?k=v".parse().unwrap()).unwrap_err();
    assert_eq!(denial.reason, "EgressClosed");
    assert!(denial.message.contains("disk.plan") && !denial.message.contains("k=v"), "{denial}");
}

#[test]
fn malformed_templates_are_refused() {
    for url in [
        "ftp://a.example.com",
        "a.example.com",
        "https://",
        "https://*",
        "https://*.com",
        "https://a.*.com",
        "https://a*.example.com",
        "https://{config.host}",
        "https://{config.a}.com",
        "https://a.example.com/?x",
        "https://a.example.com/../x",
        "https://u@a.example.com",
        "https://a.example.com:x/",
        "{config.}",
        "https://{env.x}.example.com",
        "https://a}.example.com",
        "{config.endpoint}x",
    ] {
        assert!(Template::parse(url).is_err(), "{url}");
    }
    for url in [
        "https://ec2.{config.region}.amazonaws.com",
        "https://*.s3.{config.region}.amazonaws.com/x/",
        "https://management.azure.com/subscriptions/{config.subscription}",
        "{config.endpoint}/api",
        "http://127.0.0.1:5000/",
        "https://[::1]:8443/",
        "https://a-{config.x}.example.com:8443",
    ] {
        assert!(Template::parse(url).is_ok(), "{url}");
    }
}

#[test]
fn what_is_declared_is_open_only_as_far_as_the_administrator_says() {
    let hosts = |hosts: &[&str]| EgressScope::Hosts(hosts.iter().map(|h| (*h).to_owned()).collect());
    let cases = [
        (EgressScope::Declared, ""),
        (EgressScope::Closed, "EgressClosed"),
        (hosts(&["ec2.us-west-2.amazonaws.com"]), ""),
        (hosts(&["*.us-west-2.amazonaws.com"]), ""),
        (hosts(&["*.amazonaws.com"]), "HostNotGranted"),
        (hosts(&["c2.us-west-2.amazonaws.com"]), "HostNotGranted"),
        (hosts(&[]), "HostNotGranted"),
    ];
    let uri: Uri = "https://ec2.us-west-2.amazonaws.com/".parse().unwrap();
    for (scope, expected) in cases {
        let grant = EgressGrant { scope: scope.clone(), ..EgressGrant::default() };
        let policy = policy(&[("https://ec2.us-west-2.amazonaws.com/", "")], &[], &grant);
        let reason = policy.allow(&Method::POST, &uri).map_or_else(|denial| denial.reason, |_| "");
        assert_eq!(reason, expected, "{scope:?}");
    }
}
