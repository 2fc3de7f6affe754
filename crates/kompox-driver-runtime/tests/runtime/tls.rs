//! Requests over TLS to a server of the test: who is trusted, and what name is asked for.

use crate::support::{call, load, local_grant, options};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use kompox_core::driver::{Call, Driver as _};
use kompox_driver_runtime::{EgressGrant, RuntimeOptions};
use std::{convert::Infallible, sync::Arc};
use tokio::net::TcpListener;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

/// A server that answers with the name it was asked for.
struct Server {
    origin: String,
    certificate: String,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    async fn start() -> Self {
        let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let key = PrivateKeyDer::try_from(identity.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![identity.cert.der().clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let origin = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(stream) = acceptor.accept(stream).await else { continue };
                let name = stream.get_ref().1.server_name().unwrap_or("none").to_owned();
                let service = service_fn(move |_: Request<Incoming>| {
                    let name = name.clone();
                    async move { Ok::<_, Infallible>(Response::new(Full::<bytes::Bytes>::from(name))) }
                });
                tokio::spawn(async move {
                    let _ = hyper::server::conn::http1::Builder::new()
                        .serve_connection(TokioIo::new(stream), service)
                        .await;
                });
            }
        });
        Self { origin, certificate: identity.cert.pem(), task }
    }

    fn options(&self) -> RuntimeOptions {
        options(EgressGrant { origins: vec![self.origin.clone()], ..local_grant() })
    }

    fn call(&self) -> Call {
        let url = format!("{}/", self.origin);
        call("open", &[("behaviour", "post"), ("endpoint", &self.origin), ("url", &url)])
    }
}

#[tokio::test]
async fn the_original_name_is_asked_for_at_the_vetted_address() {
    let server = Server::start().await;
    let extra_roots = server.certificate.clone().into_bytes();
    let driver = load(RuntimeOptions { extra_roots, ..server.options() }).await;
    let account = driver.get_account(&server.call()).await.unwrap();
    assert_eq!(account.id.as_deref(), Some("200 localhost"));
}

#[tokio::test]
async fn an_unknown_certificate_is_refused() {
    let server = Server::start().await;
    let driver = load(server.options()).await;
    let error = driver.get_account(&server.call()).await.unwrap_err();
    assert_eq!(error.message, "ErrorCode::TlsCertificateError");
}
