//! Ids of new objects: the time, so that they sort, and random bytes, so that none comes twice.

use std::io;

/// A new id: `prefix`, 12 hexadecimal digits of Unix milliseconds, 8 random ones.
///
/// # Errors
/// If the system gives no random bytes.
pub(crate) fn fresh(prefix: &str, now: jiff::Timestamp) -> io::Result<String> {
    let milliseconds = u64::try_from(now.as_millisecond()).unwrap_or_default() & 0xffff_ffff_ffff;
    let random = u32::from_le_bytes(random()?);
    Ok(format!("{prefix}{milliseconds:012x}{random:08x}"))
}

/// Random bytes of the system.
///
/// # Errors
/// If it gives none.
pub(crate) fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let got = rustix::rand::getrandom(&mut bytes[..], rustix::rand::GetRandomFlags::empty())?;
    if got == N { Ok(bytes) } else { Err(io::Error::other("the system gave too few random bytes")) }
}

#[cfg(test)]
mod tests {
    use super::fresh;

    #[test]
    fn ids_sort_by_time_and_differ_within_a_millisecond() {
        let at =
            |millisecond| fresh("vol-", jiff::Timestamp::from_millisecond(millisecond).unwrap()).unwrap();
        let (early, late) = (at(1_800_000_000_000), at(1_800_000_000_001));
        assert!(early < late, "{early} {late}");
        assert_eq!(early.len(), "vol-".len() + 20);
        assert_ne!(at(5), at(5));
    }
}
