//! Speaks the OCI distribution protocol with one registry after the other: mirrors first, then the origin.
//!
//! Every answer is read up to a bound, errors and tokens too. Which bytes make a driver is not decided here.

mod auth;
mod body;
mod failure;
mod session;

pub(crate) use session::{Session, Target};

use crate::{
    credentials::Credentials,
    error::{Error, Fault, Step},
    proxies::Proxies,
    reference::Reference,
    registries::{Place, Registries},
};
use rustls::{
    ClientConfig, RootCertStore,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence in an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Registries redirect to their storage once, some twice.
const REDIRECTS: usize = 5;

/// Talks to registries. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    registries: Registries,
    proxies: Proxies,
    /// By certificate authority: connections to one registry are shared by all pulls.
    connections: Mutex<BTreeMap<Option<String>, reqwest::Client>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("registries", &self.shared.registries).finish_non_exhaustive()
    }
}

/// What a session is for; a token is asked for no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Pull,
    Push,
}

impl Client {
    /// A client for `registries`, which should have been checked, through `proxies`.
    #[must_use]
    pub fn new(registries: Registries, proxies: Proxies) -> Self {
        Self { shared: Arc::new(Shared { registries, proxies, connections: Mutex::default() }) }
    }

    /// Sessions with the places to pull a reference from, in their order.
    pub(crate) fn sources(
        &self,
        reference: &Reference,
        credentials: &Credentials,
    ) -> Result<Vec<Session>, Error> {
        let places = self.shared.registries.places(reference).map_err(|source| Error::Mirror { source })?;
        places.into_iter().map(|place| self.session(place, credentials, Access::Pull)).collect()
    }

    /// A session with the registry itself.
    pub(crate) fn origin(
        &self,
        reference: &Reference,
        credentials: &Credentials,
        access: Access,
    ) -> Result<Session, Error> {
        self.session(self.shared.registries.origin(reference), credentials, access)
    }

    fn session(&self, place: Place, credentials: &Credentials, access: Access) -> Result<Session, Error> {
        let connection = self.connection(place.ca.as_deref()).map_err(|message| Error::Registry {
            step: Step::Connect,
            reference: place.reference.to_string(),
            fault: Fault::Configuration(message),
        })?;
        let credential = credentials.of(&place.reference).cloned();
        Ok(Session::new(connection, place, credential, access))
    }

    fn connection(&self, ca: Option<&str>) -> Result<reqwest::Client, String> {
        let mut connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = connections.get(&ca.map(str::to_owned)) {
            return Ok(known.clone());
        }
        let made = connect(ca, &self.shared.proxies)?;
        connections.insert(ca.map(str::to_owned), made.clone());
        Ok(made)
    }
}

fn connect(ca: Option<&str>, proxies: &Proxies) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .tls_backend_preconfigured(tls(ca)?)
        // The variables are read by whoever made `proxies`, and nowhere else.
        .no_proxy()
        .connect_timeout(CONNECT_TIMEOUT)
        .read_timeout(READ_TIMEOUT)
        .redirect(reqwest::redirect::Policy::custom(follow))
        .user_agent(concat!("kompox/", env!("CARGO_PKG_VERSION")));
    for proxy in proxies.rules()? {
        builder = builder.proxy(proxy);
    }
    builder.build().map_err(|error| error.to_string())
}

/// What was asked for with TLS is not followed to where there is none.
fn follow(attempt: reqwest::redirect::Attempt<'_>) -> reqwest::redirect::Action {
    let secure = |url: &reqwest::Url| url.scheme() == "https";
    let downgraded = attempt.previous().last().is_some_and(secure) && !secure(attempt.url());
    if downgraded {
        attempt.error("it redirects from https to plain http")
    } else if attempt.previous().len() > REDIRECTS {
        attempt.error("it redirects too often")
    } else {
        attempt.follow()
    }
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
