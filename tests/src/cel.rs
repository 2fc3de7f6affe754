//! Runs the API's cases (`crds/tests/cel`, format in its README) against a real kube-apiserver.
//!
//! Nothing is evaluated here: the server judges, this module writes, reads the answer and compares.

mod case;
mod judge;
mod server;

use anyhow::{Context as _, ensure};
use case::{Case, Write};
use futures::{StreamExt as _, TryStreamExt as _};
use kube::Client;
use serde_json::{Value, json};
use server::{Answer, Server};
use std::{fmt, path::Path};

/// Cases in flight at once: the API server serves them in parallel, more only queue up.
const AT_ONCE: usize = 8;

/// What came of a run.
#[derive(Debug, Default)]
pub struct Report {
    /// Cases that were run.
    pub cases: usize,
    /// Cases that went otherwise than their files say, sorted by file.
    pub failures: Vec<Failure>,
}

/// A case that went otherwise than its files say.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Failure {
    /// The case's file, relative to the folder of all cases.
    pub file: String,
    /// What was seen instead.
    pub seen: String,
}

impl Report {
    /// An error that lists every failure, if there is one.
    ///
    /// # Errors
    /// When a case failed, or when there was none: an empty run proves nothing.
    pub fn into_result(self) -> anyhow::Result<usize> {
        ensure!(self.cases > 0, "found no cases");
        ensure!(self.failures.is_empty(), "{self}");
        Ok(self.cases)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} cases failed", self.failures.len(), self.cases)?;
        self.failures.iter().try_for_each(|failure| write!(f, "\n{}: {}", failure.file, failure.seen))
    }
}

/// Runs every case below `directory`. `namespace` must exist, and no operator may watch it. The CRDs
/// must be served: see [`install_crds`].
///
/// # Errors
/// When a file cannot be read or the server cannot be talked to. A case that fails is no error: it is
/// in the report.
pub async fn run_all(client: Client, directory: &Path, namespace: &str) -> anyhow::Result<Report> {
    let cases = case::load_all(directory)?;
    let server = Server::new(client, namespace);
    let mut failures: Vec<Failure> = futures::stream::iter(&cases)
        .map(|case| run(&server, case))
        .buffer_unordered(AT_ONCE)
        .try_filter_map(|failure| async { Ok(failure) })
        .try_collect()
        .await?;
    failures.sort();
    Ok(Report { cases: cases.len(), failures })
}

async fn run(server: &Server, case: &Case) -> anyhow::Result<Option<Failure>> {
    let answer = perform(server, case).await.with_context(|| format!("failed to run {}", case.file))?;
    let seen = match answer {
        Attempt::Judged(answer) => judge::compare(&case.expected, &answer),
        Attempt::NotPrepared(answer) => Some(format!("its pre was refused: {answer:?}")),
    };
    Ok(seen.map(|seen| Failure { file: case.file.clone(), seen }))
}

/// How far a case came.
enum Attempt {
    /// The write that the case is about was answered.
    Judged(Answer),
    /// The object that should have existed was refused.
    NotPrepared(Answer),
}

async fn perform(server: &Server, case: &Case) -> anyhow::Result<Attempt> {
    match &case.write {
        Write::Create(object) => Ok(Attempt::Judged(server.create_dry(object).await?)),
        Write::AsIs { object, yaml } => {
            let answer = server.apply_as_is(object, yaml).await?;
            server.remove(object).await?;
            Ok(Attempt::Judged(answer))
        }
        Write::Change { pre, post } => {
            let attempt = change(server, pre, post).await;
            server.remove(pre).await?;
            attempt
        }
    }
}

async fn change(server: &Server, pre: &Value, post: &Value) -> anyhow::Result<Attempt> {
    let stored = match server.create(pre).await? {
        Ok(stored) => stored,
        refused => return Ok(Attempt::NotPrepared(refused)),
    };
    let stored = match with_status(server, stored, pre.get("status")).await? {
        Ok(stored) => stored,
        refused => return Ok(Attempt::NotPrepared(refused)),
    };
    let next = judge::on_top_of(post, &stored)?;
    let rest = |object: &Value| {
        let mut object = object.clone();
        object.as_object_mut().map(|members| members.remove("status"));
        object
    };
    let answer = if rest(pre) == rest(post) {
        server.replace_status_dry(&next).await?
    } else {
        server.replace_dry(&next).await?
    };
    Ok(Attempt::Judged(answer))
}

async fn with_status(server: &Server, stored: Value, status: Option<&Value>) -> anyhow::Result<Answer> {
    let Some(status) = status else { return Ok(Ok(stored)) };
    let mut object = stored;
    object
        .as_object_mut()
        .context("the server answered with no object")?
        .insert("status".into(), status.clone());
    server.replace_status(&object).await
}

/// Applies the CRDs of this build and waits until the server serves them.
///
/// # Errors
/// When the server refuses one, or does not serve it within a minute.
pub async fn install_crds(client: Client) -> anyhow::Result<()> {
    server::install_crds(client).await
}

/// What no rule says and data cannot show: `/scale` reads the schema's default, writes through, and the
/// selectable fields select.
///
/// # Errors
/// When the server answers otherwise.
pub async fn check_subresources(client: Client, namespace: &str) -> anyhow::Result<()> {
    let server = Server::new(client, namespace);
    let app = json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp", "metadata": { "name": "cel-scale" },
        "spec": { "compose": { "configMapRef": { "name": "c" } } },
    });
    let disk = json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxDisk", "metadata": { "name": "cel-select" },
        "spec": { "size": "1Gi", "provider": { "type": "cel-select" } },
    });
    let outcome = async {
        server.create(&app).await?.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        server.check_scale("cel-scale").await?;
        server.create(&disk).await?.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        server.check_field_selectors("cel-select").await
    };
    let outcome = outcome.await;
    server.remove(&app).await?;
    server.remove(&disk).await?;
    outcome
}
