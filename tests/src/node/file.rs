//! What a scenario file may say. A key that is not listed here is an error that names file and step.

use anyhow::{Context as _, Result};
use kompox_devcluster::PartName;
use serde::Deserialize;
use serde_json::Value;
use std::{collections::BTreeMap, path::Path};

/// One file of `tests/scenarios`.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// The file's name without its ending; also part of the namespace's name.
    pub name: String,
    pub(super) given: Given,
    pub(super) steps: Vec<Step>,
}

/// What a scenario begins with. Nothing of it is applied before a step says so.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    /// Pod Security level of the namespace; none unless given.
    #[serde(default, rename = "podSecurity")]
    pub(super) pod_security: Option<String>,
    #[serde(default)]
    pub(super) disks: BTreeMap<String, Disk>,
    pub(super) apps: BTreeMap<String, App>,
}

/// A KompoxDisk of provider type `devcloud`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Disk {
    /// Size of an empty one.
    pub(super) size: Option<String>,
    /// Name of the snapshot that it is made from.
    pub(super) restore: Option<String>,
}

/// A KompoxApp.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct App {
    pub(super) compose: String,
    /// Content of the files that the Compose file names.
    #[serde(default)]
    pub(super) files: BTreeMap<String, String>,
    /// Variables for its `${NAME}`, in a Secret.
    #[serde(default)]
    pub(super) variables: BTreeMap<String, String>,
    /// The disk of its volumes.
    pub(super) disk: Option<String>,
    /// The published port that the ingress leads to.
    pub(super) port: Option<u16>,
}

/// One thing that is done or looked at.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Step {
    /// Applies an app or a disk that is given.
    Apply(Target),
    /// Waits until it is Ready.
    Ready(Target),
    /// Waits until its condition Ready gives a reason and a message.
    Says(Says),
    /// Deletes it and waits until it is gone.
    Delete(Target),
    /// Takes a snapshot of a disk and waits until it can be used.
    Snapshot(Snapshot),
    /// Asks an app through the ingress.
    Http(Http),
    /// Runs a command in a container of a service.
    Exec(Exec),
    /// Reads what a service printed.
    Logs(Logs),
    /// Waits until a pod of a service is as expected.
    Pod(PodIs),
    /// Looks whether a service has no pod.
    NoPod(Service),
    /// Waits until a finding about the Compose file stands in the app's status.
    Finds(Finds),
    /// Deletes the pods of a service with their own grace and waits until the first has ended.
    Stop(Stop),
    /// Deletes the pods of a service without grace and waits until others are ready.
    KillPod(Service),
    /// SIGKILL to the operator, and starts it again.
    KillOperator(Nothing),
    /// SIGKILL to a part of the cluster, and starts it again.
    RestartPart(PartName),
    /// Waits until the first container of a service has ended with a code or was started again.
    Ended(Ended),
}

/// An app or a disk.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) enum Target {
    App(String),
    Disk(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Says {
    pub(super) app: String,
    pub(super) reason: String,
    /// Part of its message.
    pub(super) contains: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Snapshot {
    pub(super) disk: String,
    pub(super) name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Http {
    pub(super) app: String,
    pub(super) path: String,
    /// The body of a POST; without one it is a GET.
    pub(super) post: Option<String>,
    /// 200 unless given.
    pub(super) status: Option<u16>,
    /// Part of the answer.
    pub(super) contains: Option<String>,
    /// The whole answer.
    pub(super) body: Option<String>,
    /// Values in an answer of JSON, by JSON Pointer (RFC 6901); `null` is a value that is not there.
    #[serde(default)]
    pub(super) json: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exec {
    pub(super) app: String,
    pub(super) service: String,
    /// Of a pod with several; the first unless given.
    pub(super) container: Option<String>,
    pub(super) command: Vec<String>,
    /// 0 unless given.
    #[serde(default)]
    pub(super) code: i32,
    /// The whole standard output.
    pub(super) output: Option<String>,
    /// Values in it, as in an answer.
    #[serde(default)]
    pub(super) json: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Logs {
    pub(super) app: String,
    pub(super) service: String,
    /// The whole of it.
    pub(super) output: Option<String>,
    /// Values in it, as in an answer.
    #[serde(default)]
    pub(super) json: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PodIs {
    pub(super) app: String,
    pub(super) service: String,
    /// Values in the Pod object, as in an answer.
    pub(super) json: BTreeMap<String, Value>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Finds {
    pub(super) app: String,
    /// Id of the finding, such as `KPX7778`.
    pub(super) code: String,
    /// The key that it is about.
    pub(super) path: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    pub(super) app: String,
    pub(super) service: String,
    /// Seconds that the containers have.
    pub(super) grace: i64,
    pub(super) code: i32,
    /// The last words of the container.
    pub(super) message: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Service {
    pub(super) app: String,
    pub(super) service: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ended {
    pub(super) app: String,
    pub(super) service: String,
    pub(super) code: i32,
    /// How often it must have been started again at least.
    #[serde(default)]
    pub(super) restarts: i32,
    /// In how many pods; one or more unless given.
    pub(super) pods: Option<usize>,
}

/// The file as it lies there. Steps are read one by one, so that errors can name them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    given: Given,
    steps: Vec<Value>,
}

impl Scenario {
    /// Reads a file.
    ///
    /// # Errors
    /// What it says that nobody understands, with the file and the step.
    pub fn read(path: &Path) -> Result<Self> {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("failed to read {}", path.display()))?;
        Self::parse(&name, &text).with_context(|| format!("failed to understand {}", path.display()))
    }

    /// All files of a folder, in the order of their names.
    ///
    /// # Errors
    /// The first file that cannot be read.
    pub fn all(folder: &Path) -> Result<Vec<Self>> {
        let files =
            std::fs::read_dir(folder).with_context(|| format!("failed to read {}", folder.display()))?;
        let mut paths = files.map(|file| Ok(file?.path())).collect::<Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
        paths.sort();
        paths.iter().map(|path| Self::read(path)).collect()
    }

    fn parse(name: &str, text: &str) -> Result<Self> {
        let raw: Raw = serde_saphyr::from_str(text)?;
        let step = |(index, step): (usize, Value)| {
            let shown = step.to_string();
            serde_json::from_value(step).with_context(|| format!("step {}: {shown}", index + 1))
        };
        let steps = raw.steps.into_iter().enumerate().map(step).collect::<Result<Vec<_>>>()?;
        Ok(Self { name: name.to_owned(), given: raw.given, steps })
    }
}

#[cfg(test)]
mod tests {
    use super::{Scenario, Step};

    const GIVEN: &str = "given: {apps: {a: {compose: ''}}}\nsteps:\n";

    #[test]
    fn a_step_that_nobody_knows_is_named() {
        for step in ["- fly: {}", "- ready: {app: a, size: 1}", "- http: {app: a, path: /, jason: {}}"] {
            let text = format!("{GIVEN}  - apply: {{app: a}}\n  {step}\n");
            let error = format!("{:#}", Scenario::parse("x", &text).unwrap_err());
            assert!(error.contains("step 2"), "{error}");
        }
    }

    #[test]
    fn parts_have_the_names_that_they_are_shown_with() {
        let text = format!("{GIVEN}  - restartPart: kube-apiserver\n");
        let scenario = Scenario::parse("x", &text).unwrap();
        assert!(matches!(scenario.steps[..], [Step::RestartPart(kompox_devcluster::PartName::ApiServer)]));
    }
}
