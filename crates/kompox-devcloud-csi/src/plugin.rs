//! A running driver: its sockets and the services on them.

use crate::controller::ControllerService;
use crate::identity::IdentityService;
use crate::node::NodeService;
use crate::node_id::NodeId;
use crate::proto::csi::{
    controller_server::ControllerServer, identity_server::IdentityServer, node_server::NodeServer,
};
use crate::proto::registration::registration_server::RegistrationServer;
use crate::registration::{RegistrationService, SOCKET};
use crate::socket::Socket;
use kompox_devcloud::client::Client;
use std::io;
use std::path::PathBuf;
use tokio::net::UnixListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_stream::wrappers::UnixListenerStream;
use tonic::transport::{Server, server::Router};

/// How to start a driver.
#[derive(Debug)]
pub struct Options {
    /// Where the CSI services listen. The volumes' lock files lie beside it.
    pub socket: PathBuf,
    /// The service, as one of its accounts.
    pub client: Client,
    /// This node; without it the Node service is not served.
    pub node: Option<NodeId>,
    /// The kubelet's `plugins_registry`, to register there; without it nobody is told.
    pub registry: Option<PathBuf>,
}

/// Why a driver does not run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A socket cannot be had.
    #[error("failed to listen at {}", path.display())]
    Listen {
        /// The socket.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A server ended by itself.
    #[error("failed to serve")]
    Serve(#[source] tonic::transport::Error),
}

/// A running driver. Dropping it ends it in mid-call, as a kill would.
#[derive(Debug)]
pub struct Plugin {
    servers: JoinSet<Result<(), tonic::transport::Error>>,
    stop: watch::Sender<bool>,
    _sockets: Vec<Socket>,
}

impl Plugin {
    /// Listens and serves.
    ///
    /// # Errors
    /// [`Error::Listen`] if a socket cannot be made or another driver has it.
    pub fn start(options: Options) -> Result<Self, Error> {
        let Options { socket: path, client, node, registry } = options;
        let (stop, _) = watch::channel(false);
        let mut this = Self { servers: JoinSet::new(), stop, _sockets: Vec::new() };
        let locks = path.with_file_name("locks");
        let services = Server::builder()
            .add_service(IdentityServer::new(IdentityService { client: client.clone() }))
            .add_service(ControllerServer::new(ControllerService { client }))
            .add_optional_service(node.map(|id| NodeServer::new(NodeService::new(id, locks))));
        this.serve(path.clone(), services)?;
        // Last: the kubelet calls as soon as it sees this socket.
        if let Some(registry) = registry {
            let service = RegistrationServer::new(RegistrationService { socket: path });
            this.serve(registry.join(SOCKET), Server::builder().add_service(service))?;
        }
        Ok(this)
    }

    /// Resolves when a server has ended by itself.
    ///
    /// # Errors
    /// [`Error::Serve`] says why.
    pub async fn ended(&mut self) -> Result<(), Error> {
        match self.servers.join_next().await {
            Some(Ok(Err(error))) => Err(Error::Serve(error)),
            _ => Ok(()),
        }
    }

    /// Takes no more calls, waits for those that run, and removes the sockets.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.servers.join_next().await.is_some() {}
    }

    fn serve(&mut self, path: PathBuf, services: Router) -> Result<(), Error> {
        let (socket, listener): (Socket, UnixListener) =
            Socket::listen(&path).map_err(|source| Error::Listen { path, source })?;
        self._sockets.push(socket);
        let mut stopped = self.stop.subscribe();
        self.servers.spawn(services.serve_with_incoming_shutdown(
            UnixListenerStream::new(listener),
            async move {
                // An error means that the sender is gone: that is a stop too.
                let _ = stopped.wait_for(|stop| *stop).await;
            },
        ));
        Ok(())
    }
}
