//! `devcloud-csi`: the CSI driver of devcloud. Everything is in the library, so that it can be tested.

use clap::Parser as _;
use kompox_devcloud_csi::args::{Args, run};

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    run(Args::parse()).await
}
