//! `devcloud`: block storage for development. Everything is in the library, so that it can be tested.

use clap::Parser as _;
use kompox_devcloud::args::{Args, run};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run(Args::parse()).await
}
