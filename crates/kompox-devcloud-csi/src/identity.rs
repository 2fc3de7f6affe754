//! The Identity service: who the driver is and whether it can work.

use crate::DRIVER;
use crate::proto::csi::{
    GetPluginCapabilitiesRequest, GetPluginCapabilitiesResponse, GetPluginInfoRequest, GetPluginInfoResponse,
    PluginCapability, ProbeRequest, ProbeResponse,
    identity_server::Identity,
    plugin_capability::{self, Service, VolumeExpansion, service, volume_expansion},
};
use kompox_devcloud::client::Client;
use tonic::{Request, Response, Status};

/// The Identity service.
pub(crate) struct IdentityService {
    pub(crate) client: Client,
}

#[tonic::async_trait]
impl Identity for IdentityService {
    async fn get_plugin_info(
        &self,
        _: Request<GetPluginInfoRequest>,
    ) -> Result<Response<GetPluginInfoResponse>, Status> {
        Ok(Response::new(GetPluginInfoResponse {
            name: DRIVER.to_owned(),
            vendor_version: env!("CARGO_PKG_VERSION").to_owned(),
            manifest: [("for".to_owned(), "development".to_owned())].into(),
        }))
    }

    async fn get_plugin_capabilities(
        &self,
        _: Request<GetPluginCapabilitiesRequest>,
    ) -> Result<Response<GetPluginCapabilitiesResponse>, Status> {
        let service = |kind: service::Type| plugin_capability::Type::Service(Service { r#type: kind.into() });
        let online = VolumeExpansion { r#type: volume_expansion::Type::Online.into() };
        let offered = [
            service(service::Type::ControllerService),
            service(service::Type::VolumeAccessibilityConstraints),
            plugin_capability::Type::VolumeExpansion(online),
        ];
        let capabilities = offered.into_iter().map(|kind| PluginCapability { r#type: Some(kind) }).collect();
        Ok(Response::new(GetPluginCapabilitiesResponse { capabilities }))
    }

    /// Not ready while the service does not answer: the sidecars wait for that when they start.
    async fn probe(&self, _: Request<ProbeRequest>) -> Result<Response<ProbeResponse>, Status> {
        let ready = self.client.account().await.is_ok();
        Ok(Response::new(ProbeResponse { ready: Some(ready) }))
    }
}
