//! The way out for images: an HTTP proxy at the host's end of the cable, for containerd alone. It leads
//! out only when that was asked for; else it says what to do, and containerd hands that on to the pod that
//! wants the image. Containers cannot use it: it serves no address but the node's own. Nothing of the host
//! is changed for it, and it ends with the launcher.

use super::{Error, addresses::Addresses};
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// The head of a request at most.
const HEAD_LIMIT: usize = 8 << 10;
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// Go's HTTP client makes the reason of a status line its error; a body it would not read.
const REFUSAL: &str = "HTTP/1.1 403 this cluster fetches no images: load the image with `kompoxops dev load FILE.tar`, \
     or start the cluster with `kompoxops dev up --pull`\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
/// After an error of accept itself, such as too many open files.
const PAUSE: Duration = Duration::from_millis(100);

/// A running proxy. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Proxy {
    address: SocketAddr,
    /// Not to be proxied: the node's own addresses.
    exempt: String,
    task: JoinHandle<()>,
}

impl Proxy {
    /// `open`: it leads out.
    pub(super) async fn start(addresses: Addresses, open: bool) -> Result<Self, Error> {
        let failed = |error: io::Error| Error::Command {
            what: format!("listen on {} for the node's image pulls", addresses.host()),
            output: error.to_string(),
        };
        let listener = TcpListener::bind((addresses.host(), 0)).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let exempt = format!("localhost,127.0.0.1,{}", addresses.node());
        let task = tokio::spawn(serve(listener, addresses.node().into(), open));
        Ok(Self { address, exempt, task })
    }

