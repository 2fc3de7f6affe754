//! Starts moto, makes users in it, and stops it by its own process.

use super::wire;
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Method, Request};
use secrecy::SecretString;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};

/// moto needs three seconds on a quiet machine.
const START_DEADLINE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(50);
/// Somebody else may take the free port before moto does.
const START_ATTEMPTS: u32 = 3;
/// IAM's three calls for a user with a key and a policy.
const CALLS_PER_USER: u32 = 3;

/// Where the Python environment with moto is: `KOMPOX_VENV`, else the user's cache
/// (`~/.cache/kompox/venv-moto`), made from `tests/requirements.txt`.
///
/// # Errors
/// If neither is there; the message says how to make it.
pub fn venv() -> Result<PathBuf> {
    let given = std::env::var_os("KOMPOX_VENV").map(PathBuf::from);
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")));
    let found = given.or_else(|| cache.map(|cache| cache.join("kompox/venv-moto")));
    let venv = found.filter(|venv| server(venv).is_file());
    venv.context(
        "there is no Python environment with moto: run `cargo xtask setup`, or set KOMPOX_VENV to one",
    )
}

fn server(venv: &Path) -> PathBuf {
    venv.join("bin/moto_server")
}

/// An access key of a user in moto.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// Its public half.
    pub id: String,
    /// Its secret half.
    pub secret: SecretString,
}

/// A running moto server. It is killed when dropped.
#[derive(Debug)]
pub struct Moto {
    child: Child,
    address: SocketAddr,
    log: tempfile::TempPath,
}

impl Moto {
    /// Starts moto on a free port of 127.0.0.1 and waits until it answers. From its first request on it
    /// checks signatures and policies.
    ///
    /// # Errors
    /// If it does not start within two minutes; the error shows the end of its log.
    pub async fn start(venv: &Path) -> Result<Self> {
        let mut last = None;
        for _ in 0..START_ATTEMPTS {
            match Self::try_start(venv).await {
                Ok(moto) => return Ok(moto),
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| anyhow::anyhow!("moto was not started")))
    }

    async fn try_start(venv: &Path) -> Result<Self> {
        let address = free_address()?;
        let log =
            tempfile::NamedTempFile::with_prefix("moto-").context("failed to make a log file for moto")?;
        let child = Command::new(server(venv))
            .args(["-H", "127.0.0.1", "-p", &address.port().to_string()])
            .env("INITIAL_NO_AUTH_ACTION_COUNT", "0")
            .stdin(Stdio::null())
            .stdout(log.as_file().try_clone()?)
            .stderr(log.as_file().try_clone()?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("failed to start {}", server(venv).display()))?;
        let mut moto = Self { child, address, log: log.into_temp_path() };
        moto.wait().await?;
        Ok(moto)
    }

    async fn wait(&mut self) -> Result<()> {
        let deadline = Instant::now() + START_DEADLINE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait()? {
                bail!("moto ended with {status}: {}", self.log_tail());
            }
            if self.control(Method::GET, "/moto-api/", "").await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(POLL).await;
        }
        bail!("moto did not answer within {START_DEADLINE:?}: {}", self.log_tail())
    }

    fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines.iter().skip(lines.len().saturating_sub(20)).copied().collect::<Vec<_>>().join("\n")
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The driver's `config.endpoint`, without the proxy.
    #[must_use]
    pub fn ec2_url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// The driver's `config.stsEndpoint`, without the proxy. moto has one port for all services, so
    /// another name of the host makes the difference that the driver needs.
    #[must_use]
    pub fn sts_url(&self) -> String {
        format!("http://localhost:{}/", self.address.port())
    }

    /// Makes a user with one access key and one policy (IAM's JSON). moto accepts these calls unsigned
    /// and lets no other call in meanwhile, so make users before there is other traffic.
    ///
    /// # Errors
    /// If IAM refuses the name or the policy.
    pub async fn create_user(&self, name: &str, policy: &str) -> Result<AccessKey> {
        self.control(Method::POST, "/moto-api/reset-auth", &CALLS_PER_USER.to_string()).await?;
        self.iam(&[("Action", "CreateUser"), ("UserName", name)]).await?;
        let put = [
            ("Action", "PutUserPolicy"),
            ("UserName", name),
            ("PolicyName", "kompox"),
            ("PolicyDocument", policy),
        ];
        self.iam(&put).await?;
        let answer = self.iam(&[("Action", "CreateAccessKey"), ("UserName", name)]).await?;
        let id = between(&answer, "<AccessKeyId>", "</AccessKeyId>")
            .context("no access key id in IAM's answer")?;
        let secret = between(&answer, "<SecretAccessKey>", "</SecretAccessKey>")
            .context("no secret in IAM's answer")?;
        Ok(AccessKey { id: id.to_owned(), secret: SecretString::from(secret.to_owned()) })
    }

    async fn iam(&self, form: &[(&str, &str)]) -> Result<String> {
        let mut body = String::from("Version=2010-05-08");
        for (name, value) in form {
            body.push_str(&format!("&{name}={}", encode(value)));
        }
        // moto takes the service from the credential scope; these calls' signatures are not looked at.
        let authorization = "AWS4-HMAC-SHA256 Credential=AKIDUNSIGNED/20260101/us-east-1/iam/aws4_request, \
                             SignedHeaders=host, Signature=0";
        let request = Request::post("/")
            .header("host", self.address.to_string())
            .header("authorization", authorization)
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .body(Full::new(Bytes::from(body)))?;
        let answer = wire::send(self.address, request).await?;
        let text = String::from_utf8_lossy(answer.body()).into_owned();
        ensure!(answer.status().is_success(), "IAM answered {}: {text}", answer.status());
        Ok(text)
    }

    async fn control(&self, method: Method, path: &str, body: &str) -> Result<()> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.address.to_string())
            .body(Full::new(Bytes::from(body.to_owned())))?;
        let answer = wire::send(self.address, request).await?;
        ensure!(answer.status().is_success(), "moto answered {} to {path}", answer.status());
        Ok(())
    }

    /// Stops it and waits until it is gone.
    ///
    /// # Errors
    /// If the process cannot be ended.
    pub async fn stop(mut self) -> Result<()> {
        self.child.kill().await.context("failed to stop moto")
    }
}

/// A port that was free just now.
fn free_address() -> Result<SocketAddr> {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port")?;
    Ok(listener.local_addr()?)
}

pub(super) fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    Some(text.split_once(start)?.1.split_once(end)?.0)
}

/// Percent-encodes all but RFC 3986's unreserved characters.
fn encode(text: &str) -> String {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let one = |byte: u8| if unreserved(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(one).collect()
}
