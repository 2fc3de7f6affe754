//! Configs and secrets: where the content of each lies, and where services mount it.

use super::Findings;
use super::provided::{self, Provided};
use crate::app::codes;
use crate::app::facts::{Carrier, Facts, References};
use crate::app::secret_text::SecretText;
use crate::app::validate::source;
use crate::app::validated::{FileSource, GeneratedFile, Mount, MountSource};
use crate::hash::FieldHasher;
use crate::naming;
use kompox_compose::model::{Content, FileMount, Service};
use kompox_compose::{Diagnostic, Project, Span, Spanned};
use kompox_crds::KompoxApp;
use secrecy::ExposeSecret as _;
use std::collections::{BTreeMap, BTreeSet};

/// Permission bits where the file gives none.
const MODE: u32 = 0o444;

/// The largest ConfigMap or Secret.
const MAX_SIZE: usize = 1024 * 1024;

/// The only key of a Secret that is made for a config or secret.
const KEY: &str = "content";

/// The two top-level keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Config,
    Secret,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Config => "configs",
            Self::Secret => "secrets",
        }
    }
}

/// A config or secret as the file declares it.
struct Declared<'a> {
    kind: Kind,
    key: &'a str,
    name: Option<&'a Spanned<String>>,
    content: &'a Content,
    span: &'a Span,
}

impl Declared<'_> {
    /// Its name on the platform.
    fn platform_name(&self) -> &str {
        self.name.map_or(self.key, |name| name.value.as_str())
    }

    /// External ones live in objects of the same kind of content.
    fn carrier(&self) -> Carrier {
        match self.kind {
            Kind::Config => Carrier::ConfigMap,
            Kind::Secret => Carrier::Secret,
        }
    }

    fn finding(&self, code: &'static kompox_compose::Code, message: String, span: &Span) -> Diagnostic {
        Diagnostic::new(code, message).at(span).path(format!("{}.{}", self.kind.as_str(), self.key))
    }
}

/// Where the content of every config and secret lies that a service mounts.
#[derive(Default)]
pub(crate) struct Contents {
    sources: BTreeMap<(Kind, String), FileSource>,
    /// The Secrets that must be made.
    pub(crate) generated: Vec<GeneratedFile>,
}

fn declared(project: &Project) -> impl Iterator<Item = Declared<'_>> {
    let configs = project.configs.iter().map(|(key, config)| Declared {
        kind: Kind::Config,
        key,
        name: config.name.as_ref(),
        content: &config.content,
        span: &config.span,
    });
    let secrets = project.secrets.iter().map(|(key, secret)| Declared {
        kind: Kind::Secret,
        key,
        name: secret.name.as_ref(),
        content: &secret.content,
        span: &secret.span,
    });
    configs.chain(secrets)
}

fn used(project: &Project) -> BTreeSet<(Kind, &str)> {
    let of = |kind: Kind, list: fn(&Service) -> &Vec<FileMount>| {
        project.services.values().flat_map(list).map(move |mount| (kind, mount.source.value.as_str()))
    };
    of(Kind::Config, |service| &service.configs).chain(of(Kind::Secret, |service| &service.secrets)).collect()
}

/// Objects that the Compose file names: external configs and secrets. They must be read before the app
/// is validated, as those of [`crate::app::references`], which this needs read already.
#[must_use]
pub fn external_references(app: &KompoxApp, facts: &Facts) -> References {
    let mut found = References::default();
    let Some(project) = source::read(app, facts, &mut Findings::default()) else { return found };
    let used = used(&project);
    for declared in declared(&project).filter(|declared| used.contains(&(declared.kind, declared.key))) {
        if matches!(declared.content, Content::External(_)) {
            let names = match declared.kind {
                Kind::Config => &mut found.config_maps,
                Kind::Secret => &mut found.secrets,
            };
            names.insert(declared.platform_name().to_owned());
        }
    }
    found
}

/// Finds the content of everything that is mounted.
pub(crate) fn read(app: &KompoxApp, facts: &Facts, project: &Project, findings: &mut Findings) -> Contents {
    let mut contents = Contents::default();
    let used = used(project);
    for declared in declared(project).filter(|declared| used.contains(&(declared.kind, declared.key))) {
        let source = match declared.content {
            Content::File(path) => of_file(app, facts, &declared, path),
            Content::External(span) => external(facts, &declared, span),
            Content::Environment { variable, value } => match value {
                Some(value) => generate(app, &declared, value.expose_secret(), &mut contents.generated),
                None => {
                    let message = format!("the variable `{}` is not set", variable.value);
                    let finding = declared.finding(&codes::CONTENT_MISSING, message, &variable.span);
                    Err(Box::new(finding.help("set it in an object of spec.compose.envFrom")))
                }
            },
            Content::Inline { text, .. } => {
                generate(app, &declared, text.expose_secret(), &mut contents.generated)
            }
        };
        match source {
            Ok(source) => {
                contents.sources.insert((declared.kind, declared.key.to_owned()), source);
            }
            Err(finding) => findings.diagnose(*finding),
        }
    }
    contents
}

