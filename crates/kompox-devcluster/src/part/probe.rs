//! Waiting until a part answers. Looks only; starts and ends nothing.

use super::Part;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::{Api, Client};
use std::{
    path::PathBuf,
    process::ExitStatus,
    time::{Duration, Instant},
};

const POLL: Duration = Duration::from_millis(50);
/// One attempt; a part that accepts the connection and says nothing must not hold up the exit check.
const ATTEMPT: Duration = Duration::from_secs(3);

/// What tells that a part is ready.
pub(crate) enum Check {
    /// The file that it creates when it listens.
    Socket(PathBuf),
    /// A path that it answers with 200.
    Http(Client, &'static str),
}

/// How the wait ended.
pub(crate) enum Outcome {
    Ready,
    Exited(ExitStatus),
    /// Time is up; what the last probe said.
    NotReady(String),
}

pub(crate) async fn until_ready(check: &Check, part: &mut Part, limit: Duration) -> Outcome {
    let deadline = Instant::now() + limit;
    loop {
        let Err(last) = check.attempt().await else { return Outcome::Ready };
        if let Some(status) = part.exited() {
            return Outcome::Exited(status);
        }
        if Instant::now() >= deadline {
            return Outcome::NotReady(last);
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Pods are refused until the controller manager has made this account (admission plugin
/// ServiceAccount), so a cluster without it is not usable.
pub(crate) async fn default_account(client: &Client, limit: Duration) -> Result<(), String> {
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), "default");
    let deadline = Instant::now() + limit;
    loop {
        let last = match accounts.get_opt("default").await {
            Ok(Some(_)) => return Ok(()),
            Ok(None) => "no ServiceAccount default/default yet".to_owned(),
            Err(error) => chain(&error),
        };
        if Instant::now() >= deadline {
            return Err(last);
        }
        tokio::time::sleep(POLL).await;
    }
}

impl Check {
    async fn attempt(&self) -> Result<(), String> {
        match self {
            Self::Socket(path) if path.exists() => Ok(()),
            Self::Socket(path) => Err(format!("no {} yet", path.display())),
            Self::Http(client, path) => {
                let request =
                    http::Request::get(*path).body(Vec::new()).map_err(|error| error.to_string())?;
                match tokio::time::timeout(ATTEMPT, client.request_text(request)).await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => Err(chain(&error)),
                    Err(_) => Err(format!("no answer in {} s", ATTEMPT.as_secs())),
                }
            }
        }
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
