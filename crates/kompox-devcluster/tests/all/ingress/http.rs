//! Both ends of the ingress: servers that tell what reached them, and a client that can name any host.

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, StreamBody, combinators::BoxBody};
use hyper::{
    Request, Response, StatusCode,
    body::{Frame, Incoming},
    header::{CONNECTION, HOST, HeaderValue, UPGRADE},
    service::service_fn,
    upgrade::Upgraded,
};
use hyper_util::rt::{TokioExecutor, TokioIo};
use kompox_devcluster::ingress::DevIngress;
use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use serde_json::json;
use std::{
    convert::Infallible,
    net::{IpAddr, UdpSocket},
    sync::Arc,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

type Body = BoxBody<Bytes, Infallible>;

/// An address of this machine that an EndpointSlice may hold: the API server refuses 127.0.0.0/8. What is sent
/// to it does not leave the machine.
pub(crate) fn own_address() -> Result<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    // Connecting a datagram socket sends nothing; it only asks for the route.
    socket.connect("192.0.2.1:9").context("this machine has no address besides 127.0.0.1")?;
    Ok(socket.local_addr()?.ip())
}

/// A server that answers with what it was asked.
pub(crate) struct Backend {
    pub(crate) port: u16,
    /// Lets `/stream` go on.
    pub(crate) release: Arc<Notify>,
}

impl Backend {
    pub(crate) async fn start(name: &'static str) -> Result<Self> {
        let listener = TcpListener::bind((own_address()?, 0)).await?;
        let port = listener.local_addr()?.port();
        let release = Arc::new(Notify::new());
        let shared = Arc::clone(&release);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let release = Arc::clone(&shared);
                let service = service_fn(move |request| answer(name, request, Arc::clone(&release)));
                let connection = hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service);
                tokio::spawn(connection.with_upgrades());
            }
        });
        Ok(Self { port, release })
    }
}

async fn answer(
    name: &'static str,
    mut request: Request<Incoming>,
    release: Arc<Notify>,
) -> Result<Response<Body>, hyper::Error> {
    let full = |text: String| Full::new(Bytes::from(text)).boxed();
    if request.headers().contains_key(UPGRADE) {
        let upgraded = hyper::upgrade::on(&mut request);
        tokio::spawn(async move {
            let mut stream = TokioIo::new(upgraded.await?);
            let mut buffer = [0; 1024];
            while let Ok(count @ 1..) = stream.read(&mut buffer).await {
                stream.write_all(buffer.get(..count).unwrap_or_default()).await?;
            }
            anyhow::Ok(())
        });
        let mut response = Response::new(full(String::new()));
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("upgrade"));
        response.headers_mut().insert(UPGRADE, HeaderValue::from_static("echo"));
        return Ok(response);
    }
    match request.uri().path() {
        "/hang" => std::future::pending().await,
        "/count" => {
            let mut length = 0;
            while let Some(frame) = request.body_mut().frame().await {
                length += frame?.data_ref().map_or(0, Bytes::len);
            }
            Ok(Response::new(full(length.to_string())))
        }
        "/stream" => {
            let chunk = |text: &'static str| Ok(Frame::data(Bytes::from_static(text.as_bytes())));
            let end = async move {
                release.notified().await;
                chunk("end")
            };
            let chunks = futures::stream::StreamExt::chain(
                futures::stream::iter([chunk("beginning")]),
                futures::stream::once(end),
            );
            Ok(Response::new(http_body_util::BodyExt::boxed(StreamBody::new(chunks))))
        }
        _ => {
            let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
            let seen = json!({
                "backend": name,
                "uri": request.uri().to_string(),
                "host": header("host"),
                "x-forwarded-for": header("x-forwarded-for"),
                "x-forwarded-proto": header("x-forwarded-proto"),
            });
            Ok(Response::new(full(seen.to_string())))
        }
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// The ingress itself has answered.
    pub(crate) is_ours: bool,
}

/// A client on its way through one ingress.
pub(crate) struct Browser {
    http: u16,
    https: u16,
    tls: Arc<rustls::ClientConfig>,
}

impl Browser {
    /// Trusts the ingress' authority and nobody else.
    pub(crate) fn new(ingress: &DevIngress) -> Result<Self> {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ingress.authority_path())?)?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self { http: ingress.http_port(), https: ingress.https_port(), tls: Arc::new(tls) })
    }

    pub(crate) async fn get(&self, host: &str, path: &str) -> Result<Answer> {
        read(self.open(host, path).await?).await
    }

    pub(crate) async fn post(&self, host: &str, path: &str, body: Vec<u8>) -> Result<Answer> {
        let request = Request::post(path).header(HOST, host).body(Full::new(Bytes::from(body)))?;
        read(send(self.connect().await?, request).await?).await
    }

    /// The answer with its body still on the way.
    pub(crate) async fn open(&self, host: &str, path: &str) -> Result<Response<Incoming>> {
        send(self.connect().await?, get(host, path)?).await
    }

    pub(crate) async fn get_tls(&self, host: &str, path: &str) -> Result<Answer> {
        let stream = TcpStream::connect(("127.0.0.1", self.https)).await?;
        let connector = tokio_rustls::TlsConnector::from(Arc::clone(&self.tls));
        let stream = connector.connect(ServerName::try_from(host.to_owned())?, stream).await?;
        read(send(stream, get(host, path)?).await?).await
    }

    /// Asks for another protocol, whose server echoes.
    pub(crate) async fn upgrade(&self, host: &str) -> Result<Pipe> {
        let mut request = get(host, "/")?;
        request.headers_mut().insert(CONNECTION, "Upgrade".parse()?);
        request.headers_mut().insert(UPGRADE, "echo".parse()?);
        let response = send(self.connect().await?, request).await?;
        ensure!(response.status() == 101, "{}", response.status());
        Ok(Pipe(TokioIo::new(hyper::upgrade::on(response).await?)))
    }

    async fn connect(&self) -> Result<TcpStream> {
        Ok(TcpStream::connect(("127.0.0.1", self.http)).await?)
    }
}

/// An upgraded connection.
pub(crate) struct Pipe(TokioIo<Upgraded>);

impl Pipe {
    pub(crate) async fn echo(&mut self, bytes: &[u8]) -> Result<Vec<u8>> {
        self.0.write_all(bytes).await?;
        let mut back = vec![0; bytes.len()];
        self.0.read_exact(&mut back).await?;
        Ok(back)
    }
}

fn get(host: &str, path: &str) -> Result<Request<Full<Bytes>>> {
    Ok(Request::get(path).header(HOST, host).body(Full::default())?)
}

async fn send<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Response<Incoming>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    hyper::rt::Executor::execute(&TokioExecutor::new(), async move {
        let _ = connection.with_upgrades().await;
    });
    Ok(sender.send_request(request).await?)
}

async fn read(response: Response<Incoming>) -> Result<Answer> {
    let status = response.status().as_u16();
    let is_ours = response.headers().contains_key("kompox-dev-ingress");
    let body = response.into_body().collect().await?.to_bytes();
    Ok(Answer { status, body: String::from_utf8(body.to_vec())?, is_ours })
}

/// The next piece of a body, as it comes.
pub(crate) async fn next_chunk(response: &mut Response<Incoming>) -> Result<String> {
    let frame = response.body_mut().frame().await.context("the body has ended")??;
    let data = frame.into_data().map_err(|_| anyhow::anyhow!("trailers"))?;
    Ok(String::from_utf8(data.to_vec())?)
}
