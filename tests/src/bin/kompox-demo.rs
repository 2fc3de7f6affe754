//! The demonstration: the commands that a user would type, one after the other, in a development cluster of its own,
//! and what the app's page says after each.
//!
//! It does nothing that the shipped programs do not do. Exits with 0 when everything got there; the cluster goes in
//! any case.

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use clap::Parser;
use http_body_util::Full;
use hyper::{Method, Request, StatusCode};
use kompox_devcluster::node::requirements;
use kompox_tests::{
    cloud::http_send,
    node::images,
    stage::{Programs, private_directory},
};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::Stdio,
    time::{Duration, Instant},
};
use tokio::process::Command;

/// The app's namespace.
const NAMESPACE: &str = "notes";
/// The archives of the images that the app takes.
const IMAGES: [&str; 2] = ["kompox-demo-1.tar", "postgres-15.tar"];
/// How long a page may take to say what it should.
const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(200);

/// Shows Kompox at work: notes in PostgreSQL from a Compose file, on a disk of its own, a snapshot, and the app
/// again on a disk that was restored from it.
#[derive(Debug, Parser)]
#[command(name = "kompox-demo")]
struct Args {
    /// Leave everything running until Ctrl-C, and print how to look around.
    #[arg(long)]
    keep: bool,

    /// Let pods be simulated, also where containers could run.
    #[arg(long)]
    simulated: bool,
}

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::parse();
    println!(
        "Kompox: a Compose app on Kubernetes, its disk made by a WebAssembly driver, all on this machine"
    );
    let containers = match lacking(&args).await {
        None => true,
        Some(why) => {
            println!("  SIMULATED PODS: no container runs, so there is no page to show: {why}");
            false
        }
    };
    let directory = private_directory()?;
    let tour =
        Tour { started: Instant::now(), programs: Programs::find()?, home: directory.path(), containers };
    let played = tokio::select! {
        played = tour.play(&args) => played,
        interrupted = tokio::signal::ctrl_c() => interrupted.context("failed to listen for Ctrl-C"),
    };
    let ended = tour.kompoxops(&["dev", "down"]).await;
    played?;
    ended?;
    println!("\nNothing is left running.");
    Ok(())
}

/// Why no containers run, if so.
async fn lacking(args: &Args) -> Option<String> {
    if args.simulated {
        return Some("as asked".to_owned());
    }
    requirements().await.err().map(|missing| missing.to_string())
}

struct Tour<'a> {
    started: Instant,
    programs: Programs,
    /// Where the development cluster keeps its files: not where the user's own does.
    home: &'a Path,
    /// Whether containers run.
    containers: bool,
}

