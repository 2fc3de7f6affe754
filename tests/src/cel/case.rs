//! Reads the cases' files. Nothing is judged here.

use anyhow::{Context as _, ensure};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Folder of the objects that are applied byte for byte.
const AS_IS: &str = "adr";

/// One case.
#[derive(Debug)]
pub(super) struct Case {
    /// File that the case is about, relative to the folder of all cases.
    pub(super) file: String,
    pub(super) write: Write,
    pub(super) expected: Expected,
}

/// The write that is judged, and what must exist before.
#[derive(Debug)]
pub(super) enum Write {
    /// A creation.
    Create(Value),
    /// A server-side apply of the file's bytes.
    AsIs { object: Value, yaml: String },
    /// A change of an object that exists.
    Change { pre: Value, post: Value },
}

/// What must come of it.
#[derive(Debug, Default)]
pub(super) struct Expected {
    /// Causes of the refusal; empty: it is accepted.
    pub(super) causes: Vec<Cause>,
    /// What the object must contain.
    pub(super) want: Option<Value>,
}

/// One expected cause.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) field: String,
    pub(super) part: String,
}

/// Every case below `directory`, sorted by file.
pub(super) fn load_all(directory: &Path) -> anyhow::Result<Vec<Case>> {
    let mut cases = Vec::new();
    for folder in entries(directory)?.iter().filter(|path| path.is_dir()) {
        let files = entries(folder)?;
        reject_strays(&files)?;
        for file in files.iter().filter(|file| is_case(file)) {
            cases.push(load(directory, file).with_context(|| format!("failed to load {}", file.display()))?);
        }
    }
    Ok(cases)
}

fn entries(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let read =
        || fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
    let mut paths = read().with_context(|| format!("failed to list {}", directory.display()))?;
    paths.sort();
    Ok(paths)
}

/// A case is its object's file; the `.pre.yaml` of a change belongs to its `.post.yaml`.
fn is_case(file: &Path) -> bool {
    let name = file.to_string_lossy();
    name.ends_with(".yaml") && !name.ends_with(".pre.yaml")
}

/// A file that belongs to no case would never be looked at: a misspelt name must not pass silently.
fn reject_strays(files: &[PathBuf]) -> anyhow::Result<()> {
    for file in files {
        let name = file.to_string_lossy();
        let owner = [
            (".pre.yaml", ".post.yaml"),
            (".yaml.err", ".yaml"),
            (".yaml.want", ".yaml"),
            (".post.yaml", ".pre.yaml"),
        ]
        .iter()
        .find_map(|(ending, owner)| {
            name.strip_suffix(ending).map(|stem| PathBuf::from(format!("{stem}{owner}")))
        });
        let belongs = owner.map_or_else(|| is_case(file), |owner| files.contains(&owner));
        ensure!(belongs, "{name} belongs to no case");
    }
    Ok(())
}

fn load(root: &Path, file: &Path) -> anyhow::Result<Case> {
    let relative = file.strip_prefix(root).unwrap_or(file).to_string_lossy().into_owned();
    let name = relative.trim_end_matches(".yaml").replace(['/', '.'], "-");
    let write = match file.to_string_lossy().strip_suffix(".post.yaml") {
        Some(stem) => Write::Change {
            pre: object(Path::new(&format!("{stem}.pre.yaml")), &name)?,
            post: object(file, &name)?,
        },
        None if relative.starts_with(AS_IS) => {
            Write::AsIs { object: parse(file)?, yaml: fs::read_to_string(file)? }
        }
        None => Write::Create(object(file, &name)?),
    };
    Ok(Case { file: relative, write, expected: expected(file)? })
}

