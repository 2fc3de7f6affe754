//! Measurements against a limit taken in the same run. Prints figures; judges nothing.

mod compose;
mod disks;
mod drivers;
mod machine;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures Kompox.
#[derive(Debug, Parser)]
#[command(name = "kompox-bench")]
struct Args {
    #[command(subcommand)]
    subject: Subject,
}

#[derive(Debug, Subcommand)]
enum Subject {
    /// Many disks to Ready, against the same writes made bare; memory; requests in steady state.
    Disks {
        /// How many.
        #[arg(long, default_value_t = 1000)]
        count: usize,
        /// The simulated cloud: one that answers at once, so that the operator is measured, or moto, a
        /// Python program that is slower than both.
        #[arg(long, value_enum, default_value_t = disks::Cloud::Instant)]
        cloud: disks::Cloud,
    },
    /// Compose files to objects: processes against kompose, the library against a bare YAML parse, growth.
    Compose,
    /// What it costs that drivers are components: calls, loading, memory, the same driver linked natively, swaps.
    Drivers,
    /// The memory of drivers, in a process of its own: called by `drivers`.
    #[command(hide = true)]
    DriversMemory {
        /// Where the compiled components are.
        cache: std::path::PathBuf,
    },
}

fn main() -> Result<()> {
    match Args::parse().subject {
        Subject::Disks { count, cloud } => tokio::runtime::Runtime::new()?.block_on(disks::run(count, cloud)),
        Subject::Compose => compose::run(),
        Subject::Drivers => drivers::run(),
        Subject::DriversMemory { cache } => drivers::memory::measure(&cache),
    }
}
