//! `kompox-operator`: reads its arguments and runs. Everything else is in the library.

use anyhow::Context as _;
use clap::Parser as _;
use kompox_operator::{args::Args, run::run};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run(Args::parse()).await.context("kompox-operator stops")
}
