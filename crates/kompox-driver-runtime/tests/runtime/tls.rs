//! Requests over TLS to a server of the test: who is trusted, and what name is asked for.

use crate::support::{call, load, local_grant, options};
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use kompox_core::driver::{Call, Driver as _};
use kompox_driver_runtime::{EgressGrant, TrustBundle};
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

    fn grant(&self) -> EgressGrant {
        EgressGrant { origins: vec![self.origin.clone()], ..local_grant() }
    }

    fn believed(&self) -> EgressGrant {
        EgressGrant { trust_bundle: TrustBundle::from_pem(&self.certificate).unwrap(), ..self.grant() }
    }

    fn call(&self) -> Call {
        let url = format!("{}/", self.origin);
        call("open", &[("behaviour", "post"), ("endpoint", &self.origin), ("url", &url)])
    }
}

#[tokio::test]
async fn the_original_name_is_asked_for_at_the_vetted_address() {
    let server = Server::start().await;
    let driver = load(options(server.believed())).await;
    let account = driver.get_account(&server.call()).await.unwrap();
    assert_eq!(account.id.as_deref(), Some("200 localhost"));
}

#[tokio::test]
async fn what_one_driver_believes_another_does_not() {
    let server = Server::start().await;
    let stranger = load(options(server.grant())).await;
    let friend = stranger.granted(server.believed());
    for _ in 0..2 {
        assert!(friend.get_account(&server.call()).await.is_ok());
        let error = stranger.get_account(&server.call()).await.unwrap_err();
        assert!(error.message.ends_with("the driver says: ErrorCode::TlsCertificateError"), "{error:?}");
        for part in ["no connection to localhost: ", "`spec.egress.trustBundle` of the KompoxDriver"] {
            assert!(error.message.contains(part), "{part} in {error:?}");
        }
    }
}

#[tokio::test]
async fn a_believed_authority_does_not_make_another_name_right() {
    let server = Server::start().await;
    let other = server.origin.replace("localhost", "127.0.0.1");
    let driver = load(options(EgressGrant { origins: vec![other.clone()], ..server.believed() })).await;
    let call = call("open", &[("behaviour", "post"), ("endpoint", &other), ("url", &format!("{other}/"))]);
    let error = driver.get_account(&call).await.unwrap_err();
    assert!(error.message.contains("the server's certificate is not accepted: "), "{error:?}");
}
