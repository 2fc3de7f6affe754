//! Reads a Compose project from the user's files: the Compose file, the variables for `${…}`, and the files
//! it names. Errors go to standard error with file and line; values of variables are never shown. Warnings are
//! left to [`crate::conversion`], which finds them again together with its own.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kompox_compose::model::{Mount, MountSource};
use kompox_compose::{
    Color, Diagnostic, FileError, FileProvider, Input as ComposeInput, Parsed, Project, Severity, SourceFile,
    Variables, dotenv, limits,
};

use crate::console::note;
use crate::failure::Failure;
use crate::generate::ComposeText;

/// Names that are looked for, in the order of the Compose Specification
/// (<https://github.com/compose-spec/compose-spec/blob/main/spec.md#compose-file>).
const DEFAULT_NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// Names of what is merged over a file of a default name, by that name's stem and ending.
const OVERRIDE: &str = ".override";

/// A project as far as the objects made from it need it.
#[derive(Clone, Debug)]
pub struct Input {
    /// `name:` of the Compose file.
    pub project_name: Option<String>,
    /// Folder of the first Compose file, absolute.
    pub folder: PathBuf,
    /// The first Compose file.
    pub compose: ComposeText,
    /// The others, in their order.
    pub overrides: Vec<ComposeText>,
    /// Variables for interpolation.
    pub variables: BTreeMap<String, String>,
    /// Content of the files that the Compose file names, by path as written there.
    pub files: BTreeMap<String, String>,
    /// Those of them that are Compose files, for showing findings in them.
    pub named: Vec<SourceFile>,
    /// The project itself.
    pub project: Project,
}

/// Where a project is read from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sources<'a> {
    /// The Compose files; none: a usual name in the current folder, and its override.
    pub files: &'a [PathBuf],
    /// Files with variables; none: `.env` beside the first Compose file, if there is one.
    pub env_files: &'a [PathBuf],
    /// Active profiles.
    pub profiles: &'a [String],
    /// Name of the project; it wins over the files'.
    pub project_name: Option<&'a str>,
    /// What becomes of `${…}`.
    pub interpolation: Variables,
}

impl Input {
    /// Whether a service keeps data on a volume.
    pub fn needs_disk(&self) -> bool {
        let kept = |mount: &Mount| matches!(mount.source, MountSource::Volume(_) | MountSource::Bind(_));
        self.project.services.values().any(|service| service.mounts.iter().any(kept))
    }

    /// Every published port.
    pub fn published_ports(&self) -> BTreeSet<u16> {
        let ports = self.project.services.values().flat_map(|service| &service.ports);
        // As in Docker, a port without a number outside is reached by that of the container here.
        ports.map(|port| port.published.map_or(port.target, |range| range.first)).collect()
    }
}

/// What was read, right or not.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// Project, tree and findings.
    pub parsed: Parsed,
    /// The Compose files that were given.
    sources: Vec<SourceFile>,
    /// Folder of the first Compose file, absolute.
    pub folder: PathBuf,
    variables: BTreeMap<String, String>,
    files: BTreeMap<String, String>,
}

impl Loaded {
    /// The Compose files, those that others name included, for showing findings.
    pub fn texts(&self) -> Vec<SourceFile> {
        self.sources.iter().chain(&self.parsed.named).cloned().collect()
    }

    /// The input for objects.
    ///
    /// # Errors
    /// When the project has errors; they have been printed.
    pub fn checked(self) -> Result<Input, Failure> {
        let Some(project) = self.parsed.project else {
            show(&self.parsed.diagnostics, &self.texts());
            return Err(Failure::Compose { errors: errors(&self.parsed.diagnostics) });
        };
        let mut texts =
            self.sources.into_iter().map(|source| ComposeText { file_name: source.name, text: source.text });
        let none = || ComposeText { file_name: String::new(), text: String::new() };
        Ok(Input {
            project_name: project.name.clone(),
            folder: self.folder,
            compose: texts.next().unwrap_or_else(none),
            overrides: texts.collect(),
            variables: self.variables,
            files: self.files,
            named: self.parsed.named,
            project,
        })
    }
}

/// How many findings stand in the way.
pub fn errors(diagnostics: &[Diagnostic]) -> usize {
    diagnostics.iter().filter(|finding| finding.severity == Severity::Error).count()
}

/// Reads a project, with the variables of the process's environment.
///
/// # Errors
/// When a file cannot be read.
pub fn load(sources: Sources<'_>) -> Result<Loaded, Failure> {
    // Names and values that are not Unicode cannot be meant by a Compose file.
    let process = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    load_with(sources, &process)
}

