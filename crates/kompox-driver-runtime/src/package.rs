//! How components travel: plain, or packed by gzip or zstd, as the ending of their name says. Unpacks within bounds,
//! and knows them by their digest. Pure.

use sha2::{Digest as _, Sha256};
use std::io::{self, Read};

/// Largest window of a zstd frame, as a power of two: 32 MiB. It bounds what decompressing needs.
const ZSTD_WINDOW_LOG: u32 = 25;

/// Highest level whose window fits [`ZSTD_WINDOW_LOG`].
const PACK_LEVEL: i32 = 19;

/// Why there is no component. Names neither key nor file: whoever reads it knows where it was.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The name does not say how the component is packed.
    #[error(
        "the name must end in `.wasm`, `.wasm.gz` or `.wasm.zst`, which says how the component is packed"
    )]
    Name,
    /// It is not packed as its name says.
    #[error("failed to unpack: {0}; pack the component again")]
    Broken(#[source] io::Error),
    /// There is more than is taken.
    #[error("the component is larger than {limit} bytes; build it with opt-level `z`, LTO and `strip`")]
    TooLarge {
        /// Most bytes of a component.
        limit: usize,
    },
}

/// The component `packed` as the ending of `name` says, of `limit` bytes at most.
///
/// # Errors
/// The ending is not known, the bytes are not packed that way, or there are more.
pub fn unpack(name: &str, packed: &[u8], limit: usize) -> Result<Vec<u8>, UnpackError> {
    let unpacked = if name.ends_with(".wasm") {
        read(packed, limit)
    } else if name.ends_with(".wasm.gz") {
        read(flate2::read::MultiGzDecoder::new(packed), limit)
    } else if name.ends_with(".wasm.zst") {
        zstd(packed).and_then(|reader| read(reader, limit))
    } else {
        return Err(UnpackError::Name);
    };
    let bytes = unpacked.map_err(UnpackError::Broken)?;
    if bytes.len() > limit { Err(UnpackError::TooLarge { limit }) } else { Ok(bytes) }
}

/// The component packed by zstd as small as it gets, to go under a name that ends in `.wasm.zst`. The same bytes
/// give the same bytes.
///
/// # Errors
/// When zstd fails, which it does for want of memory only.
pub fn pack(component: &[u8]) -> io::Result<Vec<u8>> {
    zstd::bulk::compress(component, PACK_LEVEL)
}

fn zstd(packed: &[u8]) -> io::Result<impl Read> {
    let mut decoder = zstd::stream::read::Decoder::with_buffer(packed)?;
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

/// One byte more than allowed at most.
fn read(reader: impl Read, limit: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    reader.take((limit as u64).saturating_add(1)).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// What a component is known and pinned by: `sha256:` and the hex digest of its unpacked bytes.
#[must_use]
pub fn digest(component: &[u8]) -> String {
    format!("sha256:{}", crate::redact::hex(&Sha256::digest(component)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn gz(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn every_packing_gives_the_same_bytes_and_none_more_than_allowed() {
        let bytes = vec![7_u8; 1000];
        let zst = zstd::encode_all(bytes.as_slice(), 3).unwrap();
        for (name, packed) in [("d.wasm", bytes.clone()), ("d.wasm.gz", gz(&bytes)), ("d.wasm.zst", zst)] {
            assert_eq!(unpack(name, &packed, 1000).unwrap(), bytes, "{name}");
            let error = unpack(name, &packed, 999).unwrap_err().to_string();
            assert!(error.contains("larger than 999 bytes"), "{error}");
        }
    }

    #[test]
    fn what_is_packed_unpacks() {
        let bytes: Vec<u8> = (0_u32..100_000).flat_map(u32::to_le_bytes).collect();
        assert_eq!(unpack("d.wasm.zst", &pack(&bytes).unwrap(), bytes.len()).unwrap(), bytes);
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = gz(&vec![0_u8; 64 << 20]);
        assert!(bomb.len() < 100_000);
        assert!(matches!(unpack("d.wasm.gz", &bomb, 1 << 20), Err(UnpackError::TooLarge { .. })));
    }

    #[test]
    fn what_is_packed_otherwise_is_refused() {
        for (name, packed, expected) in [
            ("driver.bin", b"x".as_slice(), "`.wasm.zst`"),
            ("d.wasm.gz", b"no gzip", "failed to unpack"),
            ("d.wasm.zst", b"no zstd", "failed to unpack"),
        ] {
            let error = unpack(name, packed, 1000).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }

    #[test]
    fn the_digest_is_that_of_the_bytes() {
        // FIPS 180-2, appendix B.1.
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest(b"abc"), abc);
    }
}
