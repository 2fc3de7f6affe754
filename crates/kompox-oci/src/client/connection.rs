//! The way to registries that trust in the same authorities: TLS, proxies, redirects, and what to call it when it is
//! barred. Knows nothing of what is asked for.

use super::failure;
use crate::{error::Fault, proxies::Proxies};
use http::{Method, StatusCode};
use reqwest::{
    RequestBuilder, Response, Url,
    redirect::{Action, Attempt, Policy},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::{fmt, sync::Arc, time::Duration};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence in an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Registries redirect to their storage once, some twice.
const REDIRECTS: usize = 5;

/// Open connections to registries and to the token servers that they name. Cheap to clone.
#[derive(Clone)]
pub(super) struct Connection {
    registry: reqwest::Client,
    tokens: reqwest::Client,
    proxies: Proxies,
}

impl Connection {
    /// Trusts the public authorities and those in `ca` (PEM).
    pub(super) fn new(ca: Option<&str>, proxies: &Proxies) -> Result<Self, String> {
        let tls = tls(ca)?;
        Ok(Self {
            registry: connect(&tls, proxies, follow)?,
            tokens: connect(&tls, proxies, stay)?,
            proxies: proxies.clone(),
        })
    }

    /// A request to a registry. It may be sent on to another host, which gets no `Authorization` then.
    pub(super) fn to_registry(&self, method: Method, url: Url) -> RequestBuilder {
        self.registry.request(method, url)
    }

    /// A request to a token server. It is sent on within the same server only: a refresh token is in its body.
    pub(super) fn to_token_server(&self, method: Method, url: Url) -> RequestBuilder {
        self.tokens.request(method, url)
    }

    /// Sends what one of these made; a second time if it met a connection that was about to be closed. What registries
    /// are asked may be asked twice.
    pub(super) async fn send(&self, request: RequestBuilder) -> Result<Response, Fault> {
        let again = request.try_clone();
        let sent = match (request.send().await, again) {
            (Err(error), Some(again)) if failure::closed(&error) => again.send().await,
            (sent, _) => sent,
        };
        let response = sent.map_err(|error| self.failure(&error))?;
        if response.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(Fault::Proxy("it asks for a user and password (407)".to_owned()));
        }
        Ok(response)
    }

    /// What keeps from connecting through a proxy is the proxy's: the registry was not seen.
    fn failure(&self, error: &reqwest::Error) -> Fault {
        let fault = failure::of(error);
        if !error.is_connect() || !error.url().is_some_and(|url| self.proxies.cover(url)) {
            return fault;
        }
        match fault {
            Fault::Refused => Fault::Proxy("nothing listens at its address (connection refused)".to_owned()),
            Fault::Timeout => Fault::Proxy("it did not answer in time".to_owned()),
            Fault::Unreachable(why) => Fault::Proxy(why),
            other => other,
        }
    }
}

fn connect(
    tls: &ClientConfig,
    proxies: &Proxies,
    redirects: fn(Attempt<'_>) -> Action,
) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls.clone())
        // The variables are read by whoever made `proxies`, and nowhere else.
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(Policy::custom(redirects))
        .user_agent(concat!("kompox/", env!("CARGO_PKG_VERSION")));
    for proxy in proxies.rules()? {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| error.to_string())
}

/// What was asked for with TLS is not followed to where there is none.
fn follow(attempt: Attempt<'_>) -> Action {
    let secure = |url: &Url| url.scheme() == "https";
    let downgraded = attempt.previous().last().is_some_and(secure) && !secure(attempt.url());
    if downgraded {
        attempt.error("it redirects from https to plain http")
    } else if attempt.previous().len() > REDIRECTS {
        attempt.error("it redirects too often")
    } else {
        attempt.follow()
    }
}

/// Passwords and refresh tokens are for the server that was named.
fn stay(attempt: Attempt<'_>) -> Action {
    let same = attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
    if same { follow(attempt) } else { attempt.error("its token server redirects to another server") }
}

/// Public authorities, and those that are named for the registry.
fn tls(ca: Option<&str>) -> Result<ClientConfig, String> {
    let failed = |error: &dyn fmt::Display| format!("`ca` holds no certificates in PEM: {error}");
    let mut roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    for certificate in CertificateDer::pem_slice_iter(ca.unwrap_or_default().as_bytes()) {
        let certificate = certificate.map_err(|error| failed(&error))?;
        roots.add(certificate).map_err(|error| failed(&error))?;
    }
    if ca.is_some() && roots.len() == webpki_roots::TLS_SERVER_ROOTS.len() {
        return Err(failed(&"there is none"));
    }
    Ok(ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_authority_that_is_none_is_told() {
        for ca in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            let error = tls(Some(ca)).unwrap_err();
            assert!(error.contains("no certificates in PEM"), "{error}");
        }
        assert!(tls(None).is_ok());
    }
}