    /// What containerd has to know.
    pub(super) fn environment(&self) -> [(&'static str, String); 3] {
        let url = format!("http://{}", self.address);
        [("HTTP_PROXY", url.clone()), ("HTTPS_PROXY", url), ("NO_PROXY", self.exempt.clone())]
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, node: IpAddr, open: bool) {
    let mut connections = tokio::task::JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((client, from)) if from.ip() == node => {
                connections.spawn(async move {
                    if let Err(error) = forward(client, open).await {
                        tracing::debug!(%error, "an image pull was cut");
                    }
                });
            }
            Ok((_, from)) => tracing::debug!(%from, "only the node itself may use the proxy for images"),
            Err(error) => {
                tracing::debug!(%error, "failed to accept");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// One connection: HTTPS asks for a tunnel (RFC 9110 §9.3.6), plain HTTP names the whole URL, and the
/// connection then belongs to that one server.
async fn forward(mut client: TcpStream, open: bool) -> io::Result<()> {
    let head = read_head(&mut client).await?;
    if !open {
        return client.write_all(REFUSAL.as_bytes()).await;
    }
    let Some(request) = Request::parse(&head) else {
        return client.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n").await;
    };
    let connected = tokio::time::timeout(CONNECT_LIMIT, TcpStream::connect(&request.authority)).await;
    let Ok(Ok(mut server)) = connected else {
        return client.write_all(b"HTTP/1.1 502 Bad Gateway\r\nConnection: close\r\n\r\n").await;
    };
    match request.first {
        None => client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?,
        Some(first) => server.write_all(&first).await?,
    }
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}

/// Everything up to the empty line, and what came with it.
async fn read_head(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        let read = client.read(&mut buffer).await?;
        if read == 0 || head.len() + read > HEAD_LIMIT {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "no request, or too long a one"));
        }
        head.extend_from_slice(buffer.get(..read).unwrap_or_default());
    }
    Ok(head)
}

#[derive(Debug, PartialEq, Eq)]
struct Request {
    /// `host:port`.
    authority: String,
    /// What the server is sent at first; a tunnel begins with nothing.
    first: Option<Vec<u8>>,
}

impl Request {
    fn parse(head: &[u8]) -> Option<Self> {
        let end = head.windows(2).position(|window| window == b"\r\n")?;
        let (line, rest) = head.split_at_checked(end)?;
        let mut words = std::str::from_utf8(line).ok()?.split(' ');
        let (method, target, version) = (words.next()?, words.next()?, words.next()?);
        if method == "CONNECT" {
            return Some(Self { authority: target.to_owned(), first: None });
        }
        let (host, path) = target.strip_prefix("http://")?.split_once('/')?;
        let authority = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
        // A second request could be for another server: the answer must close the connection.
        let mut first = format!("{method} /{path} {version}\r\nConnection: close").into_bytes();
        first.extend_from_slice(rest);
        Some(Self { authority, first: Some(first) })
    }
}

#[cfg(test)]
mod tests {
    use super::{Request, serve};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpSocket, TcpStream},
    };

    /// A server that answers every connection with what it was sent first.
    async fn echo() -> std::net::SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut buffer = [0; 1024];
                let read = stream.read(&mut buffer).await.unwrap();
                stream.write_all(&buffer[..read]).await.unwrap();
            }
        });
        address
    }

    async fn talk(mut stream: TcpStream, send: &str) -> String {
        stream.write_all(send.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // A connection that is refused may be reset as well as closed.
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    #[tokio::test]
    async fn the_node_gets_through_and_nobody_else() {
        let server = echo().await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let task = tokio::spawn(serve(listener, "127.0.0.1".parse().unwrap(), true));

        let mut tunnel = TcpStream::connect(proxy).await.unwrap();
        tunnel.write_all(format!("CONNECT {server} HTTP/1.1\r\n\r\n").as_bytes()).await.unwrap();
        let mut established = [0; 39];
        tunnel.read_exact(&mut established).await.unwrap();
        assert!(established.starts_with(b"HTTP/1.1 200 "));
        assert_eq!(talk(tunnel, "through").await, "through");

        let plain = TcpStream::connect(proxy).await.unwrap();
        let answer = talk(plain, &format!("GET http://{server}/v2/ HTTP/1.1\r\nHost: x\r\n\r\n")).await;
        assert_eq!(answer, "GET /v2/ HTTP/1.1\r\nConnection: close\r\nHost: x\r\n\r\n");

        let nowhere = TcpStream::connect(proxy).await.unwrap();
        let answer = talk(nowhere, "CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 502 "), "{answer}");

        let stranger = TcpSocket::new_v4().unwrap();
        stranger.bind("127.0.0.2:0".parse().unwrap()).unwrap();
        let stranger = stranger.connect(proxy).await.unwrap();
        assert_eq!(talk(stranger, &format!("CONNECT {server} HTTP/1.1\r\n\r\n")).await, "");
        task.abort();
    }

    #[tokio::test]
    async fn one_that_does_not_lead_out_says_what_to_do() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = listener.local_addr().unwrap();
        let task = tokio::spawn(serve(listener, "127.0.0.1".parse().unwrap(), false));
        for request in
            ["CONNECT registry.example:443 HTTP/1.1\r\n\r\n", "GET http://r.example/v2/ HTTP/1.1\r\n\r\n"]
        {
            let answer = talk(TcpStream::connect(proxy).await.unwrap(), request).await;
            let line = answer.lines().next().unwrap();
            assert!(line.starts_with("HTTP/1.1 403 ") && line.contains("dev load"), "{answer}");
        }
        task.abort();
    }

    #[test]
    fn tunnels_and_plain_requests_are_told_apart() {
        let parse = |head: &str| Request::parse(head.as_bytes());
        let tunnel = parse("CONNECT registry.example:443 HTTP/1.1\r\nHost: registry.example\r\n\r\n");
        assert_eq!(tunnel, Some(Request { authority: "registry.example:443".into(), first: None }));
        let plain = parse("GET http://r.example/v2/ HTTP/1.1\r\nHost: r.example\r\n\r\n").unwrap();
        assert_eq!(plain.authority, "r.example:80");
        assert_eq!(
            plain.first.as_deref(),
            Some(&b"GET /v2/ HTTP/1.1\r\nConnection: close\r\nHost: r.example\r\n\r\n"[..])
        );
        for bad in ["GET /v2/ HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n", "GET https://x/ HTTP/1.1\r\n\r\n"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
