//! Reads the JSON of `describe` and refuses what the host could not honour.

use crate::{auth, egress::Template, error::LoadError};
use kompox_core::driver::{Descriptor, Endpoint, Provider};
use semver::Version;
use std::collections::BTreeSet;

/// Longest descriptor, in bytes.
const DESCRIPTOR_BYTES: usize = 256 << 10;
/// Provider types of one driver.
const PROVIDERS: usize = 16;
/// Longest version, in bytes: it is shown in statuses.
const VERSION: usize = 64;
/// Longest name of a publisher, in bytes.
const VENDOR: usize = 253;
/// Words of `requires`.
const REQUIRES: usize = 32;
/// Entries of any list of a provider type.
const ENTRIES: usize = 64;
/// Longest word, name or URL, in bytes.
const WORD: usize = 512;
/// How long a new object may be missing from lists at most: ten minutes.
const CONSISTENCY_MS: u64 = 600_000;
/// Words of `requires` that this operator knows; none has been needed yet.
const KNOWN_REQUIREMENTS: [&str; 0] = [];

/// Reads and checks a descriptor.
pub(super) fn read(json: &str) -> Result<Descriptor, LoadError> {
    if json.len() > DESCRIPTOR_BYTES {
        return Err(LoadError::Descriptor(format!("it is longer than {DESCRIPTOR_BYTES} bytes")));
    }
    let descriptor: Descriptor = serde_json::from_str(json).map_err(|error| {
        LoadError::Descriptor(format!("it does not follow the descriptor's schema: {error}"))
    })?;
    check(&descriptor, env!("CARGO_PKG_VERSION")).map_err(LoadError::Descriptor)?;
    Ok(descriptor)
}

fn check(descriptor: &Descriptor, host: &str) -> Result<(), String> {
    if !is_dns_label(&descriptor.name) {
        return Err(format!("`name` is {:?}; it must be a DNS label", descriptor.name));
    }
    if descriptor.version.len() > VERSION {
        return Err(format!("`version` is longer than {VERSION} bytes"));
    }
    version("version", &descriptor.version)?;
    check_text("vendor", &descriptor.vendor, VENDOR)?;
    check_list("requires", &descriptor.requires.iter().map(String::as_str).collect::<Vec<_>>(), REQUIRES)?;
    if let Some(needed) = &descriptor.min_host_version
        && version("minHostVersion", needed)? > version("the operator's version", host)?
    {
        return Err(format!("the driver needs operator {needed} or later; this is {host}"));
    }
    if let Some(word) = descriptor.requires.iter().find(|word| !KNOWN_REQUIREMENTS.contains(&word.as_str())) {
        return Err(format!(
            "it requires `{word}`, which this operator ({host}) does not know; use a later operator"
        ));
    }
    if descriptor.providers.is_empty() || descriptor.providers.len() > PROVIDERS {
        return Err(format!("`providers` must have 1 to {PROVIDERS} entries"));
    }
    let mut types = BTreeSet::new();
    for provider in &descriptor.providers {
        check_provider(provider).map_err(|what| format!("provider type `{}`: {what}", provider.type_))?;
        if !types.insert(&provider.type_) {
            return Err(format!("provider type `{}` is there twice", provider.type_));
        }
    }
    Ok(())
}

fn version(what: &str, text: &str) -> Result<Version, String> {
    Version::parse(text).map_err(|error| format!("{what} is {text:?}: {error}"))
}

fn check_provider(provider: &Provider) -> Result<(), String> {
    if !is_dns_label(&provider.type_) || provider.type_ == "auto" {
        return Err("a type must be a DNS label other than `auto`".to_owned());
    }
    let lists: [(&str, Vec<&str>); 5] = [
        ("csiDrivers", provider.csi_drivers.iter().map(String::as_str).collect()),
        ("features", provider.features.iter().map(String::as_str).collect()),
        ("endpoints", provider.endpoints.iter().map(|endpoint| endpoint.url.as_str()).collect()),
        ("authProfiles", provider.auth_profiles.iter().map(|profile| profile.name.as_str()).collect()),
        ("credentials", provider.credentials.iter().map(|credential| credential.key.as_str()).collect()),
    ];
    for (name, list) in &lists {
        check_list(name, list, ENTRIES)?;
    }
    for credential in &provider.credentials {
        check_text("description", &credential.description, WORD)
            .map_err(|what| format!("credential `{}`: {what}", credential.key))?;
    }
    for endpoint in &provider.endpoints {
        Template::parse(&endpoint.url)
            .and_then(|_| check_limits(endpoint))
            .map_err(|what| format!("endpoint `{}`: {what}", endpoint.url))?;
    }
    for profile in &provider.auth_profiles {
        auth::check(profile)?;
    }
    let profile_of = |name: &String| provider.auth_profiles.iter().any(|profile| profile.name == *name);
    if let Some(name) =
        provider.endpoints.iter().filter_map(|endpoint| endpoint.auth.as_ref()).find(|n| !profile_of(n))
    {
        return Err(format!("an endpoint uses auth profile `{name}`, which is not declared"));
    }
    if provider.consistency_ms > CONSISTENCY_MS {
        return Err(format!("`consistencyMs` must be at most {CONSISTENCY_MS}"));
    }
    Ok(())
}

/// A text for people; it may be empty.
fn check_text(name: &str, text: &str, longest: usize) -> Result<(), String> {
    if text.len() > longest || text.contains(char::is_control) {
        return Err(format!("`{name}` must be at most {longest} bytes of plain text"));
    }
    Ok(())
}

