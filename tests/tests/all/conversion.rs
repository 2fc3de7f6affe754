//! Whether a real API server takes what the conversion makes: of the golden cases, and of the real files of a
//! corpus, whose verdicts are compared too. `KOMPOX_CORPUS` names the corpus; without it only the golden cases
//! are looked at, and the test says so.

use anyhow::{Context as _, Result, ensure};
use futures::{StreamExt as _, TryStreamExt as _};
use kompox_compose::Severity;
use kompox_core::app::{AppResources, PodSecurity, Settings, Validation, render};
use kompox_tests::{
    corpus::{Corpus, Expected, Placing, Recipe},
    objects,
    scene::Scene,
    stage::Stage,
};
use kube::{
    Api,
    api::{ObjectMeta, PostParams},
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// Files whose expectation does not hold: what holds instead, and why. A line is `FILE: VERDICT CODES: REASON`.
const CORRECTED: &str = include_str!("conversion/corrected-verdicts.txt");
/// The codes of the expectations, and ours.
const CODES: &str = include_str!("conversion/codes.txt");

pub(super) async fn what_the_cases_give_is_taken(stage: &Stage) -> Result<()> {
    let client = stage.cluster.client();
    let namespace = namespace(stage, "t-cases").await?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/kompox-core/tests/app");
    let mut taken = 0;
    for case in fs::read_dir(root)? {
        let expected = case?.path().join("expected");
        for file in fs::read_dir(&expected).with_context(|| expected.display().to_string())? {
            let file = file?.path();
            if file.extension().is_none_or(|extension| extension != "yaml") {
                continue;
            }
            for object in objects::documents(&fs::read_to_string(&file)?)? {
                let taken = objects::would_take(&client, &namespace, object).await;
                taken.with_context(|| file.display().to_string())?;
            }
            taken += 1;
        }
    }
    ensure!(taken > 100, "only {taken} objects: the cases are not where they should be");
    Ok(())
}

pub(super) async fn what_real_files_give_is_taken(stage: &Stage) -> Result<()> {
    let Some(corpus) = Corpus::find()? else {
        eprintln!("the real files are not looked at: KOMPOX_CORPUS is not set");
        return Ok(());
    };
    let client = stage.cluster.client();
    let namespace = namespace(stage, "t-real-files").await?;
    let mut surprises = Vec::new();
    let mut agreeing = 0;
    for expected in &corpus.expected {
        let recipe = corpus.recipe(&expected.name())?;
        let judged = judge(&recipe)?;
        let disagreement = judged.disagreement(expected);
        agreeing += usize::from(disagreement.is_none());
        let surprise = match (disagreement, corrected(&recipe.name)) {
            (None, Some(_)) => Some("is as expected, and is corrected all the same".to_owned()),
            (Some(_), Some(holds)) if judged.verdict() == holds => None,
            (Some(_), Some(holds)) => Some(format!("corrected to {holds}, found {}", judged.verdict())),
            (disagreement, None) => disagreement,
        };
        surprises.extend(surprise.map(|surprise| format!("{}: {surprise}", recipe.name)));
        for object in judged.objects {
            let taken = objects::would_take(&client, &namespace, object).await;
            surprises.extend(taken.err().map(|refusal| format!("{}: {refusal:#}", recipe.name)));
        }
    }
    let corrected = CORRECTED.lines().count();
    let all = corpus.expected.len();
    eprintln!("verdict and codes as expected: {agreeing} of {all} files; {corrected} expectations corrected");
    ensure!(surprises.is_empty(), "{} surprises\n{}", surprises.len(), surprises.join("\n"));
    Ok(())
}

/// What the conversion says of a file, before any choice of its user.
struct Judged {
    /// Codes of what stands in the way where pods may do little.
    errors: BTreeSet<String>,
    /// Whether it is accepted where pods may do anything.
    with_privilege: bool,
    objects: Vec<Value>,
}

fn judge(recipe: &Recipe) -> Result<Judged> {
    let app = recipe.app(Placing::Plain)?;
    let rendered = |level| render(&app, &recipe.facts(Placing::Plain, level), &Settings::default());
    let (plain, privileged) = (rendered(PodSecurity::Baseline), rendered(PodSecurity::Privileged));
    let objects = plain.resources.as_ref().or(privileged.resources.as_ref());
    Ok(Judged {
        errors: errors(&plain.validation),
        with_privilege: privileged.resources.is_some(),
        objects: objects.map(AppResources::documents).transpose()?.unwrap_or_default(),
    })
}

impl Judged {
    /// The verdict as expectations word it, and the codes of what stands in the way.
    fn verdict(&self) -> String {
        let word = match (self.errors.is_empty(), self.with_privilege) {
            (true, _) => "accept",
            (false, true) => "needs-policy",
            (false, false) => "reject",
        };
        std::iter::once(word).chain(self.errors.iter().map(String::as_str)).collect::<Vec<_>>().join(" ")
    }

    /// In what it differs from what is expected.
    fn disagreement(&self, expected: &Expected) -> Option<String> {
        let wanted: Vec<Vec<&str>> =
            expected.errors.iter().chain(&expected.policy).map(|code| ours(code)).collect();
        let all_found = wanted.iter().all(|codes| codes.iter().any(|code| self.errors.contains(*code)));
        let none_else = self.errors.iter().all(|code| wanted.iter().flatten().any(|wanted| wanted == code));
        let agrees = all_found && none_else && (expected.verdict != "reject") == self.with_privilege;
        (!agrees).then(|| format!("expected {} {wanted:?}, found {:?}", expected.verdict, self.errors))
    }
}

/// Our codes for one of the expectations': any of them.
fn ours(code: &str) -> Vec<&'static str> {
    let of = |line: &'static str| line.split_once(' ').filter(|(theirs, _)| *theirs == code);
    CODES.lines().find_map(of).map(|(_, ours)| ours.split(' ').collect()).unwrap_or_default()
}

