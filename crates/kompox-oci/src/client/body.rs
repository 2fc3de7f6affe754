//! Reads answers within bounds.

use super::failure;
use crate::{
    digest::{Digest, Hasher},
    error::{Fault, Size},
};
use bytes::{Bytes, BytesMut};
use reqwest::Response;

/// Told how many bytes of how many are done.
pub(crate) type Meter<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

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
