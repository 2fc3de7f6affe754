//! Waiting for what the service fills in the background.

use crate::status::of_service;
use kompox_devcloud::api::{Snapshot, SnapshotState, Volume, VolumeState};
use kompox_devcloud::client::{Client, ClientError};
use std::time::{Duration, Instant};
use tonic::Status;

/// Longest wait within one call; after it the caller asks again, with the same name.
const PATIENCE: Duration = Duration::from_secs(20);
const POLL: Duration = Duration::from_millis(50);

/// An object that is filled after it was made.
pub(super) trait Filled: Sized {
    fn id(&self) -> &str;
    fn is_creating(&self) -> bool;
    /// Why it could not be filled.
    fn failure(&self) -> Option<String>;
    async fn again(client: &Client, id: &str) -> Result<Self, ClientError>;
    async fn discard(client: &Client, id: &str) -> Result<(), ClientError>;
}

/// The object once it is filled. One that failed is deleted, so that the same name can be tried again: nobody has
/// ever used it.
pub(super) async fn settled<T: Filled>(client: &Client, mut object: T) -> Result<T, Status> {
    let deadline = Instant::now() + PATIENCE;
    while object.is_creating() {
        if Instant::now() >= deadline {
            return Err(Status::aborted(format!("{} is still being filled: ask again", object.id())));
        }
        tokio::time::sleep(POLL).await;
        object = T::again(client, object.id()).await.map_err(of_service)?;
    }
    let Some(failure) = object.failure() else { return Ok(object) };
    if let Err(error) = T::discard(client, object.id()).await {
        tracing::warn!(id = object.id(), %error, "failed to delete what could not be filled");
    }
    Err(Status::internal(failure))
}

fn reason(message: Option<&String>) -> String {
    message.cloned().unwrap_or_else(|| "devcloud could not make it and does not say why".to_owned())
}

impl Filled for Volume {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_creating(&self) -> bool {
        self.state == VolumeState::Creating
    }

    fn failure(&self) -> Option<String> {
        (self.state == VolumeState::Failed).then(|| reason(self.message.as_ref()))
    }

    async fn again(client: &Client, id: &str) -> Result<Self, ClientError> {
        client.volume(id).await
    }

    async fn discard(client: &Client, id: &str) -> Result<(), ClientError> {
        client.delete_volume(id).await
    }
}

impl Filled for Snapshot {
    fn id(&self) -> &str {
        &self.id
    }

    fn is_creating(&self) -> bool {
        self.state == SnapshotState::Creating
    }

    fn failure(&self) -> Option<String> {
        (self.state == SnapshotState::Failed).then(|| reason(self.message.as_ref()))
    }

    async fn again(client: &Client, id: &str) -> Result<Self, ClientError> {
        client.snapshot(id).await
    }

    async fn discard(client: &Client, id: &str) -> Result<(), ClientError> {
        client.delete_snapshot(id).await
    }
}
