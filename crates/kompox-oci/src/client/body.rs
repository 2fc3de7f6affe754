//! Reads answers within bounds.

use super::{failure, session::Meter};
use crate::{
    digest::{Digest, Hasher},
    error::{Fault, Size},
};
use bytes::{Bytes, BytesMut};
use reqwest::Response;

/// The whole body, of `limit` bytes at most.
pub(super) async fn read(mut response: Response, what: &'static str, limit: u64) -> Result<Bytes, Fault> {
    if let Some(size) = response.content_length().filter(|size| *size > limit) {
        return Err(Fault::TooLarge { what, size: Size::Said(size), limit });
    }
    let mut bytes = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure::of(&error))? {
        if (bytes.len() + chunk.len()) as u64 > limit {
            return Err(Fault::TooLarge { what, size: Size::More, limit });
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// A body of exactly this digest. It stops at the first byte that is too much.
pub(super) async fn read_exactly(
    mut response: Response,
    digest: &Digest,
    size: u64,
    meter: Meter<'_>,
) -> Result<Bytes, Fault> {
    let mut bytes = BytesMut::new();
    let mut hasher = Hasher::default();
    while let Some(chunk) = response.chunk().await.map_err(|error| failure::of(&error))? {
        if (bytes.len() + chunk.len()) as u64 > size {
            return Err(Fault::TooLarge { what: "the blob", size: Size::More, limit: size });
        }
        hasher.update(&chunk);
        bytes.extend_from_slice(&chunk);
        meter(bytes.len() as u64, size);
    }
    let found = hasher.finish();
    if found != *digest {
        return Err(Fault::Digest { expected: digest.clone(), found });
    }
    if bytes.len() as u64 != size {
        return Err(Fault::Protocol(format!(
            "the manifest says that the blob has {size} bytes, it has {}",
            bytes.len()
        )));
    }
    Ok(bytes.freeze())
}

/// The beginning of a body, for a message; what is no text is left out.
pub(super) async fn beginning(mut response: Response) -> String {
    const LIMIT: usize = 4096;
    let mut bytes = Vec::new();
    while bytes.len() < LIMIT {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend(chunk.iter().take(LIMIT - bytes.len())),
            _ => break,
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
