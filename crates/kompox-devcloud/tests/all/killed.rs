//! The program killed with SIGKILL at any moment goes on where it was.

use crate::{TOKEN, available, request};
use kompox_devcloud::api::{Fault, FaultKind, Filter, VolumeState};
use kompox_devcloud::client::Client;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The program, killed when dropped.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    fn start(directory: &Path, tokens: &Path) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_devcloud"))
            .args(["--listen", "127.0.0.1:0", "--zones", "a,b", "--directory"])
            .arg(directory)
            .arg("--token-file")
            .arg(tokens)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        assert_eq!(std::fs::read_to_string(directory.join("endpoint")).unwrap().trim(), url);
        Self { child, url }
    }

    fn client(&self) -> Client {
        Client::new(&self.url, TOKEN.to_owned().into()).unwrap()
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_answered_is_there_and_what_was_begun_is_ended() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    std::fs::write(&tokens, format!("me {TOKEN}\n")).unwrap();
    let kept = directory.path().join("kept");
    let first = Program::start(&kept, &tokens);
    let client = first.client();
    let whole = client.create_volume(&request("whole")).await.unwrap();
    let whole = client.attach(&whole.id, "n1").await.unwrap();
    let stuck = Fault { milliseconds: Some(3_600_000), ..Fault::once(FaultKind::Stuck, "create-volume") };
    client.add_fault(&stuck).await.unwrap();
    let begun = client.create_volume(&request("begun")).await.unwrap();
    assert_eq!(begun.state, VolumeState::Creating);
    first.kill();

    let second = Program::start(&kept, &tokens);
    let client = second.client();
    assert_eq!(client.volume(&whole.id).await.unwrap(), whole);
    available(&client, &begun.id).await;
    second.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn repeating_a_create_across_twenty_kills_makes_one_volume() {
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    std::fs::write(&tokens, format!("me {TOKEN}\n")).unwrap();
    for round in 0..20_u64 {
        let program = Program::start(directory.path(), &tokens);
        let client = program.client();
        let creating = tokio::spawn(async move { client.create_volume(&request("one")).await });
        // Somewhere within the request, each time elsewhere.
        std::thread::sleep(std::time::Duration::from_micros(round * 400));
        program.kill();
        // Either is right: the answer came before the kill, or it did not.
        let _ = creating.await.unwrap();
    }
    let program = Program::start(directory.path(), &tokens);
    let client = program.client();
    let volume = client.create_volume(&request("one")).await.unwrap();
    available(&client, &volume.id).await;
    let all = client.volumes(&Filter::default()).await.unwrap().items;
    assert_eq!(all.len(), 1, "{all:?}");
}
