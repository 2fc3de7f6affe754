//! The Node service: makes a volume's file system appear at a path, and disappear. It asks no service: where the
//! bytes lie comes with the request, what is mounted comes from the kernel.
//!
//! Data first: a file system is made only in an image in which nothing is written, and a directory is removed only
//! if it is empty.

mod bytes;
mod data;
mod error;
mod grow;
mod lock;
mod mounts;
mod publish;
mod stage;
mod stats;
mod tool;

use crate::proto::csi::{
    NodeExpandVolumeRequest, NodeExpandVolumeResponse, NodeGetCapabilitiesRequest,
    NodeGetCapabilitiesResponse, NodeGetInfoRequest, NodeGetInfoResponse, NodeGetVolumeStatsRequest,
    NodeGetVolumeStatsResponse, NodePublishVolumeRequest, NodePublishVolumeResponse, NodeServiceCapability,
    NodeStageVolumeRequest, NodeStageVolumeResponse, NodeUnpublishVolumeRequest, NodeUnpublishVolumeResponse,
    NodeUnstageVolumeRequest, NodeUnstageVolumeResponse, Topology,
    node_server::Node,
    node_service_capability::{self, Rpc, rpc},
};
use crate::status::required;
use crate::{NodeId, ZONE_KEY};
use lock::VolumeLock;
use std::path::PathBuf;
use tonic::{Request, Response, Status};

pub(crate) use data::Data;

/// What a caller may ask for.
const CAPABILITIES: [rpc::Type; 4] = [
    rpc::Type::StageUnstageVolume,
    rpc::Type::GetVolumeStats,
    rpc::Type::ExpandVolume,
    rpc::Type::SingleNodeMultiWriter,
];

/// The Node service.
pub(crate) struct NodeService {
    id: NodeId,
    locks: PathBuf,
}

impl NodeService {
    /// `locks`: a directory for the volumes' lock files.
    pub(crate) fn new(id: NodeId, locks: PathBuf) -> Self {
        Self { id, locks }
    }

    fn lock(&self, volume: &str) -> Result<VolumeLock, Status> {
        Ok(VolumeLock::take(&self.locks, required("volume_id", volume)?)?)
    }
}

#[tonic::async_trait]
impl Node for NodeService {
    async fn node_get_capabilities(
        &self,
        _: Request<NodeGetCapabilitiesRequest>,
    ) -> Result<Response<NodeGetCapabilitiesResponse>, Status> {
        let capability = |kind: rpc::Type| NodeServiceCapability {
            r#type: Some(node_service_capability::Type::Rpc(Rpc { r#type: kind.into() })),
        };
        let capabilities = CAPABILITIES.into_iter().map(capability).collect();
        Ok(Response::new(NodeGetCapabilitiesResponse { capabilities }))
    }

    async fn node_get_info(
        &self,
        _: Request<NodeGetInfoRequest>,
    ) -> Result<Response<NodeGetInfoResponse>, Status> {
        let segments = [(ZONE_KEY.to_owned(), self.id.zone.clone())].into();
        Ok(Response::new(NodeGetInfoResponse {
            node_id: self.id.to_string(),
            // As many as there are loop devices, and the kernel makes those as they are needed.
            max_volumes_per_node: 0,
            accessible_topology: Some(Topology { segments }),
        }))
    }

    async fn node_stage_volume(
        &self,
        request: Request<NodeStageVolumeRequest>,
    ) -> Result<Response<NodeStageVolumeResponse>, Status> {
        let request = request.into_inner();
        let lock = self.lock(&request.volume_id)?;
        stage::stage(&request, &lock).await?;
        Ok(Response::new(NodeStageVolumeResponse {}))
    }

    async fn node_unstage_volume(
        &self,
        request: Request<NodeUnstageVolumeRequest>,
    ) -> Result<Response<NodeUnstageVolumeResponse>, Status> {
        let request = request.into_inner();
        let lock = self.lock(&request.volume_id)?;
        let path = required("staging_target_path", &request.staging_target_path)?;
        publish::unmount(path.as_ref(), &lock).await?;
        Ok(Response::new(NodeUnstageVolumeResponse {}))
    }

    async fn node_publish_volume(
        &self,
        request: Request<NodePublishVolumeRequest>,
    ) -> Result<Response<NodePublishVolumeResponse>, Status> {
        let request = request.into_inner();
        let lock = self.lock(&request.volume_id)?;
        publish::publish(&request, &lock).await?;
        Ok(Response::new(NodePublishVolumeResponse {}))
    }

    async fn node_unpublish_volume(
        &self,
        request: Request<NodeUnpublishVolumeRequest>,
    ) -> Result<Response<NodeUnpublishVolumeResponse>, Status> {
        let request = request.into_inner();
        let lock = self.lock(&request.volume_id)?;
        publish::unpublish(required("target_path", &request.target_path)?.as_ref(), &lock).await?;
        Ok(Response::new(NodeUnpublishVolumeResponse {}))
    }

    async fn node_expand_volume(
        &self,
        request: Request<NodeExpandVolumeRequest>,
    ) -> Result<Response<NodeExpandVolumeResponse>, Status> {
        let request = request.into_inner();
        let lock = self.lock(&request.volume_id)?;
        grow::expand(&request, &lock).await.map(Response::new)
    }

    async fn node_get_volume_stats(
        &self,
        request: Request<NodeGetVolumeStatsRequest>,
    ) -> Result<Response<NodeGetVolumeStatsResponse>, Status> {
        let request = request.into_inner();
        required("volume_id", &request.volume_id)?;
        let path = required("volume_path", &request.volume_path)?;
        Ok(Response::new(stats::stats(path.as_ref())?))
    }
}