fn of_file(
    app: &KompoxApp,
    facts: &Facts,
    declared: &Declared<'_>,
    path: &Spanned<String>,
) -> Result<FileSource, Box<Diagnostic>> {
    match provided::find(app, facts, &path.value) {
        Some(Provided::File(source)) => Ok(source),
        _ => {
            let message = format!("the content of `{}` is not given", path.value);
            let finding = declared.finding(&codes::CONTENT_MISSING, message, &path.span);
            Err(Box::new(finding.help(format!("add `{}` to spec.files.mounts", path.value))))
        }
    }
}

/// The key is that of the config's or secret's own name, or the only one.
fn external(facts: &Facts, declared: &Declared<'_>, span: &Span) -> Result<FileSource, Box<Diagnostic>> {
    let carrier = declared.carrier();
    let object = declared.platform_name();
    let Some(content) = carrier.content(facts, object) else {
        let message = format!("there is no {} `{object}`", carrier.kind());
        return Err(Box::new(declared.finding(&codes::CONTENT_MISSING, message, span).help("create it")));
    };
    let only = || content.keys().next().filter(|_| content.len() == 1);
    let own = [declared.key, object].into_iter().find(|key| content.contains_key(*key));
    let Some(key) = own.map(str::to_owned).or_else(|| only().cloned()) else {
        let message =
            format!("{} `{object}` has several keys, none of them `{}`", carrier.kind(), declared.key);
        let help = format!("store the content under the key `{}`", declared.key);
        return Err(Box::new(declared.finding(&codes::CONTENT_MISSING, message, span).help(help)));
    };
    Ok(FileSource { carrier, object: object.to_owned(), key })
}

/// A Secret for configs too: variables that were replaced in the text may be secret.
fn generate(
    app: &KompoxApp,
    declared: &Declared<'_>,
    text: &str,
    generated: &mut Vec<GeneratedFile>,
) -> Result<FileSource, Box<Diagnostic>> {
    if text.len() > MAX_SIZE {
        let message = format!("the content is {} bytes long, more than a Secret holds", text.len());
        let finding = declared.finding(&codes::CONTENT_SIZE, message, declared.span);
        return Err(Box::new(finding.help("move it into a volume")));
    }
    let app_name = app.metadata.name.as_deref().unwrap_or_default();
    let base = match declared.kind {
        Kind::Config => naming::config(app_name, declared.key),
        Kind::Secret => naming::secret(app_name, declared.key),
    };
    let hash = FieldHasher::default().field(text).short();
    let object = format!("{}-{hash}", naming::bounded(&base, naming::MAX_NAME - 1 - hash.len()));
    generated.push(GeneratedFile {
        object: object.clone(),
        key: KEY.to_owned(),
        content: SecretText::new(text.as_bytes()),
    });
    Ok(FileSource { carrier: Carrier::Secret, object, key: KEY.to_owned() })
}

/// The mounts of a service's configs and secrets.
pub(super) fn mounts(contents: &Contents, service: &Service, findings: &mut Findings) -> Vec<(Mount, Span)> {
    let configs = service.configs.iter().map(|mount| (Kind::Config, mount));
    let all = configs.chain(service.secrets.iter().map(|mount| (Kind::Secret, mount)));
    let mut mounts = Vec::new();
    for (kind, mount) in all {
        note_owner(kind, service, mount, findings);
        let source = contents.sources.get(&(kind, mount.source.value.clone()));
        let Some(source) = source.cloned() else { continue };
        let mode = mount.mode.as_ref().map_or(MODE, |mode| mode.value) & 0o777;
        let mode = i32::try_from(mode).unwrap_or_default();
        let source = MountSource::File { source, mode };
        let target = mount.target.trim_end_matches('/').to_owned();
        mounts.push((Mount { target, read_only: true, copy_up: false, source }, mount.span.clone()));
    }
    mounts
}

/// Files of ConfigMaps and Secrets belong to root. `fsGroup` would change whole disks.
fn note_owner(kind: Kind, service: &Service, mount: &FileMount, findings: &mut Findings) {
    for (key, given) in [("uid", &mount.uid), ("gid", &mount.gid)] {
        let Some(given) = given.as_ref().filter(|given| given.value != "0") else { continue };
        let message = format!("the file belongs to root; `{key}: {}` has no effect", given.value);
        findings.diagnose(
            Diagnostic::new(&codes::FILE_OWNER, message)
                .at(&given.span)
                .path(format!("services.{}.{}", service.name.value, kind.as_str()))
                .help("leave the mode at 0444, so that every user can read it"),
        );
    }
}
