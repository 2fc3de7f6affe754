//! The scenarios of `tests/scenarios` on one real node. It takes root, Linux and the system's containerd; where
//! something is missing it says so and lists nothing as passed, unless `KOMPOX_REQUIRE_REAL_NODE=1` is set: then
//! it fails.

use anyhow::{Result, bail};
use kompox_devcluster::{Reporter, node::requirements};
use kompox_tests::node::{NodeStage, Scenario, play};
use libtest_mimic::{Arguments, Failed, Trial};
use std::{path::Path, process::ExitCode, sync::Arc};
use tokio::runtime::Runtime;

const REQUIRED: &str = "KOMPOX_REQUIRE_REAL_NODE";

fn main() -> Result<ExitCode> {
    let mut arguments = Arguments::from_args();
    // Two cores: apps that start side by side only wait for each other.
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let scenarios = Scenario::all(&Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios"))?;
    let runtime = Arc::new(Runtime::new()?);
    let stage = if arguments.list {
        None
    } else {
        if let Err(missing) = runtime.block_on(requirements()) {
            return impossible(&missing.to_string());
        }
        let reporter = Reporter::new(|progress| eprintln!("  {progress}"));
        Some(Arc::new(runtime.block_on(NodeStage::start(reporter))?))
    };
    let trials = scenarios.into_iter().map(|scenario| {
        let (runtime, stage) = (Arc::clone(&runtime), stage.clone());
        Trial::test(scenario.name.clone(), move || {
            let stage = stage.as_ref().ok_or("there is no stage")?;
            runtime.block_on(play(stage, &scenario)).map_err(|error| Failed::from(format!("{error:?}")))
        })
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    if let Some(stage) = stage.and_then(Arc::into_inner) {
        runtime.block_on(stage.stop())?;
    }
    Ok(conclusion.exit_code())
}

fn impossible(missing: &str) -> Result<ExitCode> {
    if std::env::var(REQUIRED).as_deref() == Ok("1") {
        bail!("{REQUIRED}=1, but: {missing}");
    }
    eprintln!("\n=== NOT RUN: no scenario was played, there is no real node here ===\n{missing}\n");
    Ok(ExitCode::SUCCESS)
}
