//! TLS in front of a server on loopback, with a certificate of its own that nobody knows.

use anyhow::{Context as _, Result};
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::Arc,
};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

/// Passes on what comes in, decrypted, until it is dropped.
#[derive(Debug)]
pub struct TlsFront {
    /// `https://127.0.0.1:PORT/`.
    pub url: String,
    /// Its certificate, which is its authority too, in PEM form.
    pub certificate: String,
    task: JoinHandle<()>,
}

impl Drop for TlsFront {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TlsFront {
    /// A front for the server at `target`.
    ///
    /// # Errors
    /// No certificate can be made, or no port had.
    pub async fn start(target: SocketAddr) -> Result<Self> {
        let names = vec![IpAddr::V4(Ipv4Addr::LOCALHOST).to_string()];
        let identity = rcgen::generate_simple_self_signed(names).context("failed to make a certificate")?;
        let key = PrivateKeyDer::try_from(identity.signing_key.serialize_der())
            .map_err(|error| anyhow::anyhow!("failed to read the key: {error}"))?;
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![identity.cert.der().clone()], key)?;
        let acceptor = TlsAcceptor::from(Arc::new(config));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("https://{}/", listener.local_addr()?);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(pass(acceptor.clone(), stream, target));
            }
        });
        Ok(Self { url, certificate: identity.cert.pem(), task })
    }
}

/// Ends when either side does; whoever does not believe the certificate ends at once.
async fn pass(acceptor: TlsAcceptor, stream: TcpStream, target: SocketAddr) {
    let Ok(mut inside) = acceptor.accept(stream).await else { return };
    let Ok(mut server) = TcpStream::connect(target).await else { return };
    let _ = tokio::io::copy_bidirectional(&mut inside, &mut server).await;
}