impl Tour<'_> {
    async fn play(&self, args: &Args) -> Result<()> {
        let ingress = self.start().await?;
        let page = Page { address: (Ipv4Addr::LOCALHOST, ingress).into(), tour: self };
        self.up().await?;
        page.write("before the snapshot").await?;
        page.shows(&["before the snapshot"]).await?;

        self.kubectl(&["apply", "--filename", "examples/notes/snapshot.yaml"]).await?;
        self.ready("kompoxsnapshot/before").await?;
        page.write("after the snapshot").await?;
        page.shows(&["before the snapshot", "after the snapshot"]).await?;

        self.kubectl(&["delete", "kompoxapp", "notes"]).await?;
        self.kubectl(&["apply", "--filename", "examples/notes/restored.yaml"]).await?;
        self.ready("kompoxapp/notes").await?;
        page.shows(&["before the snapshot"]).await?;

        self.kompoxops(&["status", "--namespace", NAMESPACE]).await?;
        self.kubectl(&["get", "persistentvolumes,persistentvolumeclaims,pods"]).await?;
        if args.keep {
            self.look_around(ingress);
            tokio::signal::ctrl_c().await.context("failed to listen for Ctrl-C")?;
        }
        Ok(())
    }

    /// The cluster, with the images; gives the port of its ingress.
    async fn start(&self) -> Result<u16> {
        let engine = if self.containers { "real" } else { "simulated" };
        let said = self.listen(&["dev", "up", "--node", engine]).await?;
        println!("{}", said.trim_end());
        let port = ingress_port(&said).context("`kompoxops dev up` says no port of its ingress")?;
        let archives = if self.containers { images(&self.programs)? } else { Vec::new() };
        for archive in archives.iter().filter(|archive| is_needed(archive)) {
            self.kompoxops(&["dev", "load", &archive.to_string_lossy()]).await?;
        }
        Ok(port)
    }

    async fn up(&self) -> Result<()> {
        self.kubectl(&["create", "namespace", NAMESPACE]).await?;
        self.kompoxops(&[
            "up",
            "--file=examples/notes/compose.yml",
            "--namespace=notes",
            "--disk-size=1Gi",
            "--route=notes.example.com=8080",
            "--wait",
        ])
        .await
    }

    async fn ready(&self, object: &str) -> Result<()> {
        self.kubectl(&["wait", "--for=condition=Ready", "--timeout=120s", object]).await
    }

    async fn kubectl(&self, arguments: &[&str]) -> Result<()> {
        self.kompoxops(&[&["dev", "kubectl", "--namespace", NAMESPACE], arguments].concat()).await
    }

    /// Shows the command and lets it print.
    async fn kompoxops(&self, arguments: &[&str]) -> Result<()> {
        let status = self.command(arguments).status().await.context("failed to start kompoxops")?;
        ensure!(status.success(), "`kompoxops {}` ended with {status}", arguments.join(" "));
        Ok(())
    }

    /// As [`Tour::kompoxops`]; gives what it says on standard output.
    async fn listen(&self, arguments: &[&str]) -> Result<String> {
        let mut command = self.command(arguments);
        let output = command.stderr(Stdio::inherit()).output().await.context("failed to start kompoxops")?;
        ensure!(output.status.success(), "`kompoxops {}` ended with {}", arguments.join(" "), output.status);
        String::from_utf8(output.stdout).context("kompoxops wrote no text")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        self.step(&format!("$ kompoxops {}", arguments.join(" ")));
        let mut command = Command::new(&self.programs.cli);
        command
            .args(arguments)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
            .env("XDG_STATE_HOME", self.home)
            .env("KUBECONFIG", self.home.join("kompox/dev/cluster/kubeconfig"));
        command
    }

    fn step(&self, text: &str) {
        println!("\n[{:>5.1} s] {text}", self.started.elapsed().as_secs_f64());
    }

    fn look_around(&self, ingress: u16) {
        println!("\nLeft running until Ctrl-C. In another terminal:");
        println!("  export XDG_STATE_HOME={}", self.home.display());
        println!("  export PATH={}:$PATH", self.programs.cli.with_file_name("").display());
        println!("  export KUBECONFIG=\"$(kompoxops dev kubeconfig --path)\"");
        println!("  kompoxops dev status");
        println!("  kompoxops dev kubectl -n notes describe kompoxdisk restored");
        if self.containers {
            println!("  curl http://notes.localhost:{ingress}/");
        }
    }
}

/// The app's page, as a browser reaches it. Without containers there is none, and nothing is asked or claimed.
struct Page<'a> {
    address: SocketAddr,
    tour: &'a Tour<'a>,
}

impl Page<'_> {
    async fn write(&self, note: &str) -> Result<()> {
        if !self.tour.containers {
            return Ok(());
        }
        self.tour.step(&format!("write a note: {note}"));
        let (status, body) = self.ask(Method::POST, "/db/notes", note).await?;
        ensure!(status == StatusCode::CREATED, "the note was answered with {status}: {body}");
        Ok(())
    }

    /// Asks until the notes in PostgreSQL are exactly these: the ingress hears of a new pod a moment later.
    async fn shows(&self, notes: &[&str]) -> Result<()> {
        if !self.tour.containers {
            return Ok(());
        }
        let expected = serde_json::to_string(notes).context("failed to write the notes as JSON")?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let (status, body) = self.ask(Method::GET, "/db/notes", "").await?;
            if body == expected {
                break;
            }
            if Instant::now() > deadline {
                bail!("the notes are {body} ({status}), not {expected}");
            }
            tokio::time::sleep(POLL).await;
        }
        let (_, page) = self.ask(Method::GET, "/", "").await?;
        self.tour.step(&format!("the page http://notes.localhost:{}/", self.address.port()));
        page.lines().for_each(|line| println!("    {line}"));
        Ok(())
    }

    async fn ask(&self, method: Method, path: &str, body: &str) -> Result<(StatusCode, String)> {
        let host = format!("notes.localhost:{}", self.address.port());
        let request = Request::builder().method(method).uri(path).header("host", host);
        let request = request.body(Full::new(Bytes::copy_from_slice(body.as_bytes())))?;
        let answer = http_send(self.address, request).await?;
        Ok((answer.status(), String::from_utf8_lossy(answer.body()).into_owned()))
    }
}

/// Of the line `ingress      http://<app>.localhost:PORT (…)`.
fn ingress_port(said: &str) -> Option<u16> {
    let line = said.lines().find_map(|line| line.strip_prefix("ingress"))?;
    line.split_whitespace().next()?.rsplit_once(':')?.1.parse().ok()
}

fn is_needed(archive: &Path) -> bool {
    let name = archive.file_name().unwrap_or_default().to_string_lossy();
    IMAGES.contains(&&*name)
}