/// Codes of what stands in the way.
fn errors(validation: &Validation) -> BTreeSet<String> {
    let findings = validation.diagnostics.iter().filter(|finding| finding.severity == Severity::Error);
    let codes: BTreeSet<String> = findings.map(|finding| finding.code.id.to_owned()).collect();
    if codes.is_empty() { validation.problems.iter().map(ToString::to_string).collect() } else { codes }
}

/// The verdict that holds for a file instead of the expected one.
fn corrected(name: &str) -> Option<&'static str> {
    let lines = CORRECTED.lines().filter_map(|line| line.split_once(": "));
    let rest = lines.filter(|(file, _)| *file == name).map(|(_, rest)| rest).next();
    rest.and_then(|rest| rest.split_once(": ")).map(|(verdict, _)| verdict)
}

/// How many real files convert for a user who gives them places and routes, in a privileged namespace.
pub(super) async fn real_files_find_their_place(stage: &Stage) -> Result<()> {
    let Some(corpus) = Corpus::find()? else {
        eprintln!("the real files are not looked at: KOMPOX_CORPUS is not set");
        return Ok(());
    };
    let client = stage.cluster.client();
    let namespace = namespace(stage, "t-placed-files").await?;
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    let (mut converted, mut surprises) = (0, Vec::new());
    for expected in &corpus.expected {
        let recipe = corpus.recipe(&expected.name())?;
        let facts = recipe.facts(Placing::Deployed, PodSecurity::Privileged);
        let rendered = render(&recipe.app(Placing::Deployed)?, &facts, &Settings::default());
        let Some(resources) = rendered.resources else {
            errors(&rendered.validation).into_iter().for_each(|code| *reasons.entry(code).or_default() += 1);
            continue;
        };
        converted += 1;
        for object in resources.documents()? {
            let taken = objects::would_take(&client, &namespace, object).await;
            surprises.extend(taken.err().map(|refusal| format!("{}: {refusal:#}", recipe.name)));
        }
    }
    let all = corpus.expected.len();
    eprintln!("with places and routes {converted} of {all} files convert; the others: {reasons:?}");
    ensure!(surprises.is_empty(), "{} surprises\n{}", surprises.len(), surprises.join("\n"));
    Ok(())
}

/// Real files of many kinds: several services, one-shots, files, secrets, health checks, routes, renames.
const VARIED: [&str; 10] = [
    "awesome-compose/nextcloud-redis-mariadb/compose.yaml",
    "awesome-compose/prometheus-grafana/compose.yaml",
    "awesome-compose/wordpress-mysql/compose.yaml",
    "dokploy-templates/blueprints/authelia/docker-compose.yml",
    "dokploy-templates/blueprints/erpnext-v16/docker-compose.yml",
    "dokploy-templates/blueprints/peerdb/docker-compose.yml",
    "dokploy-templates/blueprints/posthog/docker-compose.yml",
    "dokploy-templates/blueprints/rybbit/docker-compose.yml",
    "dokploy-templates/blueprints/taiga/docker-compose.yml",
    "dokploy-templates/blueprints/zulip/docker-compose.yml",
];

pub(super) async fn real_files_become_ready(stage: &Stage) -> Result<()> {
    let Some(corpus) = Corpus::find()? else {
        eprintln!("the real files are not looked at: KOMPOX_CORPUS is not set");
        return Ok(());
    };
    let apps = futures::stream::iter(VARIED).map(|file| becomes_ready(stage, &corpus, file));
    apps.buffer_unordered(2).try_collect().await
}

/// Each in a namespace of its own: services are reached under their own names.
async fn becomes_ready(stage: &Stage, corpus: &Corpus, file: &str) -> Result<()> {
    let recipe = corpus.recipe(file)?;
    let name = recipe.app_name();
    let scene = Scene::open(stage, &format!("real-{name}")).await?;
    scene.apply(&scene.disk(&name, "size: 10Gi")).await?;
    for object in recipe.objects(Placing::Deployed) {
        scene.apply(&object.to_string()).await?;
    }
    scene.apply(&serde_json::to_string(&recipe.app(Placing::Deployed)?)?).await?;
    let app = scene.app_ready(&name).await?;
    let ready = app.status.and_then(|status| status.services_ready).unwrap_or_default();
    eprintln!("{name}: {ready} services (simulated pods)");
    scene.close().await
}

async fn namespace(stage: &Stage, name: &str) -> Result<String> {
    let api: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(stage.cluster.client());
    let metadata = ObjectMeta { name: Some(name.to_owned()), ..ObjectMeta::default() };
    api.create(
        &PostParams::default(),
        &k8s_openapi::api::core::v1::Namespace { metadata, ..Default::default() },
    )
    .await?;
    Ok(name.to_owned())
}
