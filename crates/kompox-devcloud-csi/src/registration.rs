//! The kubelet's plugin registration: it finds this socket in its directory, asks who is there, and says how it
//! went. A real node needs no node-driver-registrar beside the driver.

use crate::DRIVER;
use crate::proto::registration::{
    InfoRequest, PluginInfo, RegistrationStatus, RegistrationStatusResponse,
    registration_server::Registration,
};
use std::path::PathBuf;
use tonic::{Request, Response, Status};

/// The type of plugin and the version of its interface, as the kubelet's CSI plugin handler wants them
/// (`pkg/volume/csi/csi_plugin.go`).
const PLUGIN_TYPE: &str = "CSIPlugin";
const INTERFACE_VERSION: &str = "1.0.0";

/// The Registration service.
pub(crate) struct RegistrationService {
    /// Where the CSI services listen.
    pub(crate) socket: PathBuf,
}

#[tonic::async_trait]
impl Registration for RegistrationService {
    async fn get_info(&self, _: Request<InfoRequest>) -> Result<Response<PluginInfo>, Status> {
        Ok(Response::new(PluginInfo {
            r#type: PLUGIN_TYPE.to_owned(),
            name: DRIVER.to_owned(),
            endpoint: self.socket.to_string_lossy().into_owned(),
            supported_versions: vec![INTERFACE_VERSION.to_owned()],
        }))
    }

    /// A refusal is only told: the kubelet tries again by itself.
    async fn notify_registration_status(
        &self,
        request: Request<RegistrationStatus>,
    ) -> Result<Response<RegistrationStatusResponse>, Status> {
        let status = request.into_inner();
        if status.plugin_registered {
            tracing::info!("the kubelet has registered {DRIVER}");
        } else {
            tracing::error!(error = status.error, "the kubelet does not register {DRIVER}");
        }
        Ok(Response::new(RegistrationStatusResponse {}))
    }
}
