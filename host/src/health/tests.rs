//! The three pages, over a real socket.

use super::*;
use crate::shutdown;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn probes_tell_alive_from_ready_and_the_server_stops_when_asked() {
    let (stop, shutdown) = shutdown::channel();
    let (metrics, readiness) = (Arc::<Metrics>::default(), Readiness::default());
    let part = readiness.expect("disk/KompoxDisk");
    let listener = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(serve(listener, Arc::clone(&metrics), readiness, shutdown));

    assert!(get(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    let waiting = get(address, "/readyz").await;
    assert!(waiting.starts_with("HTTP/1.1 503") && waiting.contains("disk/KompoxDisk"), "{waiting}");
    part.ready();
    assert!(get(address, "/readyz").await.starts_with("HTTP/1.1 200"));
    let page = get(address, "/metrics").await;
    assert!(page.contains("application/openmetrics-text") && page.contains("kompox_build_info"), "{page}");
    assert!(get(address, "/debug").await.starts_with("HTTP/1.1 404"));

    stop.now();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_an_error_that_names_the_flag() {
    let taken = bind("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let error = bind(taken.local_addr().unwrap()).await.unwrap_err();
    assert!(error.to_string().contains("--listen"), "{error}");
}
