//! Taking, finding and deleting snapshots.

use super::answer::snapshot;
use super::settle::settled;
use super::volumes::page_of;
use super::wanted::{METADATA, name};
use crate::proto::csi::{
    CreateSnapshotRequest, CreateSnapshotResponse, DeleteSnapshotRequest, DeleteSnapshotResponse,
    ListSnapshotsRequest, ListSnapshotsResponse, list_snapshots_response::Entry,
};
use crate::status::{of_service, required, unless_gone};
use kompox_devcloud::api::{Code, Filter, NewSnapshot, Page, Snapshot, Tags};
use kompox_devcloud::client::{Client, ClientError};
use std::collections::HashMap;
use tonic::Status;

/// Takes the snapshot and waits until its point in time is fixed, or finds the one of this name and volume.
pub(super) async fn create(
    client: &Client,
    request: CreateSnapshotRequest,
) -> Result<CreateSnapshotResponse, Status> {
    let volume = required("source_volume_id", &request.source_volume_id)?.to_owned();
    let name = name(&request.name)?;
    let tags = tags(request.parameters)?;
    let wanted = NewSnapshot { client_token: name.clone(), name, volume, tags };
    let found = match client.create_snapshot(&wanted).await {
        Ok(snapshot) => snapshot,
        Err(error) if error.code() == Some(Code::AlreadyExists) => of_name(client, &wanted, error).await?,
        Err(error) => return Err(of_service(error)),
    };
    let taken = settled(client, found).await?;
    Ok(CreateSnapshotResponse { snapshot: Some(snapshot(&taken)?) })
}

async fn of_name(client: &Client, wanted: &NewSnapshot, refusal: ClientError) -> Result<Snapshot, Status> {
    let filter =
        Filter { name: Some(wanted.name.clone()), volume: Some(wanted.volume.clone()), ..Filter::default() };
    let page = client.snapshots(&filter).await.map_err(of_service)?;
    page.items.into_iter().next().ok_or_else(|| of_service(refusal))
}

pub(super) async fn delete(
    client: &Client,
    request: &DeleteSnapshotRequest,
) -> Result<DeleteSnapshotResponse, Status> {
    let id = required("snapshot_id", &request.snapshot_id)?;
    unless_gone(client.delete_snapshot(id).await)?;
    Ok(DeleteSnapshotResponse {})
}

/// All, those of one volume, or one; none that is asked for by id and does not exist is an empty list.
pub(super) async fn list(
    client: &Client,
    request: ListSnapshotsRequest,
) -> Result<ListSnapshotsResponse, Status> {
    let page = if request.snapshot_id.is_empty() {
        many(client, &request).await?
    } else {
        one(client, &request).await?
    };
    let entries = page.items.iter().map(|found| Ok(Entry { snapshot: Some(snapshot(found)?) }));
    let entries = entries.collect::<Result<_, Status>>()?;
    Ok(ListSnapshotsResponse { entries, next_token: page.next.unwrap_or_default() })
}

async fn many(client: &Client, request: &ListSnapshotsRequest) -> Result<Page<Snapshot>, Status> {
    let filter = page_of(request.max_entries, &request.starting_token)?;
    let volume = Some(request.source_volume_id.clone()).filter(|id| !id.is_empty());
    let filter = Filter { volume, ..filter };
    client.snapshots(&filter).await.map_err(of_service)
}

async fn one(client: &Client, request: &ListSnapshotsRequest) -> Result<Page<Snapshot>, Status> {
    let volume = &request.source_volume_id;
    let items = match client.snapshot(&request.snapshot_id).await {
        Ok(snapshot) if volume.is_empty() || snapshot.volume == *volume => vec![snapshot],
        Ok(_) => Vec::new(),
        Err(error) if error.code() == Some(Code::NotFound) => Vec::new(),
        Err(error) => return Err(of_service(error)),
    };
    Ok(Page { items, next: None })
}

fn tags(parameters: HashMap<String, String>) -> Result<Tags, Status> {
    match parameters.keys().find(|key| !key.starts_with(METADATA)) {
        Some(key) => {
            Err(Status::invalid_argument(format!("the parameter {key} is unknown: snapshots have none")))
        }
        None => Ok(parameters.into_iter().collect()),
    }
}
