//! From the value of a ConfigMap's key to the bytes of a component: unpacked, and the digest compared. Pure.

use super::report::{Refusal, Stage};
use kompox_crds::Reason;
use kompox_driver_runtime::{UnpackError, digest};

/// The component under `key`, whose ending says how it is packed, if it is not larger than `limit` bytes.
pub(super) fn unpack(key: &str, packed: &[u8], limit: usize) -> Result<Vec<u8>, Refusal> {
    kompox_driver_runtime::unpack(key, packed, limit).map_err(|error| {
        let reason = match error {
            UnpackError::Name => Reason::InvalidSpec,
            UnpackError::Broken(_) => Reason::DriverMissing,
            UnpackError::TooLarge { .. } => Reason::DriverIncompatible,
        };
        Refusal::new(Stage::Fetched, reason, format!("key `{key}`: {error}"))
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_key() {
        for (key, packed, reason) in [
            ("driver.bin", b"x".as_slice(), Reason::InvalidSpec),
            ("d.wasm.gz", b"no gzip", Reason::DriverMissing),
            ("d.wasm", b"12345", Reason::DriverIncompatible),
        ] {
            let refusal = unpack(key, packed, 4).unwrap_err();
            assert!(refusal.message.starts_with(&format!("key `{key}`: ")), "{}", refusal.message);
            assert_eq!((refusal.stage, refusal.reason), (Stage::Fetched, reason));
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
