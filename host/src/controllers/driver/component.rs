//! From the value of a ConfigMap's key to the bytes of a component: decompressed within bounds, and the
//! digest compared. Pure.

use super::report::{Refusal, Stage};
use kompox_crds::Reason;
use sha2::{Digest as _, Sha256};
use std::{
    fmt::Write as _,
    io::{self, Read},
};

/// Largest window of a zstd frame, as a power of two: 32 MiB. It bounds what decompressing needs.
const ZSTD_WINDOW_LOG: u32 = 25;

/// The component under `key`, whose ending says how it is packed, if it is not larger than `limit` bytes.
pub(super) fn unpack(key: &str, packed: &[u8], limit: usize) -> Result<Vec<u8>, Refusal> {
    let unpacked = if key.ends_with(".wasm") {
        read(packed, limit)
    } else if key.ends_with(".wasm.gz") {
        read(flate2::read::MultiGzDecoder::new(packed), limit)
    } else if key.ends_with(".wasm.zst") {
        zstd(packed).and_then(|reader| read(reader, limit))
    } else {
        let message = format!(
            "key `{key}`: it must end in `.wasm`, `.wasm.gz` or `.wasm.zst`, which says how it is packed"
        );
        return Err(Refusal::new(Stage::Fetched, Reason::InvalidSpec, message));
    };
    let bytes = unpacked.map_err(|error| {
        let message = format!("failed to unpack key `{key}`: {error}; pack the component again");
        Refusal::new(Stage::Fetched, Reason::DriverMissing, message)
    })?;
    if bytes.len() > limit {
        let message = format!(
            "key `{key}`: the component is larger than {limit} bytes; build it with opt-level `z`, LTO and `strip`"
        );
        return Err(Refusal::new(Stage::Fetched, Reason::DriverIncompatible, message));
    }
    Ok(bytes)
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

/// Compares the component with the digest that the spec pins.
pub(super) fn verify(bytes: &[u8], pin: Option<&str>) -> Result<(), Refusal> {
    let Some(pin) = pin else { return Ok(()) };
    let found = digest(bytes);
    if found == pin {
        return Ok(());
    }
    let message = format!(
        "the component has digest {found}, `spec.source.digest` is {pin}; set it to the new one if the component is right"
    );
    Err(Refusal::new(Stage::Verified, Reason::VerificationFailed, message))
}

/// `sha256:` and the hex digest.
fn digest(bytes: &[u8]) -> String {
    let mut text = "sha256:".to_owned();
    for byte in Sha256::digest(bytes) {
        // Writing to a String does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
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
        for (key, packed) in [("d.wasm", bytes.clone()), ("d.wasm.gz", gz(&bytes)), ("d.wasm.zst", zst)] {
            assert_eq!(unpack(key, &packed, 1000).unwrap(), bytes, "{key}");
            let refusal = unpack(key, &packed, 999).unwrap_err();
            assert!(refusal.message.contains("larger than 999 bytes"), "{}", refusal.message);
        }
    }

    #[test]
    fn a_bomb_is_not_unpacked() {
        let bomb = gz(&vec![0_u8; 64 << 20]);
        assert!(bomb.len() < 100_000);
        assert!(unpack("d.wasm.gz", &bomb, 1 << 20).unwrap_err().message.contains("larger"));
    }

    #[test]
    fn what_is_packed_otherwise_is_refused_with_the_key() {
        for (key, packed, expected) in [
            ("driver.bin", b"x".as_slice(), "`.wasm.zst`"),
            ("d.wasm.gz", b"no gzip", "failed to unpack key `d.wasm.gz`"),
            ("d.wasm.zst", b"no zstd", "failed to unpack key `d.wasm.zst`"),
        ] {
            let refusal = unpack(key, packed, 1000).unwrap_err();
            assert!(refusal.message.contains(expected), "{}", refusal.message);
            assert_eq!(refusal.stage, Stage::Fetched);
        }
    }

    #[test]
    fn a_pinned_digest_is_kept_to() {
        let abc = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert!(verify(b"abc", None).is_ok() && verify(b"abc", Some(abc)).is_ok());
        let refusal = verify(b"abd", Some(abc)).unwrap_err();
        assert_eq!((refusal.stage, refusal.reason), (Stage::Verified, Reason::VerificationFailed));
    }
}
