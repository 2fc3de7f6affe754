//! The program inside the test images. It shows a container everything that it was given, keeps notes on a volume
//! and in PostgreSQL, and misbehaves on request. It hides nothing, secrets included: never run it for anything
//! but tests.

mod client;
mod disk;
mod notes;
mod page;
mod pause;
mod process;
mod server;
mod stop;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

/// Shows what a container is given, keeps notes, fails on request. For tests only.
#[derive(Debug, Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Answer HTTP requests until a signal comes
    Serve(Serve),
    /// Hold a pod's namespaces and reap its orphans until SIGTERM
    Pause,
    /// Print the words given, environment, user and directory as JSON, and end with 0
    Show {
        /// Any words; they are shown as they arrived
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        words: Vec<String>,
    },
    /// End with an exit code
    Exit {
        /// The code
        code: u8,
        /// Seconds to live before
        #[arg(long, default_value_t = 0)]
        after: u64,
    },
    /// End with an exit code the first N times, counted in a file, and with 0 from then on
    FailTimes {
        /// How often to fail
        times: u64,
        /// The file with the count
        #[arg(long)]
        file: PathBuf,
        /// The code to fail with
        #[arg(long, default_value_t = 1)]
        code: u8,
    },
    /// Add a line to a file, making its directory, and end with 0
    Append {
        /// The file
        file: PathBuf,
        /// The line
        line: String,
    },
    /// Fetch a page; end with 0 when the answer is 2xx (a health check without a shell)
    Check {
        /// http://host:port/path
        url: String,
    },
}

#[derive(Clone, Debug, Args)]
struct Serve {
    /// Address to listen at
    #[arg(long, env = "DEMO_LISTEN", default_value = "0.0.0.0:8080")]
    listen: SocketAddr,
    /// Directory of the notes; made if missing
    #[arg(long, env = "DEMO_DATA", default_value = "/data")]
    data: PathBuf,
    /// Where notes go as well: postgres://user:password@host/database
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    database: Option<String>,
    /// Report signals, but do not end because of them
    #[arg(long, env = "DEMO_IGNORE_SIGNALS")]
    ignore_signals: bool,
    /// Seconds from the signal to the end
    #[arg(long, env = "DEMO_STOP_AFTER", default_value_t = 0)]
    stop_after: u64,
    /// Be unhealthy until told otherwise
    #[arg(long, env = "DEMO_UNHEALTHY")]
    unhealthy: bool,
    /// Seconds before the port opens
    #[arg(long, env = "DEMO_START_AFTER", default_value_t = 0)]
    start_after: u64,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("demo: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<ExitCode> {
    match command {
        Command::Serve(options) => server::run(options).await?,
        Command::Pause => pause::run().await?,
        Command::Show { words } => {
            println!("{}", serde_json::json!({ "words": words, "process": process::Facts::read() }));
        }
        Command::Exit { code, after } => {
            tokio::time::sleep(Duration::from_secs(after)).await;
            return Ok(code.into());
        }
        Command::FailTimes { times, file, code } => {
            let runs = disk::count_line(&file, "run")?;
            println!("run {runs}, failing until run {times}");
            return Ok(if runs <= times { code.into() } else { ExitCode::SUCCESS });
        }
        Command::Append { file, line } => disk::append(&file, &line)?,
        Command::Check { url } => {
            let answer = client::get(&url).await?;
            println!("{}", answer.status);
            return Ok(if (200..300).contains(&answer.status) {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}
