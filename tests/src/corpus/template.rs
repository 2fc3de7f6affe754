//! `template.toml`: what Dokploy gives a Compose file. Its helpers such as `${password:32}` become fixed values.

use serde::Deserialize;
use std::{collections::BTreeMap, fs, path::Path};

/// Where Dokploy puts the files of a template, seen from its Compose file.
const FILES: &str = "../files/";
/// Variables that mean other variables, at most so deep.
const MAX_DEPTH: usize = 4;

/// What a template gives, with its helpers filled in.
#[derive(Clone, Debug, Default)]
pub(super) struct Template {
    pub(super) environment: BTreeMap<String, String>,
    pub(super) files: BTreeMap<String, String>,
    pub(super) domains: Vec<Domain>,
}

/// A domain that leads to a port of a service.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Domain {
    #[serde(rename = "serviceName")]
    pub(super) service: String,
    #[serde(default)]
    pub(super) port: u16,
}

impl Domain {
    /// A host of its own.
    pub(super) fn host(&self, app: &str, index: usize) -> String {
        format!("{app}-{index}.example.test")
    }
}

#[derive(Debug, Default, Deserialize)]
struct File {
    #[serde(default)]
    variables: toml::Table,
    #[serde(default)]
    config: Config,
}

#[derive(Debug, Default, Deserialize)]
struct Config {
    #[serde(default)]
    domains: Vec<Domain>,
    env: Option<toml::Value>,
    #[serde(default)]
    mounts: Vec<Mount>,
}

#[derive(Debug, Deserialize)]
struct Mount {
    #[serde(rename = "filePath")]
    path: String,
    #[serde(default)]
    content: String,
}

impl Template {
    /// The template in a folder; nothing when there is none or it is no TOML, as some are not.
    pub(super) fn beside(folder: &Path) -> Self {
        let text = fs::read_to_string(folder.join("template.toml")).unwrap_or_default();
        let file: File = toml::from_str(&text).unwrap_or_default();
        let variables = file.variables.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        let fill = |text: &str| filled(text, &variables, MAX_DEPTH);
        let environment = file.config.env.iter().flat_map(pairs);
        let path = |path: &str| format!("{FILES}{}", path.trim_start_matches("./").trim_start_matches('/'));
        Self {
            environment: environment.map(|(name, value)| (name, fill(&value))).collect(),
            files: file.config.mounts.iter().map(|mount| (path(&mount.path), fill(&mount.content))).collect(),
            domains: file.config.domains,
        }
    }
}

/// The environment as a table, or as a list of `NAME=value`.
fn pairs(environment: &toml::Value) -> Vec<(String, String)> {
    let split = |text: &str| {
        text.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()))
    };
    match environment {
        toml::Value::Table(table) => table.iter().map(|(name, value)| (name.clone(), plain(value))).collect(),
        toml::Value::Array(list) => list.iter().filter_map(|entry| split(entry.as_str()?)).collect(),
        _ => Vec::new(),
    }
}

fn plain(value: &toml::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// `${name}` becomes the variable's value, or a fixed value for a helper.
fn filled(text: &str, variables: &BTreeMap<String, String>, depth: usize) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        out.push_str(before);
        match variables.get(name) {
            Some(value) if depth > 0 => out.push_str(&filled(value, variables, depth - 1)),
            _ => out.push_str(&helper(name)),
        }
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A fixed value in the place of a random one.
fn helper(name: &str) -> String {
    let (kind, length) = name.split_once(':').unwrap_or((name, ""));
    match kind {
        "domain" => "app.example.test".to_owned(),
        "email" => "user@example.test".to_owned(),
        "randomPort" => "30303".to_owned(),
        "timestamp" | "timestampms" | "timestamps" => "1700000000".to_owned(),
        _ => "a1".repeat(length.parse().unwrap_or(32_usize).clamp(2, 256) / 2),
    }
}