/// What would never let a request pass.
fn check_limits(endpoint: &Endpoint) -> Result<(), String> {
    let limits = [
        ("ratePerMinute", endpoint.rate_per_minute),
        ("burst", endpoint.burst),
        ("concurrent", endpoint.concurrent),
    ];
    match limits.iter().find(|(_, limit)| *limit == Some(0)) {
        Some((name, _)) => Err(format!("`{name}` must be at least 1")),
        None => Ok(()),
    }
}

fn check_list(name: &str, list: &[&str], most: usize) -> Result<(), String> {
    if list.len() > most {
        return Err(format!("`{name}` has more than {most} entries"));
    }
    if let Some(word) =
        list.iter().find(|word| word.is_empty() || word.len() > WORD || word.contains(char::is_control))
    {
        return Err(format!("`{name}` holds {word:?}; entries are 1 to {WORD} bytes of plain text"));
    }
    if list.iter().collect::<BTreeSet<_>>().len() < list.len() {
        return Err(format!("`{name}` holds an entry twice"));
    }
    Ok(())
}

/// RFC 1123: lower-case letters, digits and inner hyphens, at most 63.
fn is_dns_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    (1..=63).contains(&text.len())
        && text.chars().all(plain)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn good() -> Value {
        json!({
            "name": "eks", "version": "0.1.0", "vendor": "v", "minHostVersion": "0.1.0",
            "futureMember": { "x": 1 },
            "providers": [{
                "type": "eks", "features": ["tags", "word-of-the-future"],
                "endpoints": [{ "url": "https://ec2.{config.region}.amazonaws.com/", "auth": "aws",
                    "ratePerMinute": 600, "burst": 50, "concurrent": 16 }],
                "authProfiles": [{ "name": "aws", "kind": "aws-sigv4",
                    "params": { "service": "ec2", "region": "{config.region}" } }],
                "credentials": [{ "key": "accessKeyId", "required": true, "description": "" }],
                "consistencyMs": 20000
            }]
        })
    }

    fn many_words() -> Vec<String> {
        (0..=REQUIRES).map(|i| format!("word-{i}")).collect()
    }

    /// The error for the good descriptor with one value changed.
    fn with(pointer: &str, value: Value) -> String {
        let mut json = good();
        *json.pointer_mut(pointer).unwrap() = value;
        read(&json.to_string()).map_or_else(|error| error.to_string(), |_| String::new())
    }

    #[test]
    fn a_good_descriptor_with_unknown_words_is_read() {
        assert_eq!(read(&good().to_string()).unwrap().providers[0].consistency_ms, 20_000);
    }

    #[test]
    fn what_the_host_cannot_honour_is_refused() {
        let provider = |mut change: Value| -> Value {
            let mut provider = good()["providers"][0].clone();
            provider.as_object_mut().unwrap().append(change.as_object_mut().unwrap());
            json!([provider])
        };
        let cases = [
            ("/name", json!("EKS"), "DNS label"),
            ("/name", json!(7), "schema"),
            ("/version", json!("1"), "version"),
            ("/minHostVersion", json!("99.0.0"), "needs operator 99.0.0 or later; this is 0."),
            ("/vendor", json!([]), "schema"),
            ("/version", json!(format!("1.0.0-{}", "x".repeat(64))), "`version` is longer than 64 bytes"),
            ("/vendor", json!("x".repeat(254)), "`vendor` must be at most 253 bytes"),
            ("/vendor", json!("a\u{1b}[2Jb"), "`vendor` must be at most 253 bytes of plain text"),
            (
                "/providers/0/credentials/0/description",
                json!("x".repeat(513)),
                "credential `accessKeyId`: `description` must be at most 512 bytes",
            ),
            ("/providers", json!(vec![good()["providers"][0].clone(); 17]), "1 to 16"),
            ("/providers", json!([]), "1 to 16"),
            ("/providers", json!([good()["providers"][0], good()["providers"][0]]), "`eks` is there twice"),
            ("/providers/0/type", json!("auto"), "`auto`"),
            ("/providers/0/endpoints/0/url", json!("https://{config.host}/"), "endpoint"),
            ("/providers/0/endpoints/0/ratePerMinute", json!(0), "`ratePerMinute` must be at least 1"),
            ("/providers/0/endpoints/0/burst", json!(0), "`burst` must"),
            ("/providers/0/endpoints/0/concurrent", json!(0), "`concurrent` must"),
            ("/providers/0/endpoints/0/ratePerMinute", json!(-1), "schema"),
            ("/providers/0/endpoints/0/auth", json!("gcp"), "`gcp`, which is not declared"),
            (
                "/providers/0/authProfiles/0/kind",
                json!("kerberos"),
                "kind `kerberos` is not supported by this operator version",
            ),
            ("/providers/0/consistencyMs", json!(1_000_000_000), "consistencyMs"),
            ("/providers/0/features", json!(["tags", "tags"]), "twice"),
            ("/providers/0/features", json!(["a\nb"]), "plain text"),
            ("/providers", provider(json!({ "csiDrivers": vec!["x"; 65] })), "more than 64"),
        ];
        for (pointer, value, expected) in cases {
            let error = with(pointer, value);
            assert!(error.contains(expected), "{pointer}: {error}");
        }
        for (words, expected) in
            [(vec!["time-travel".to_owned()], "`time-travel`"), (many_words(), "more than 32")]
        {
            let mut requiring = good();
            requiring["requires"] = json!(words);
            let error = read(&requiring.to_string()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        assert!(read("{").unwrap_err().to_string().contains("schema"));
        assert!(read(&" ".repeat(DESCRIPTOR_BYTES + 1)).unwrap_err().to_string().contains("longer"));
    }
}
