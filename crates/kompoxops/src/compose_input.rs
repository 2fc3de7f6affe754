//! Reads a Compose project from the user's files: the Compose file, the variables for `${…}`, and the files
//! it names. Errors go to standard error with file and line; values of variables are never shown. Warnings are
//! left to [`crate::conversion`], which finds them again together with its own.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kompox_compose::{
    Color, Diagnostic, FileError, FileProvider, Input as ComposeInput, Project, Severity, SourceFile, dotenv,
    limits,
};

use crate::console::note;
use crate::failure::Failure;

/// Names that are looked for, in the order of the Compose Specification
/// (<https://github.com/compose-spec/compose-spec/blob/main/spec.md#compose-file>).
const DEFAULT_NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];

/// A project as far as the objects made from it need it.
#[derive(Clone, Debug)]
pub struct Input {
    /// `name:` of the Compose file.
    pub project_name: Option<String>,
    /// Folder of the Compose file, absolute.
    pub folder: PathBuf,
    /// File name of the Compose file.
    pub file_name: String,
    /// Its text, unchanged.
    pub text: String,
    /// Variables for interpolation.
    pub variables: BTreeMap<String, String>,
    /// Content of the files that the Compose file names, by path as written there.
    pub files: BTreeMap<String, String>,
    /// The project itself.
    pub project: Project,
}

/// Where a project is read from.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The Compose file; absent: a usual name in the current folder.
    pub file: Option<&'a Path>,
    /// Files with variables; none: `.env` beside the Compose file, if there is one.
    pub env_files: &'a [PathBuf],
    /// Active profiles.
    pub profiles: &'a [String],
}

impl Input {
    /// Whether a service keeps data on a volume.
    pub fn needs_disk(&self) -> bool {
        self.project.services.values().any(|service| !service.volumes.is_empty())
    }

    /// Every published port.
    pub fn published_ports(&self) -> BTreeSet<u16> {
        let ports = self.project.services.values().flat_map(|service| &service.ports);
        // As in Docker, a port without a number outside is reached by that of the container here.
        ports.map(|port| port.published.map_or(port.target, |range| range.first)).collect()
    }
}

/// Reads and checks a project.
///
/// # Errors
/// When a file cannot be read, or the project has errors; they have been printed.
pub fn read(sources: Sources<'_>) -> Result<Input, Failure> {
    let path = match sources.file {
        Some(path) => path.to_owned(),
        None => default_file(Path::new("."))?,
    };
    let path =
        std::path::absolute(&path).map_err(|source| Failure::ReadFile { path: path.clone(), source })?;
    let text = read_text(&path)?;
    let folder = path.parent().map_or_else(PathBuf::new, Path::to_path_buf);
    let file_name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
    let variables = variables(&folder, sources.env_files)?;
    let provider = Recorder { folder: &folder, read: RefCell::default() };
    let files = [SourceFile { name: file_name.clone(), text }];
    let parsed = kompox_compose::parse(&ComposeInput {
        files: &files,
        environment: &variables,
        profiles: sources.profiles,
        provider: &provider,
        project_name: None,
    });
    let Some(project) = parsed.project else {
        show(&parsed.diagnostics, &files);
        let is_error = |finding: &&Diagnostic| finding.severity == Severity::Error;
        return Err(Failure::Compose { errors: parsed.diagnostics.iter().filter(is_error).count() });
    };
    let [SourceFile { text, .. }] = files;
    let (project_name, files) = (project.name.clone(), provider.read.into_inner());
    Ok(Input { project_name, folder, file_name, text, variables, files, project })
}

fn show(diagnostics: &[Diagnostic], files: &[SourceFile]) {
    if !diagnostics.is_empty() {
        // The stream takes the colours out where nobody sees them.
        note(kompox_compose::render(diagnostics, files, Color::Always).trim_end());
    }
}

fn default_file(folder: &Path) -> Result<PathBuf, Failure> {
    DEFAULT_NAMES.iter().map(|name| folder.join(name)).find(|path| path.is_file()).ok_or_else(|| {
        Failure::BadFile {
            path: std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()),
            message: format!(
                "there is no {} here; name the Compose file with --file",
                DEFAULT_NAMES.join(", ")
            ),
        }
    })
}

/// Variables of the files, later ones first; the shell's environment is left out on purpose: what runs on
/// the cluster must not depend on whose shell it was started from.
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
        read(Sources { file: Some(&folder.path().join("compose.yml")), env_files: &[], profiles: &[] })
    }

    #[test]
    fn a_project_brings_its_variables_and_the_files_it_names() {
        let folder = folder(&[("compose.yml", COMPOSE), (".env", "TAG=1\n"), ("conf/web.env", "A=b\n")]);
        let input = read_in(&folder).unwrap();
        assert_eq!(input.files, BTreeMap::from([("conf/web.env".into(), "A=b\n".into())]));
        assert_eq!(input.variables, BTreeMap::from([("TAG".into(), "1".into())]));
        assert_eq!(input.published_ports(), BTreeSet::from([8080]));
        assert_eq!(
            (input.needs_disk(), input.file_name.as_str(), input.text.as_str()),
            (true, "compose.yml", COMPOSE)
        );
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
        assert!(matches!(default_file(large.path().join("none").as_path()), Err(Failure::BadFile { .. })));
    }
}
