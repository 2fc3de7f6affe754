//! The kubelet's plugin registration: it finds this socket in its directory, asks who is there, and says how it
//! went. A real node needs no node-driver-registrar beside the driver.

use crate::DRIVER;
use crate::proto::registration::{
    InfoRequest, PluginInfo, RegistrationStatus, RegistrationStatusResponse,
    registration_server::Registration,
};
use std::path::PathBuf;
use tonic::{Request, Response, Status};

/// Name of the socket in the kubelet's `plugins_registry`. The kubelet's client takes the socket's path, with its
/// slashes as `%2F`, for the `:authority` of the calls, and the HTTP/2 library here refuses a percent sign in a host.
/// Before an `@` it allows one: there the sign belongs to the user.
pub(crate) const SOCKET: &str = "kubelet@devcloud.csi.kompox.dev-reg.sock";
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

#[cfg(test)]
mod tests {
    use super::SOCKET;
    use tonic::codegen::http::uri::Authority;

    /// As grpc-go writes a path (`encodeAuthority` in its clientconn.go).
    #[test]
    fn the_kubelets_calls_have_an_authority_that_is_read() {
        let authority = |name: &str| format!("/var/lib/kubelet/plugins_registry/{name}").replace('/', "%2F");
        assert!(authority(SOCKET).parse::<Authority>().is_ok());
        assert!(
            authority("devcloud.csi.kompox.dev-reg.sock").parse::<Authority>().is_err(),
            "the name can be plain now"
        );
    }
}