fn expected(file: &Path) -> anyhow::Result<Expected> {
    let beside = |ending: &str| PathBuf::from(format!("{}.{ending}", file.display()));
    let (err, want) = (beside("err"), beside("want"));
    let causes = if err.exists() { causes(&fs::read_to_string(&err)?)? } else { Vec::new() };
    ensure!(!err.exists() || !causes.is_empty(), "{} is empty", err.display());
    let want = if want.exists() { Some(parse(&want)?) } else { None };
    ensure!(causes.is_empty() || want.is_none(), "a refused case cannot want anything");
    Ok(Expected { causes, want })
}

fn causes(text: &str) -> anyhow::Result<Vec<Cause>> {
    let cause = |line: &str| {
        let (field, part) =
            line.split_once(": ").with_context(|| format!("no `field: message` in '{line}'"))?;
        Ok(Cause { field: field.to_owned(), part: part.to_owned() })
    };
    text.lines().map(cause).collect()
}

/// The object of a file under the case's own name.
fn object(file: &Path, name: &str) -> anyhow::Result<Value> {
    let mut object = parse(file)?;
    let metadata = object.get_mut("metadata").and_then(Value::as_object_mut).context("no metadata")?;
    metadata.insert("name".into(), name.into());
    Ok(object)
}

fn parse(file: &Path) -> anyhow::Result<Value> {
    let text = fs::read_to_string(file).with_context(|| format!("failed to read {}", file.display()))?;
    serde_saphyr::from_str(&text).with_context(|| format!("failed to parse {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn committed() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crds/tests/cel")
    }

    #[test]
    fn every_committed_case_loads() {
        let cases = load_all(&committed()).expect("well-formed");
        let of = |kind: &str| cases.iter().filter(|case| case.file.starts_with(kind)).count();
        for kind in ["kompoxapp", "kompoxdisk", "kompoxdriver", "kompoxsnapshot"] {
            assert!(of(kind) >= 20, "{kind}: {}", of(kind));
        }
        assert_eq!(of(AS_IS), 3);
    }

    /// Each rule of the published CRDs is shown by a refusal with its message.
    #[test]
    fn every_rule_has_a_refusal() {
        let cases = load_all(&committed()).expect("well-formed");
        let parts: Vec<&str> =
            cases.iter().flat_map(|case| &case.expected.causes).map(|cause| cause.part.as_str()).collect();
        let mut missing = Vec::new();
        for crd in kompox_crds::all() {
            let text = serde_json::to_value(&crd).expect("serializable");
            messages(&text, &mut |message| {
                if !parts.iter().any(|part| message.starts_with(part)) {
                    missing.push(format!("{}: {message}", crd.spec.names.kind));
                }
            });
        }
        assert!(missing.is_empty(), "\n{}", missing.join("\n"));
    }

    fn messages(value: &Value, found: &mut dyn FnMut(&str)) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| messages(item, found)),
            Value::Object(members) => {
                for rule in
                    members.get("x-kubernetes-validations").and_then(Value::as_array).into_iter().flatten()
                {
                    found(rule["message"].as_str().expect("every rule has a message"));
                }
                members.values().for_each(|member| messages(member, found));
            }
            _ => {}
        }
    }

    #[test]
    fn lines_of_a_refusal_are_field_and_part() {
        let read = causes("spec.size: must be: greater\n: unknown field \"a\"\n").expect("well-formed");
        let cause = |field: &str, part: &str| Cause { field: field.to_owned(), part: part.to_owned() };
        assert_eq!(read, [cause("spec.size", "must be: greater"), cause("", "unknown field \"a\"")]);
        assert!(causes("no separator").is_err());
    }

    #[test]
    fn files_that_belong_to_no_case_are_found() {
        let stray = |name: &str| reject_strays(&[PathBuf::from("a.yaml"), PathBuf::from(name)]).is_err();
        assert!(stray("b.yaml.err") && stray("b.pre.yaml") && stray("b.post.yaml") && stray("notes.txt"));
        assert!(!stray("a.yaml.err") && !stray("a.yaml.want") && !stray("b.yaml"));
    }
}