fn load_with(sources: Sources<'_>, process: &BTreeMap<String, String>) -> Result<Loaded, Failure> {
    let paths = match sources.files {
        [] => default_files(Path::new("."))?,
        files => files.to_vec(),
    };
    let mut folder = PathBuf::new();
    let mut files = Vec::new();
    for path in paths {
        let path =
            std::path::absolute(&path).map_err(|source| Failure::ReadFile { path: path.clone(), source })?;
        if files.is_empty() {
            folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
        }
        let name = path.strip_prefix(&folder).unwrap_or(&path).to_string_lossy().into_owned();
        files.push(SourceFile { name, text: read_text(&path)? });
    }
    let of_files = variables(&folder, sources.env_files)?;
    let mut environment = of_files.clone();
    environment.extend(process.iter().map(|(name, value)| (name.clone(), value.clone())));
    let provider = Recorder { folder: &folder, read: RefCell::default() };
    let parsed = kompox_compose::parse(&ComposeInput {
        files: &files,
        environment: &environment,
        profiles: sources.profiles,
        provider: &provider,
        project_name: sources.project_name,
        variables: sources.interpolation,
    });
    let named = provider.read.into_inner();
    let texts = files.iter().map(|file| &file.text).chain(named.values());
    let mut used: BTreeSet<&str> = texts.flat_map(|text| referenced(text)).collect();
    let services = parsed.project.iter().flat_map(|project| project.services.values());
    used.extend(services.flat_map(|service| service.environment.keys().map(String::as_str)));
    // The shell holds much that is nobody's business: only what the files refer to goes with the app.
    let wanted = |name: &str| of_files.contains_key(name) || (used.contains(name) && fits_secret(name));
    let variables = environment.into_iter().filter(|(name, _)| wanted(name)).collect();
    Ok(Loaded { parsed, sources: files, folder, variables, files: named })
}

/// The names that follow a `$` or `${` of a text.
fn referenced(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        rest.get(..end).filter(|name| !name.is_empty())
    })
}

fn show(diagnostics: &[Diagnostic], files: &[SourceFile]) {
    if !diagnostics.is_empty() {
        // The stream takes the colours out where nobody sees them.
        note(kompox_compose::render(diagnostics, files, Color::Always).trim_end());
    }
}

/// The first usual name, and what overrides it.
fn default_files(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let found = DEFAULT_NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file());
    let first = found.ok_or_else(|| Failure::BadFile {
        path: std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()),
        message: format!("there is no {} here; name the Compose file with --file", DEFAULT_NAMES.join(", ")),
    })?;
    let stem = first.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let beside = ["yml", "yaml"].map(|ending| folder.join(format!("{stem}{OVERRIDE}.{ending}")));
    Ok(std::iter::once(first).chain(beside.into_iter().find(|path| path.is_file())).collect())
}

/// Variables of the files, later ones first.
fn variables(folder: &Path, files: &[PathBuf]) -> Result<BTreeMap<String, String>, Failure> {
    let beside = folder.join(".env");
    let files = match files {
        [] if beside.is_file() => vec![beside],
        files => files.to_vec(),
    };
    let mut variables = BTreeMap::new();
    for path in files {
        let text = read_text(&path)?;
        let lookup = |name: &str| variables.get(name).cloned();
        let read = dotenv::parse(&text, &path.display().to_string(), dotenv::Format::Compose, &lookup);
        let read = read.map_err(|findings| {
            show(&findings, &[]);
            Failure::Compose { errors: findings.len() }
        })?;
        if let Some((name, _)) = read.iter().find(|(name, _)| !fits_secret(name)) {
            let message =
                format!("the variable '{name}' cannot be kept in a Secret: use letters, digits and '_'");
            return Err(Failure::BadFile { path, message });
        }
        variables.extend(read);
    }
    Ok(variables)
}

/// Keys of a Secret: `[-._a-zA-Z0-9]+`, neither `.` nor beginning with `..`.
fn fits_secret(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 253 && name != "." && !name.starts_with("..") && name.chars().all(fits)
}

/// Gives files below and beside the Compose file and remembers what it gave: the app needs exactly these.
struct Recorder<'a> {
    folder: &'a Path,
    read: RefCell<BTreeMap<String, String>>,
}

