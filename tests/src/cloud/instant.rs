//! A cloud of ours for measurements only: it answers the EC2 and STS calls of a disk's creation from memory,
//! at once, and nothing else. It checks nothing, so that no test may use it: what it leaves of a measured
//! time is the operator's own.

use super::proxy::form;
use anyhow::{Context, Result};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The parameters of a Query API request.
type Parameters = BTreeMap<String, String>;

/// A running cloud. It ends when dropped.
#[derive(Debug)]
pub struct Instant {
    addresses: [SocketAddr; 2],
    listeners: [JoinHandle<()>; 2],
}

#[derive(Debug, Default)]
struct Volumes {
    /// The descriptions, by id.
    by_id: BTreeMap<String, String>,
    /// Ids by what a filter names, such as `tag:KEY` or `volume-id`, and its value.
    by_tag: BTreeMap<(String, String), BTreeSet<String>>,
}

impl Instant {
    /// Listens on two free ports of 127.0.0.1, one for EC2 and one for STS: the driver tells the services
    /// apart by URL.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start() -> Result<Self> {
        Self::start_after(Duration::ZERO).await
    }

    /// As [`Instant::start`], with this wait before each answer.
    ///
    /// # Errors
    /// If no port can be had.
    pub async fn start_after(wait: Duration) -> Result<Self> {
        let volumes = Arc::new(Mutex::new(Volumes::default()));
        let (ec2, ec2_task) = listen(&volumes, wait).await?;
        let (sts, sts_task) = listen(&volumes, wait).await?;
        Ok(Self { addresses: [ec2, sts], listeners: [ec2_task, sts_task] })
    }

    /// The driver's `config.endpoint` and `config.stsEndpoint`.
    #[must_use]
    pub fn endpoints(&self) -> [String; 2] {
        self.addresses.map(|address| format!("http://{address}/"))
    }
}

async fn listen(volumes: &Arc<Mutex<Volumes>>, wait: Duration) -> Result<(SocketAddr, JoinHandle<()>)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("failed to listen")?;
    let address = listener.local_addr()?;
    let volumes = Arc::clone(volumes);
    let accepting = async move {
        while let Ok((stream, _)) = listener.accept().await {
            let volumes = Arc::clone(&volumes);
            let service = service_fn(move |request| answer(Arc::clone(&volumes), wait, request));
            let server = hyper::server::conn::http1::Builder::new();
            tokio::spawn(server.serve_connection(TokioIo::new(stream), service));
        }
    };
    Ok((address, tokio::spawn(accepting)))
}

impl Drop for Instant {
    fn drop(&mut self) {
        for listener in &self.listeners {
            listener.abort();
        }
    }
}

async fn answer(
    volumes: Arc<Mutex<Volumes>>,
    wait: Duration,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>> {
    let body = Limited::new(request.into_body(), 1 << 20).collect().await;
    let body = body.map_err(|error| anyhow::anyhow!("failed to read the request: {error}"))?.to_bytes();
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    let parameters = form(&body);
    let action = parameters.get("Action").map(String::as_str).unwrap_or_default();
    let mut volumes = volumes.lock().unwrap_or_else(PoisonError::into_inner);
    let content = match action {
        "GetCallerIdentity" => Some(
            "<GetCallerIdentityResult><Account>123456789012</Account><Arn>arn:aws:iam::123456789012:user/bench</Arn></GetCallerIdentityResult>"
                .to_owned(),
        ),
        "CreateVolume" => Some(volumes.create(&parameters)),
        "DescribeVolumes" => Some(volumes.describe(&parameters)),
        _ => None,
    };
    let status = if content.is_some() { 200 } else { 400 };
    let text = content.map_or_else(
        || format!("<Response><Errors><Error><Code>InvalidAction</Code><Message>{action}</Message></Error></Errors></Response>"),
        |content| format!("<{action}Response>{content}</{action}Response>"),
    );
    Ok(Response::builder().status(status).header("content-type", "text/xml").body(Full::new(text.into()))?)
}

impl Volumes {
    fn create(&mut self, parameters: &Parameters) -> String {
        let id = format!("vol-{:017x}", self.by_id.len() + 1);
        let mut tags = String::new();
        for number in 1.. {
            let of = |part: &str| parameters.get(&format!("TagSpecification.1.Tag.{number}.{part}"));
            let (Some(key), Some(value)) = (of("Key"), of("Value")) else { break };
            let _ = write!(tags, "<item><key>{key}</key><value>{value}</value></item>");
            self.by_tag.entry((format!("tag:{key}"), value.clone())).or_default().insert(id.clone());
        }
        let given = |name: &str| parameters.get(name).cloned().unwrap_or_default();
        let volume = format!(
            "<volumeId>{id}</volumeId><status>available</status><size>{}</size><availabilityZone>{}</availabilityZone>\
             <volumeType>gp3</volumeType><encrypted>false</encrypted><tagSet>{tags}</tagSet><attachmentSet/>",
            given("Size"),
            given("AvailabilityZone"),
        );
        self.by_tag.insert(("volume-id".to_owned(), id.clone()), [id.clone()].into());
        self.by_id.insert(id, volume.clone());
        volume
    }

    fn describe(&self, parameters: &Parameters) -> String {
        let none = BTreeSet::new();
        let mut matches = Vec::new();
        for number in 1.. {
            let of = |part: &str| parameters.get(&format!("Filter.{number}.{part}")).cloned();
            let (Some(name), Some(value)) = (of("Name"), of("Value.1")) else { break };
            matches.push(self.by_tag.get(&(name, value)).unwrap_or(&none));
        }
        let fewest = matches.iter().min_by_key(|ids| ids.len()).into_iter().copied().flatten();
        let mut items = String::new();
        for id in fewest.filter(|id| matches.iter().all(|ids| ids.contains(*id))) {
            let volume = self.by_id.get(id).map(String::as_str).unwrap_or_default();
            let _ = write!(items, "<item>{volume}</item>");
        }
        format!("<volumeSet>{items}</volumeSet>")
    }
}
