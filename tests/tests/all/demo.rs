//! The demonstration from its first command to its last, as `cargo xtask demo` runs it.

use anyhow::{Context as _, Result, ensure};
use kompox_tests::stage::Stage;
use std::{path::Path, time::Duration};
use tokio::process::Command;

/// Set where containers have to run.
const REQUIRED: &str = "KOMPOX_REQUIRE_REAL_NODE";
const PATIENCE: Duration = Duration::from_secs(400);
const END: &str = "Nothing is left running.";

pub(super) async fn tells_its_story_on_what_this_machine_can(_stage: &Stage) -> Result<()> {
    let said = demo(&[]).await?;
    let simulated = said.contains("SIMULATED PODS");
    ensure!(!simulated || std::env::var(REQUIRED).as_deref() != Ok("1"), "{REQUIRED}=1, but:\n{said}");
    let pages: Vec<_> = said.split("] the page http://notes.localhost:").skip(1).map(notes).collect();
    let [before, after] = ["<li>before the snapshot</li>", "<li>after the snapshot</li>"];
    let expected: &[&[&str]] = if simulated { &[] } else { &[&[before], &[before, after], &[before]] };
    ensure!(pages == expected, "the pages show {pages:?}:\n{said}");
    Ok(())
}

pub(super) async fn tells_its_story_with_simulated_pods(_stage: &Stage) -> Result<()> {
    let said = demo(&["--simulated"]).await?;
    ensure!(said.contains("SIMULATED PODS") && !said.contains("<li>"), "{said}");
    ensure!(said.contains("provider type devcloud, for development only"), "{said}");
    Ok(())
}

/// What is in PostgreSQL, as a page shows it.
fn notes(page: &str) -> Vec<&str> {
    let (_, list) = page.split_once("Notes in PostgreSQL").unwrap_or_default();
    list.lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| line.starts_with("<li>"))
        .collect()
}

/// What it prints, when it has come to its end.
async fn demo(arguments: &[&str]) -> Result<String> {
    let program = Path::new(env!("CARGO_BIN_EXE_kompox-demo"));
    let mut command = Command::new(program);
    let output = command.args(arguments).kill_on_drop(true).output();
    let output =
        tokio::time::timeout(PATIENCE, output).await.context("the demonstration takes too long")??;
    let (said, complaint) = (String::from_utf8(output.stdout)?, String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "it ended with {}:\n{said}\n{complaint}", output.status);
    ensure!(said.trim_end().ends_with(END), "{said}");
    for shown in
        ["app notes is Ready", "k8s.kompox.dev/before condition met", "k8s.kompox.dev/notes condition met"]
    {
        let everything = format!("{said}{complaint}");
        ensure!(everything.contains(shown), "{shown:?} is not in:\n{everything}");
    }
    Ok(said)
}
