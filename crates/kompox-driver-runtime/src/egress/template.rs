//! URL templates of the descriptor: `{config.x}` is filled from the configuration, `*` is one label.
//!
//! What a tenant configures fills a label or a path segment and can never add a host: a template
//! whose whole origin is configured needs the administrator's grant.

use super::{Endpoint, Host, Networks, address_literal, default_port, has_dot_segment, is_name};
use crate::{
    limiter::Quota,
    options::{EgressGrant, EgressScope},
};
use http::{Uri, uri::Scheme};
use kompox_core::driver::Attributes;

const OPEN: &str = "{config.";

/// A parsed endpoint URL of a descriptor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    /// `{config.key}` and perhaps a path: the origin itself is configured.
    Configured { declared: String, key: String, path: String },
    /// `scheme://host[:port][/path]` with placeholders inside labels and segments.
    Fixed { declared: String, scheme: Scheme, host: String, port: u16, path: String },
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// What is wrong with it, for the driver's author.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        if let Some((key, path)) = url.strip_prefix(OPEN).and_then(|rest| rest.split_once('}')) {
            return Self::configured(url, key, path);
        }
        let (scheme, rest) = url.split_once("://").ok_or("it must begin with `https://`")?;
        let scheme = match scheme {
            "https" => Scheme::HTTPS,
            "http" => Scheme::HTTP,
            _ => return Err("its scheme must be https or http".to_owned()),
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if authority.contains('@') {
            return Err("it must not hold credentials".to_owned());
        }
        let (host, port) = split_port(authority, &scheme)?;
        check_host(host)?;
        check_path(path)?;
        Ok(Self::Fixed { declared: url.to_owned(), scheme, host: host.to_owned(), port, path: rooted(path) })
    }

    fn configured(url: &str, key: &str, path: &str) -> Result<Self, String> {
        check_key(key)?;
        check_path(path)?;
        Ok(Self::Configured { declared: url.to_owned(), key: key.to_owned(), path: path.to_owned() })
    }

    /// The endpoint for this configuration.
    ///
    /// # Errors
    /// What is missing or not granted, for people.
    pub(super) fn resolve(
        &self,
        config: &Attributes,
        grant: &EgressGrant,
        networks: &Networks,
    ) -> Result<Endpoint, String> {
        match self {
            Self::Configured { declared, key, path } => {
                let value = present(config, key)?;
                let endpoint = from_configured(declared, value, path)
                    .map_err(|what| format!("config.{key} is not a usable URL: {what}"))?;
                if granted(&endpoint, grant, networks) { Ok(endpoint) } else { Err(needs_grant(key, value)) }
            }
            Self::Fixed { declared, scheme, host, port, path } => Ok(Endpoint {
                scheme: scheme.clone(),
                host: parse_host(&fill(host, config, is_label_part)?)?,
                port: *port,
                path: fill(path, config, is_segment)?,
                declared: declared.clone(),
                auth: None,
                quota: Quota::default(),
            }),
        }
    }
}

/// An address needs its network, a name its origin or, over https, its host among those of the
/// administrator's list.
fn granted(endpoint: &Endpoint, grant: &EgressGrant, networks: &Networks) -> bool {
    if let Host::Address(address) = &endpoint.host {
        return networks.allow_literal(*address).is_ok();
    }
    let is_listed = match &grant.scope {
        EgressScope::Hosts(hosts) if endpoint.scheme == Scheme::HTTPS => {
            let name = endpoint.host.to_string();
            hosts.iter().any(|host| is_name(host, &name))
        }
        _ => false,
    };
    is_listed || is_origin(endpoint, &grant.origins)
}

fn is_origin(endpoint: &Endpoint, origins: &[String]) -> bool {
    origins.iter().any(|origin| {
        from_configured(origin, origin, "").is_ok_and(|granted| {
            granted.scheme == endpoint.scheme
                && granted.host == endpoint.host
                && granted.port == endpoint.port
        })
    })
}

fn needs_grant(key: &str, value: &str) -> String {
    let value: String = value.chars().filter(|c| !c.is_control()).take(200).collect();
    let host = value.parse::<Uri>().ok().as_ref().map(super::host).unwrap_or_default();
    let field = match address_literal(&host) {
        Some(address) => format!("`{}` to `spec.egress.cidrs`", super::address::only(address)),
        None => format!("`{host}` to `spec.egress.hosts`"),
    };
    format!(
        "`{value}` comes from config.{key}: if it is right, add {field} of the KompoxDriver with `spec.egress.mode: Custom`"
    )
}

