//! Making, finding, growing and deleting volumes.

use super::answer::{bytes, published, volume};
use super::settle::settled;
use super::wanted::{Wanted, sizes, zone};
use crate::capability::usage;
use crate::proto::csi::{
    ControllerExpandVolumeRequest, ControllerExpandVolumeResponse, ControllerGetVolumeRequest,
    ControllerGetVolumeResponse, CreateVolumeRequest, CreateVolumeResponse, DeleteVolumeRequest,
    DeleteVolumeResponse, GetCapacityRequest, GetCapacityResponse, ListVolumesRequest, ListVolumesResponse,
    ValidateVolumeCapabilitiesRequest, ValidateVolumeCapabilitiesResponse, controller_get_volume_response,
    list_volumes_response, validate_volume_capabilities_response::Confirmed,
};
use crate::status::{of_service, required, unless_gone};
use kompox_devcloud::api::{Backing, Change, Code, Filter, Volume};
use kompox_devcloud::client::{Client, ClientError};
use tonic::Status;

/// The service's longest page.
const MAX_PAGE: usize = 500;

/// Makes the volume, or finds the one of this name if it is what is asked for.
pub(super) async fn create(
    client: &Client,
    request: CreateVolumeRequest,
) -> Result<CreateVolumeResponse, Status> {
    let wanted = Wanted::new(request)?;
    let account = client.account().await.map_err(of_service)?;
    let found = match client.create_volume(&wanted.request(&account)?).await {
        Ok(volume) => volume,
        Err(error) if error.code() == Some(Code::AlreadyExists) => of_name(client, &wanted, error).await?,
        Err(error) => return Err(of_service(error)),
    };
    let made = settled(client, found).await?;
    Ok(CreateVolumeResponse { volume: Some(volume(&made)) })
}

/// The caller may ask again in other words, such as another order of zones: the volume counts, not the words.
async fn of_name(client: &Client, wanted: &Wanted, refusal: ClientError) -> Result<Volume, Status> {
    let filter = Filter { name: Some(wanted.name().to_owned()), ..Filter::default() };
    let page = client.volumes(&filter).await.map_err(of_service)?;
    page.items.into_iter().find(|volume| wanted.is(volume)).ok_or_else(|| of_service(refusal))
}

pub(super) async fn delete(
    client: &Client,
    request: &DeleteVolumeRequest,
) -> Result<DeleteVolumeResponse, Status> {
    let id = required("volume_id", &request.volume_id)?;
    unless_gone(client.delete_volume(id).await)?;
    Ok(DeleteVolumeResponse {})
}

pub(super) async fn get(
    client: &Client,
    request: &ControllerGetVolumeRequest,
) -> Result<ControllerGetVolumeResponse, Status> {
    let found = client.volume(required("volume_id", &request.volume_id)?).await.map_err(of_service)?;
    let status = controller_get_volume_response::VolumeStatus { published_node_ids: published(&found) };
    Ok(ControllerGetVolumeResponse { volume: Some(volume(&found)), status: Some(status) })
}

pub(super) async fn list(
    client: &Client,
    request: ListVolumesRequest,
) -> Result<ListVolumesResponse, Status> {
    let filter = page_of(request.max_entries, &request.starting_token)?;
    let page = client.volumes(&filter).await.map_err(of_service)?;
    let entry = |found: &Volume| list_volumes_response::Entry {
        volume: Some(volume(found)),
        status: Some(list_volumes_response::VolumeStatus { published_node_ids: published(found) }),
    };
    let entries = page.items.iter().map(entry).collect();
    Ok(ListVolumesResponse { entries, next_token: page.next.unwrap_or_default() })
}

/// The page that a caller asks for; zero entries means as many as there may be. A token that is none is `ABORTED`:
/// the caller begins again without one.
pub(super) fn page_of(max_entries: i32, starting_token: &str) -> Result<Filter, Status> {
    let limit = usize::try_from(max_entries)
        .map_err(|_| Status::invalid_argument("max_entries must not be negative"))?;
    let limit = if limit == 0 { MAX_PAGE } else { limit.min(MAX_PAGE) };
    // A page ends with an id of the service; it takes anything else for one, too.
    let is_id = starting_token.split_once('-').is_some_and(|(kind, digits)| {
        ["vol", "snap"].contains(&kind) && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    if !starting_token.is_empty() && !is_id {
        return Err(Status::aborted("starting_token is none that was given"));
    }
    let cursor = is_id.then(|| starting_token.to_owned());
    Ok(Filter { limit: Some(limit), cursor, ..Filter::default() })
}

pub(super) async fn validate(
    client: &Client,
    request: ValidateVolumeCapabilitiesRequest,
) -> Result<ValidateVolumeCapabilitiesResponse, Status> {
    let id = required("volume_id", &request.volume_id)?;
    if request.volume_capabilities.is_empty() {
        return Err(Status::invalid_argument("volume_capabilities are missing"));
    }
    client.volume(id).await.map_err(of_service)?;
    if let Some(refusal) = request.volume_capabilities.iter().find_map(|wanted| usage(Some(wanted)).err()) {
        let message = refusal.message().to_owned();
        return Ok(ValidateVolumeCapabilitiesResponse { confirmed: None, message });
    }
    let confirmed = Confirmed {
        volume_context: request.volume_context,
        volume_capabilities: request.volume_capabilities,
        parameters: request.parameters,
        mutable_parameters: request.mutable_parameters,
    };
    Ok(ValidateVolumeCapabilitiesResponse { confirmed: Some(confirmed), message: String::new() })
}

/// What the account may still have; nothing in a zone that there is not.
pub(super) async fn capacity(
    client: &Client,
    request: &GetCapacityRequest,
) -> Result<GetCapacityResponse, Status> {
    let account = client.account().await.map_err(of_service)?;
    let zone = request.accessible_topology.clone().map(zone).transpose()?;
    let offered = zone.is_none_or(|zone| account.zones.contains(&zone));
    let free = if offered { account.quota_bytes.saturating_sub(account.used_bytes) } else { 0 };
    Ok(GetCapacityResponse { available_capacity: bytes(free), ..GetCapacityResponse::default() })
}

/// Grows the volume; the file system in an image is grown by the node.
pub(super) async fn expand(
    client: &Client,
    request: &ControllerExpandVolumeRequest,
) -> Result<ControllerExpandVolumeResponse, Status> {
    let id = required("volume_id", &request.volume_id)?;
    let range = request.capacity_range.as_ref();
    range.ok_or_else(|| Status::invalid_argument("capacity_range is missing"))?;
    let (size, limit) = sizes(range, false)?;
    let mut volume = client.volume(id).await.map_err(of_service)?;
    if size.is_some_and(|size| size > volume.size_bytes) {
        let change = Change { size_bytes: size, ..Change::default() };
        volume = client.change_volume(id, &change).await.map_err(of_service)?;
    }
    if limit.is_some_and(|limit| volume.size_bytes > limit) {
        return Err(Status::out_of_range(format!("{id} has {} bytes already", volume.size_bytes)));
    }
    Ok(ControllerExpandVolumeResponse {
        capacity_bytes: bytes(volume.size_bytes),
        node_expansion_required: volume.backing == Backing::Image,
    })
}
