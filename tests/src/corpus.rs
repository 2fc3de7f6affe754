//! A corpus of real Compose files, each with what its users give it: variables, files, domains. Makes apps of
//! them; judges nothing.
//!
//! The folder holds `apps/` with the files, some with a `template.toml` of Dokploy's beside them
//! (<https://docs.dokploy.com/docs/templates>), `compose-go-filled.json` with a value for every variable, and
//! `expected.json` with the verdicts.

mod template;

use anyhow::{Context as _, Result};
use kompox_core::app::{Content, Facts, PodSecurity, SecretText};
use kompox_crds::KompoxApp;
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};
use template::{Domain, Template};

/// Files that the Compose files bind and the corpus does not carry, or only in a template that is no TOML: they are
/// taken to be empty.
const ABSENT: &str = include_str!("corpus/absent-files.txt");
/// Variables that the filled environments lack, because only a `secrets` entry names them.
const VALUE: &str = "v-value";

/// What is expected of a file, before any choice of its user.
#[derive(Clone, Debug, Deserialize)]
pub struct Expected {
    corpus: String,
    path: String,
    /// `accept`, `needs-policy` or `reject`.
    pub verdict: String,
    /// Codes of what stands in the way.
    pub errors: Vec<String>,
    /// Codes of what only a privileged namespace allows.
    pub policy: Vec<String>,
}

impl Expected {
    /// The file's path below `apps`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.corpus, self.path)
    }
}

#[derive(Debug, Deserialize)]
struct Filled {
    #[serde(default)]
    environment: BTreeMap<String, String>,
}

/// The corpus, read.
#[derive(Debug)]
pub struct Corpus {
    root: PathBuf,
    /// The verdicts, in the order of the file.
    pub expected: Vec<Expected>,
    filled: BTreeMap<String, Filled>,
}

/// How an app is placed in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placing {
    /// As the verdicts assume: no route, and no host path is mapped but those that a variable holds.
    Plain,
    /// As a user would who wants it to run: with the template's domains, and every host path on a volume.
    Deployed,
}

/// One file with what it is given.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// The file's path below `apps`.
    pub name: String,
    /// Text of the Compose file.
    pub text: String,
    filled: BTreeMap<String, String>,
    chosen: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
    domains: Vec<Domain>,
}

impl Corpus {
    /// Reads the corpus that `KOMPOX_CORPUS` names; `None`: there is none.
    ///
    /// # Errors
    /// When it is not as the head of this module says.
    pub fn find() -> Result<Option<Self>> {
        let Some(root) = std::env::var_os("KOMPOX_CORPUS").map(PathBuf::from) else { return Ok(None) };
        let read = |name: &str| fs::read_to_string(root.join(name)).with_context(|| name.to_owned());
        let expected = serde_json::from_str(&read("expected.json")?).context("expected.json")?;
        let filled =
            serde_json::from_str(&read("compose-go-filled.json")?).context("compose-go-filled.json")?;
        Ok(Some(Self { root, expected, filled }))
    }

    /// Where a file lies.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join("apps").join(name)
    }

    /// One file with everything that it is given.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn recipe(&self, name: &str) -> Result<Recipe> {
        let path = self.path(name);
        let folder = path.parent().context("a file lies in a folder")?;
        let text = fs::read_to_string(&path).with_context(|| name.to_owned())?;
        let template = Template::beside(folder);
        let mut filled = self.filled.get(name).map(|filled| filled.environment.clone()).unwrap_or_default();
        filled.extend(variables_of_secrets(&text).map(|variable| (variable, VALUE.to_owned())));
        let mut files = beside(folder);
        files.extend(template.files);
        files.extend(absent(name).map(|path| (path.to_owned(), String::new())));
        let chosen = template.environment;
        // Templates keep the variables in a file of this name, which some services name as theirs.
        files.entry("./.env".to_owned()).or_insert_with(|| dotenv(&chosen));
        Ok(Recipe { name: name.to_owned(), text, filled, chosen, files, domains: template.domains })
    }
}

impl Recipe {
    /// Name of an app of this file: a part of its path, fit for an object.
    #[must_use]
    pub fn app_name(&self) -> String {
        let folder = Path::new(&self.name).parent().and_then(Path::file_name).unwrap_or_default();
        folder.to_string_lossy().to_ascii_lowercase().replace(|c: char| !c.is_ascii_alphanumeric(), "-")
    }

    /// The app.
    ///
    /// # Errors
    /// Never, unless the API's types and this module disagree.
    pub fn app(&self, placing: Placing) -> Result<KompoxApp> {
        let name = self.app_name();
        let mounts: Vec<Value> = self.files.keys().map(|path| mount(&name, path)).collect();
        Ok(serde_json::from_value(json!({
            "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp", "metadata": { "name": name },
            "spec": {
                "compose": {
                    "configMapRef": { "name": format!("{name}-compose") },
                    "overrideKeys": [ROUTES],
                    "envFrom": [{ "secretRef": { "name": format!("{name}-env") } }],
                    "serviceNames": match placing { Placing::Plain => "Reject", Placing::Deployed => "Rename" },
                },
                "files": { "mounts": mounts },
                "volumes": [{ "name": "default", "diskRef": { "name": name } }],
                "bindMap": self.bind_map(placing),
                "ingress": { "rules": self.rules(placing) },
            },
        }))?)
    }

