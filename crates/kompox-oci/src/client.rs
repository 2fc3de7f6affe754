//! Speaks the OCI distribution protocol with one registry after the other: mirrors first, then the origin.
//!
//! Every answer is read up to a bound, errors and tokens too. Which bytes make a driver is not decided here.

mod auth;
mod body;
mod connection;
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
use connection::Connection;
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Talks to registries. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
}

struct Shared {
    registries: Registries,
    proxies: Proxies,
    /// By certificate authority: connections to one registry are shared by all pulls.
    connections: Mutex<BTreeMap<Option<String>, Connection>>,
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

    fn connection(&self, ca: Option<&str>) -> Result<Connection, String> {
        let mut connections = self.shared.connections.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = connections.get(&ca.map(str::to_owned)) {
            return Ok(known.clone());
        }
        let made = Connection::new(ca, &self.shared.proxies)?;
        connections.insert(ca.map(str::to_owned), made.clone());
        Ok(made)
    }
}