fn from_configured(declared: &str, value: &str, path: &str) -> Result<Endpoint, String> {
    let uri: Uri = value.parse().map_err(|_| "it cannot be parsed")?;
    let scheme = uri.scheme().cloned().ok_or("it must begin with `https://`")?;
    let host = uri.host().ok_or("it has no host")?;
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("it must not hold credentials".to_owned());
    }
    if uri.query().is_some() || has_dot_segment(uri.path()) {
        return Err("it must not hold a query or `..`".to_owned());
    }
    let port = uri.port_u16().or_else(|| default_port(&scheme)).ok_or("its scheme must be https or http")?;
    let path = rooted(&format!("{}{path}", uri.path().trim_end_matches('/')));
    let host = parse_host(host)?;
    if matches!(&host, Host::Name(labels) if labels.contains(&None)) {
        return Err("it must not hold wildcards".to_owned());
    }
    Ok(Endpoint {
        scheme,
        host,
        port,
        path,
        declared: declared.to_owned(),
        auth: None,
        quota: Quota::default(),
    })
}

fn rooted(path: &str) -> String {
    if path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

fn split_port<'a>(authority: &'a str, scheme: &Scheme) -> Result<(&'a str, u16), String> {
    let default = default_port(scheme).ok_or("its scheme must be https or http")?;
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.contains([']', '}']) => {
            let port = port.parse().map_err(|_| "its port must be a number")?;
            Ok((host, port))
        }
        _ => Ok((authority, default)),
    }
}

/// A wildcard stands for one label and never for a domain that others can register in.
fn check_host(host: &str) -> Result<(), String> {
    if address_literal(host).is_some() {
        return Ok(());
    }
    let sample = fill_with(host, |_| Ok("x".to_owned()))?;
    let labels: Vec<&str> = sample.split('.').collect();
    if labels.iter().any(|label| label.contains('*') && *label != "*") {
        return Err("`*` must be a whole label".to_owned());
    }
    if !labels.iter().all(|label| *label == "*" || is_label(label)) {
        return Err("its host must be a DNS name".to_owned());
    }
    if labels.iter().rev().take(2).any(|label| *label == "*") {
        return Err("`*` must be followed by two labels at least".to_owned());
    }
    let fixed_end = host.rsplit('.').take(2).all(|label| !label.contains(['{', '}']));
    if !fixed_end {
        return Err("the last two labels of its host must be fixed".to_owned());
    }
    Ok(())
}

fn check_path(path: &str) -> Result<(), String> {
    if !path.is_empty() && !path.starts_with('/') {
        return Err("a path must begin with `/`".to_owned());
    }
    if path.contains(['?', '#', '*', ' ', '\\']) || has_dot_segment(path) {
        return Err("its path must be plain: no query, no wildcard, no `..`".to_owned());
    }
    fill_with(path, |_| Ok("x".to_owned())).map(drop)
}

fn check_key(key: &str) -> Result<(), String> {
    if !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err("a placeholder is written `{config.key}`".to_owned())
}

fn present<'a>(config: &'a Attributes, key: &str) -> Result<&'a str, String> {
    config
        .get(key)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
        .ok_or_else(|| format!("config.{key} is not set"))
}

/// Fills the placeholders of `text`; every value must satisfy `fits`.
///
/// # Errors
/// The placeholder that is malformed, not set, or whose value does not fit.
pub(crate) fn fill(text: &str, config: &Attributes, fits: fn(&str) -> bool) -> Result<String, String> {
    fill_with(text, |key| {
        let value = present(config, key)?;
        if fits(value) {
            Ok(value.to_owned())
        } else {
            Err(format!("config.{key} has characters that do not fit here"))
        }
    })
}

fn fill_with(text: &str, value: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let key = after.strip_prefix("config.").and_then(|after| after.split_once('}'));
        let (key, after) = key.ok_or("a placeholder is written `{config.key}`")?;
        check_key(key)?;
        filled.push_str(before);
        filled.push_str(&value(key)?);
        rest = after;
    }
    if rest.contains('}') {
        return Err("a placeholder is written `{config.key}`".to_owned());
    }
    filled.push_str(rest);
    Ok(filled)
}

fn parse_host(host: &str) -> Result<Host, String> {
    if let Some(address) = address_literal(host) {
        return Ok(Host::Address(address));
    }
    host.split('.')
        .map(|label| match label {
            "*" => Ok(None),
            label if is_label(label) => Ok(Some(label.to_ascii_lowercase())),
            _ => Err("its host must be a DNS name".to_owned()),
        })
        .collect::<Result<_, _>>()
        .map(Host::Name)
}

/// A label as in URLs: letters, digits, hyphens, and the underscore that some providers use.
pub(super) fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len()) && is_label_part(text) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_label_part(text: &str) -> bool {
    text.len() <= 63 && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn is_segment(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    text.len() <= 255 && text.chars().all(plain) && text != "." && text != ".."
}