impl FileProvider for Recorder<'_> {
    fn read(&self, path: &str) -> Result<String, FileError> {
        let text = match read_text(&self.folder.join(path)) {
            Ok(text) => text,
            Err(Failure::ReadFile { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                return Err(FileError::NotFound);
            }
            Err(Failure::ReadFile { source, .. }) => return Err(FileError::Unreadable(source.to_string())),
            Err(failure) => return Err(FileError::Unreadable(failure.to_string())),
        };
        self.read.borrow_mut().insert(path.to_owned(), text.clone());
        Ok(text)
    }
}

/// Reads UTF-8 text of a size that fits into a ConfigMap.
fn read_text(path: &Path) -> Result<String, Failure> {
    let failed = |source| Failure::ReadFile { path: path.to_owned(), source };
    let limit = limits::MAX_FILE_BYTES;
    let file = std::fs::File::open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    let bad = |message: String| Failure::BadFile { path: path.to_owned(), message };
    if bytes.len() > limit {
        return Err(bad(format!(
            "the file is larger than {limit} bytes, which is what a ConfigMap or Secret holds"
        )));
    }
    String::from_utf8(bytes).map_err(|_| bad("the file is not UTF-8 text".into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    const COMPOSE: &str = "services:\n  web:\n    image: nginx:${TAG}\n    env_file: conf/web.env\n    ports: [\"8080:80\"]\n    volumes: [\"data:/data\"]\nvolumes:\n  data:\n";

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    fn read_in(folder: &tempfile::TempDir) -> Result<Input, Failure> {
        let files = [folder.path().join("compose.yml")];
        let process = [("TAG", "of the shell"), ("HOME", "/root")];
        let process = process.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        load_with(Sources { files: &files, ..Sources::default() }, &process)?.checked()
    }

    #[test]
    fn a_project_brings_its_variables_and_the_files_it_names() {
        let folder = folder(&[("compose.yml", COMPOSE), (".env", "TAG=1\n"), ("conf/web.env", "A=b\n")]);
        let input = read_in(&folder).unwrap();
        assert_eq!(input.files, BTreeMap::from([("conf/web.env".into(), "A=b\n".into())]));
        assert_eq!(input.variables, BTreeMap::from([("TAG".into(), "of the shell".into())]));
        assert_eq!(input.published_ports(), BTreeSet::from([8080]));
        assert_eq!(
            (input.needs_disk(), input.compose.file_name.as_str(), input.compose.text.as_str()),
            (true, "compose.yml", COMPOSE)
        );
    }

    #[test]
    fn a_default_file_brings_its_override() {
        let folder = folder(&[("docker-compose.yml", "a"), ("docker-compose.override.yml", "b")]);
        let names = default_files(folder.path()).unwrap();
        assert_eq!(
            names,
            ["docker-compose.yml", "docker-compose.override.yml"].map(|name| folder.path().join(name))
        );
    }

    #[test]
    fn names_are_found_where_a_dollar_sign_is() {
        let text = "a: $A ${B} ${C:-${D}} $$E $(F) ${1} $";
        assert_eq!(referenced(text).collect::<Vec<_>>(), ["A", "B", "C", "D", "E", "1"]);
    }

    #[test]
    fn later_env_files_win_and_may_use_earlier_ones() {
        let folder = folder(&[("a.env", "A=1\nB=2\n"), ("b.env", "B=3\nC=${A}\n")]);
        let files = ["a.env", "b.env"].map(|name| folder.path().join(name));
        let expected = [("A", "1"), ("B", "3"), ("C", "1")].map(|(name, value)| (name.into(), value.into()));
        assert_eq!(variables(folder.path(), &files).unwrap(), BTreeMap::from(expected));
    }

    #[test]
    fn what_cannot_be_used_is_invalid_input() {
        let missing_env_file = folder(&[("compose.yml", COMPOSE)]);
        assert!(matches!(read_in(&missing_env_file), Err(Failure::Compose { errors: 1 })));
        let unknown_key = folder(&[("compose.yml", "services:\n  web:\n    image: a\n    imagee: b\n")]);
        assert!(matches!(read_in(&unknown_key), Err(Failure::Compose { errors: 1 })));
        let bad_variable = folder(&[("compose.yml", COMPOSE), (".env", "a[b]=1\n")]);
        assert_eq!(read_in(&bad_variable).unwrap_err().exit_code(), 3);
        let large = folder(&[("compose.yml", &" ".repeat(limits::MAX_FILE_BYTES + 1))]);
        assert!(matches!(read_in(&large), Err(Failure::BadFile { .. })));
        assert!(matches!(default_files(large.path().join("none").as_path()), Err(Failure::BadFile { .. })));
    }
}
