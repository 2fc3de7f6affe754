//! A small proxy of ours between the driver and moto: it adds what moto lacks, breaks what a test
//! wants broken, and counts. It checks no signature: moto does, as the request is forwarded byte for
//! byte with its own `Host`. Never keeps an `Authorization` header.

mod answer;
mod state;

pub use state::{Fault, Recorded};

use super::wire;
use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use state::{Plan, State};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// The parameters of a Query API request.
type Parameters = BTreeMap<String, String>;

/// A proxy in front of moto. It ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    shared: Arc<Shared>,
    ec2: SocketAddr,
    sts: SocketAddr,
    listeners: [JoinHandle<()>; 2],
}

#[derive(Debug)]
struct Shared {
    upstream: SocketAddr,
    state: Mutex<State>,
}

impl Shared {
    /// A test that panicked with the lock held has failed already.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// Listens on two free ports of 127.0.0.1, one for EC2 and one for STS (the driver tells the services
    /// apart by URL), and forwards both to `upstream`.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start(upstream: SocketAddr) -> Result<Self> {
        let shared = Arc::new(Shared { upstream, state: Mutex::new(State::default()) });
        let (ec2, ec2_task) = listen(&shared).await?;
        let (sts, sts_task) = listen(&shared).await?;
        Ok(Self { shared, ec2, sts, listeners: [ec2_task, sts_task] })
    }

    /// The driver's `config.endpoint`.
    #[must_use]
    pub fn ec2_url(&self) -> String {
        format!("http://{}/", self.ec2)
    }

    /// Where [`Proxy::ec2_url`] leads.
    #[must_use]
    pub fn ec2_address(&self) -> SocketAddr {
        self.ec2
    }

    /// The driver's `config.stsEndpoint`.
    #[must_use]
    pub fn sts_url(&self) -> String {
        format!("http://{}/", self.sts)
    }

    /// The next `times` requests of `action` (such as `CreateVolume`) meet the fault. Faults of one
    /// action queue up.
    pub fn inject(&self, action: &str, fault: Fault, times: usize) {
        self.shared.state().inject(action, fault, times);
    }

    /// Faults that no request has met yet.
    #[must_use]
    pub fn pending_faults(&self) -> usize {
        self.shared.state().pending_faults()
    }

    /// Ends [`Proxy::inject`]: no request meets what is left of it.
    pub fn forget_faults(&self) {
        self.shared.state().faults.clear();
    }

    /// From now on every connection is reset: the cloud is unreachable.
    pub fn go_down(&self) {
        self.shared.state().down = true;
    }

    /// Ends [`Proxy::go_down`].
    pub fn come_up(&self) {
        self.shared.state().down = false;
    }

    /// Each request waits so long before it is forwarded.
    pub fn delay(&self, delay: Duration) {
        self.shared.state().delay = delay;
    }

    /// A new volume is `creating` in its first `polls` descriptions.
    pub fn volumes_take(&self, polls: u32) {
        self.shared.state().volume_polls = polls;
    }

    /// A new snapshot is `pending` in its first `polls` descriptions, with progress.
    pub fn snapshots_take(&self, polls: u32) {
        self.shared.state().snapshot_polls = polls;
    }

    /// A new object is missing from its first `describes` descriptions: EC2's eventual consistency.
    pub fn lag(&self, describes: u32) {
        self.shared.state().lag = describes;
    }

    /// Longest page of a list. Without it, a page has what `MaxResults` asks for.
    pub fn page_length(&self, length: usize) {
        self.shared.state().page_length = Some(length.max(1));
    }

    /// How many requests of `action` arrived, faults included.
    #[must_use]
    pub fn count(&self, action: &str) -> usize {
        self.shared.state().recorded.iter().filter(|recorded| recorded.action == action).count()
    }

    /// All requests so far, in order of arrival.
    #[must_use]
    pub fn recorded(&self) -> Vec<Recorded> {
        self.shared.state().recorded.clone()
    }

    /// Forgets the requests so far.
    pub fn forget(&self) {
        self.shared.state().recorded.clear();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
    }
}

async fn listen(shared: &Arc<Shared>) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("failed to listen")?;
    let address = listener.local_addr()?;
    Ok((address, tokio::spawn(accept(listener, Arc::clone(shared)))))
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        // Closing then resets the connection, as a dead host would.
        if shared.state().down {
            let _ = stream.set_zero_linger();
            continue;
        }
        tokio::spawn(serve(stream, Arc::clone(&shared)));
    }
}

async fn serve(stream: TcpStream, shared: Arc<Shared>) {
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { handle(&shared, request).await }
    });
    // An error here is a fault that a test asked for, or a client that went away.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// An error closes the connection without an answer.
async fn handle(shared: &Shared, request: Request<Incoming>) -> Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let body = Limited::new(body, wire::MAX_BODY).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("failed to read the request: {error}"))?.to_bytes();
    let parameters = form(&body);
    let action = parameters.get("Action").cloned().unwrap_or_default();
    let (plan, delay) = {
        let mut state = shared.state();
        (state.arrive(&action, &parameters), state.delay)
    };
    tokio::time::sleep(delay).await;
    let (lose, fail_later) = match plan {
        Plan::Close => anyhow::bail!("closed without forwarding"),
        Plan::Answer(status, text) => return Ok(respond(status, text)?),
        Plan::Forward { lose_answer, fail_later } => (lose_answer, fail_later),
    };
    let answer = wire::send(shared.upstream, Request::from_parts(parts, Full::new(body))).await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            shared.state().abandon(&parameters);
            return Err(error);
        }
    };
    let status = answer.status().as_u16();
    let text = String::from_utf8_lossy(answer.body()).into_owned();
    let text = shared.state().depart(&action, &parameters, status, text, fail_later);
    anyhow::ensure!(!lose, "the answer was lost");
    Ok(respond(status, text)?)
}

fn respond(status: u16, text: String) -> Result<Response<Full<Bytes>>, hyper::http::Error> {
    Response::builder().status(status).header("content-type", "text/xml").body(Full::new(Bytes::from(text)))
}

/// Reads a form.
pub(crate) fn form(body: &[u8]) -> Parameters {
    let text = String::from_utf8_lossy(body);
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(name, value)| (decode(name), decode(value))).collect()
}

fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        let digits = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(digits.unwrap_or(b'%'));
        rest = if digits.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
