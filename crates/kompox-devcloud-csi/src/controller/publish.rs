//! Attaching a volume to one node, and detaching it.

use crate::NodeId;
use crate::capability::usage;
use crate::node::Data;
use crate::proto::csi::{
    ControllerPublishVolumeRequest, ControllerPublishVolumeResponse, ControllerUnpublishVolumeRequest,
    ControllerUnpublishVolumeResponse,
};
use crate::status::{of_service, required};
use kompox_devcloud::api::Code;
use kompox_devcloud::client::Client;
use tonic::Status;

/// Attaches the volume; the answer tells the node where the bytes are.
pub(super) async fn publish(
    client: &Client,
    request: &ControllerPublishVolumeRequest,
) -> Result<ControllerPublishVolumeResponse, Status> {
    let id = required("volume_id", &request.volume_id)?;
    let node_id = required("node_id", &request.node_id)?;
    usage(request.volume_capability.as_ref())?;
    if request.readonly {
        return Err(Status::invalid_argument("attaching read-only is not offered"));
    }
    let volume = client.volume(id).await.map_err(of_service)?;
    let node = NodeId::parse(node_id).ok_or_else(|| {
        Status::not_found(format!("there is no node {node_id}: nodes are called ZONE/NAME"))
    })?;
    if node.zone != volume.zone {
        let text = format!("{id} is in the zone {}, the node {} in {}", volume.zone, node.name, node.zone);
        return Err(Status::failed_precondition(text));
    }
    let volume = client.attach(id, &node.name).await.map_err(of_service)?;
    let data =
        volume.data.ok_or_else(|| Status::unavailable(format!("devcloud does not say where {id} lies")))?;
    let data = Data { path: data.path.into(), backing: volume.backing };
    Ok(ControllerPublishVolumeResponse { publish_context: data.into_context() })
}

/// Detaches the volume from the node, or from any if none is named. One that is gone is attached nowhere.
pub(super) async fn unpublish(
    client: &Client,
    request: &ControllerUnpublishVolumeRequest,
) -> Result<ControllerUnpublishVolumeResponse, Status> {
    let id = required("volume_id", &request.volume_id)?;
    let volume = match client.volume(id).await {
        Ok(volume) => volume,
        Err(error) if error.code() == Some(Code::NotFound) => {
            return Ok(ControllerUnpublishVolumeResponse {});
        }
        Err(error) => return Err(of_service(error)),
    };
    let node = NodeId::parse(&request.node_id).map(|node| node.name);
    let node = if request.node_id.is_empty() { volume.attached_to } else { node };
    if let Some(node) = node {
        client.detach(id, &node).await.map_err(of_service)?;
    }
    Ok(ControllerUnpublishVolumeResponse {})
}
