//! The commands that make the node's namespaces, run programs in them, and run programs to their end.

use super::Error;
use std::{fs::File, path::Path, process::Stdio};
use tokio::{
    io::AsyncWriteExt as _,
    process::{Child, Command},
};

/// Where the system's programs are looked for inside the node: the caller's PATH may lack /usr/sbin.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// What is kept of a command's output.
const OUTPUT_LIMIT: usize = 4096;

/// A program of the system, with a PATH that holds the others.
pub(super) fn system(program: &str) -> Command {
    let mut command = Command::new(program);
    // The caller's own PATH does not count: it must be the same programs inside and outside.
    command.env("PATH", PATH);
    command
}

/// Makes the namespaces with `pause` as their first process. Mounts of the host are passed on into the
/// node, so that it holds none back; those of the node are not seen outside.
pub(super) fn command(pause: &Path) -> Command {
    let mut command = system("unshare");
    command
        .args([
            "--mount",
            "--propagation",
            "slave",
            "--net",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ])
        .arg("--")
        .arg(pause);
    command
}

/// Runs `program` in the namespaces of the process `first`.
pub(super) fn enter(first: u32, program: &str) -> Command {
    let mut command = system("nsenter");
    command
        .args(["--target", &first.to_string(), "--mount", "--net", "--pid"])
        // A working directory of the host may not exist inside.
        .args(["--wdns=/", "--", program]);
    command
}

/// Runs a command to its end; `what` it is to do is for the error. Returns what it printed.
pub(super) async fn run(what: &str, command: &mut Command) -> Result<String, Error> {
    finish(what, spawn(what, command.stdin(Stdio::null()))?).await
}

/// As [`run`], with `input` on its standard input.
pub(super) async fn run_with(what: &str, command: &mut Command, input: &[u8]) -> Result<String, Error> {
    let mut child = spawn(what, command.stdin(Stdio::piped()))?;
    let pipe = child.stdin.take();
    let feed = async {
        if let Some(mut pipe) = pipe {
            // A command that does not read to the end says why by itself.
            let _ = pipe.write_all(input).await;
        }
    };
    let (output, ()) = tokio::join!(finish(what, child), feed);
    output
}

/// As [`run`], with a file as its standard input.
pub(super) async fn run_from(what: &str, command: &mut Command, input: File) -> Result<String, Error> {
    finish(what, spawn(what, command.stdin(input))?).await
}

fn spawn(what: &str, command: &mut Command) -> Result<Child, Error> {
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command.spawn().map_err(|error| failed(what, error.to_string()))
}

async fn finish(what: &str, child: Child) -> Result<String, Error> {
    let output = child.wait_with_output().await.map_err(|error| failed(what, error.to_string()))?;
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    let said = text(if output.stderr.is_empty() { &output.stdout } else { &output.stderr });
    Err(failed(what, if said.is_empty() { output.status.to_string() } else { said }))
}

fn failed(what: &str, output: String) -> Error {
    Error::Command { what: what.to_owned(), output }
}

/// The end of it: that is where tools say what is wrong.
fn text(bytes: &[u8]) -> String {
    let end = bytes.get(bytes.len().saturating_sub(OUTPUT_LIMIT)..).unwrap_or_default();
    String::from_utf8_lossy(end).trim().to_owned()
}
