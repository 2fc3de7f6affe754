//! Sizes: the contract counts bytes, providers count units. Always up, never down.

/// Bytes of a gibibyte.
pub const GIB: u64 = 1 << 30;

/// `bytes` in whole `unit`s, rounded up; 0 stays 0. A `unit` of 0 counts as 1.
#[must_use]
pub fn units(bytes: u64, unit: u64) -> u64 {
    bytes.div_ceil(unit.max(1))
}

/// `bytes` in whole GiB, rounded up.
#[must_use]
pub fn gib(bytes: u64) -> u64 {
    units(bytes, GIB)
}

/// `gib` GiB in bytes; at most `u64::MAX`.
#[must_use]
pub fn from_gib(gib: u64) -> u64 {
    gib.saturating_mul(GIB)
}

#[cfg(test)]
mod tests {
    use super::{GIB, from_gib, gib, units};

    #[test]
    fn sizes_are_rounded_up() {
        for (bytes, expected) in [(0, 0), (1, 1), (GIB, 1), (GIB + 1, 2), (u64::MAX, 1 << 34)] {
            assert_eq!(gib(bytes), expected, "{bytes}");
        }
        assert_eq!(units(7, 0), 7);
        assert_eq!(from_gib(3), 3 * GIB);
        assert_eq!(from_gib(u64::MAX), u64::MAX);
    }
}