    /// What the app refers to.
    #[must_use]
    pub fn facts(&self, placing: Placing, pod_security: PodSecurity) -> Facts {
        let name = self.app_name();
        let content = |pairs: BTreeMap<String, String>| -> Content {
            pairs.into_iter().map(|(key, text)| (key, SecretText::new(text.into_bytes()))).collect()
        };
        Facts {
            config_maps: [
                (format!("{name}-compose"), content(self.compose(placing))),
                (format!("{name}-files"), content(self.keyed())),
            ]
            .into(),
            secrets: [(format!("{name}-env"), content(self.environment(placing)))].into(),
            pod_security,
        }
    }

    /// The same as objects for a cluster.
    #[must_use]
    pub fn objects(&self, placing: Placing) -> Vec<Value> {
        let name = self.app_name();
        let map = |suffix: &str, data: Value| json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": format!("{name}-{suffix}") }, "data": data });
        vec![
            map("compose", json!(self.compose(placing))),
            map("files", json!(self.keyed())),
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": format!("{name}-env") }, "stringData": self.environment(placing) }),
        ]
    }

    /// The Compose file, and what publishes the ports to which the domains lead.
    fn compose(&self, placing: Placing) -> BTreeMap<String, String> {
        let mut services: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (index, domain) in self.routed(placing) {
            let ports = services.entry(domain.service.as_str()).or_default();
            ports.push(format!("{}:{}", FIRST_PORT + index, domain.port));
        }
        let services: BTreeMap<_, _> =
            services.into_iter().map(|(service, ports)| (service, json!({ "ports": ports }))).collect();
        let routes = json!({ "services": services }).to_string();
        [("compose.yml".to_owned(), self.text.clone()), (ROUTES.to_owned(), routes)].into()
    }

    /// The variables: some value for each, or what the template chose.
    #[must_use]
    pub fn environment(&self, placing: Placing) -> BTreeMap<String, String> {
        let (weak, strong) = match placing {
            Placing::Plain => (&self.chosen, &self.filled),
            Placing::Deployed => (&self.filled, &self.chosen),
        };
        weak.iter().chain(strong).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    fn keyed(&self) -> BTreeMap<String, String> {
        self.files.iter().map(|(path, text)| (key(path), text.clone())).collect()
    }

    fn bind_map(&self, placing: Placing) -> Vec<Value> {
        // A variable that holds a host path asks its user for a place.
        let environment = self.environment(placing);
        let of_variables = environment.values().filter(|value| value.len() > 1).map(String::as_str);
        let prefixes: Vec<&str> = match placing {
            Placing::Plain => of_variables.filter(|value| value.starts_with('/')).collect(),
            Placing::Deployed => vec!["/"],
        };
        let map = |prefix: &str| json!({ "prefix": prefix, "volume": "default", "subPath": format!("host{}", prefix.trim_end_matches('/')) });
        prefixes.into_iter().take(MAX_BIND_MAP).map(map).collect()
    }

    fn rules(&self, placing: Placing) -> Vec<Value> {
        let name = self.app_name();
        let rule = |(index, domain): (usize, &Domain)| json!({ "name": format!("r{index}"), "port": FIRST_PORT + index, "hosts": [domain.host(&name, index)] });
        self.routed(placing).map(rule).collect()
    }

    /// The domains that count.
    fn routed(&self, placing: Placing) -> impl Iterator<Item = (usize, &Domain)> {
        let domains = if placing == Placing::Deployed { self.domains.as_slice() } else { &[] };
        domains.iter().enumerate().filter(|(_, domain)| domain.port != 0)
    }
}

/// Key of the Compose file with the published ports of the routes.
const ROUTES: &str = "routes.yml";
/// The port under which the first route is published; the others follow.
const FIRST_PORT: usize = 30_000;
/// Bound of `spec.bindMap`.
const MAX_BIND_MAP: usize = 32;

fn mount(app: &str, path: &str) -> Value {
    json!({ "path": path, "configMapRef": { "name": format!("{app}-files"), "key": key(path) } })
}

/// Names of variables whose values are the content of secrets or configs.
fn variables_of_secrets(text: &str) -> impl Iterator<Item = String> {
    let named = text.lines().filter_map(|line| line.trim().strip_prefix("environment:"));
    named
        .map(|name| name.trim().trim_matches(['"', '\'']).to_owned())
        .filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

fn absent(name: &str) -> impl Iterator<Item = &'static str> {
    ABSENT
        .lines()
        .filter_map(|line| line.split_once(": "))
        .filter(move |(file, _)| *file == name)
        .map(|(_, path)| path)
}

fn dotenv(environment: &BTreeMap<String, String>) -> String {
    environment.iter().map(|(name, value)| format!("{name}='{}'\n", value.replace('\'', ""))).collect()
}

/// The text files in the folder of a Compose file, as paths that begin with `./`.
fn beside(folder: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in fs::read_dir(&next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let (Ok(relative), Ok(text)) = (path.strip_prefix(folder), fs::read_to_string(&path)) {
                found.insert(format!("./{}", relative.display()), text);
            }
        }
    }
    found
}

/// A path as a key of a ConfigMap.
fn key(path: &str) -> String {
    path.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-")
        .trim_start_matches(['.', '-'])
        .to_owned()
}
