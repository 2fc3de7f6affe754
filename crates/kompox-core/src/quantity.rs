//! Kubernetes quantities as bytes.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// Suffixes of `resource.Quantity` with their factors, longest first
/// (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>).
const SUFFIXES: [(&str, u64); 11] = [
    ("Ki", 1 << 10),
    ("Mi", 1 << 20),
    ("Gi", 1 << 30),
    ("Ti", 1 << 40),
    ("Pi", 1 << 50),
    ("k", 1_000),
    ("M", 1_000_000),
    ("G", 1_000_000_000),
    ("T", 1_000_000_000_000),
    ("P", 1_000_000_000_000_000),
    ("", 1),
];

/// The bytes of a quantity, rounded up to a whole byte.
///
/// # Errors
/// Completes the sentence "`spec.size` …" when the text is no quantity or exceeds 8 EiB.
pub fn bytes(quantity: &Quantity) -> Result<u64, String> {
    let text = quantity.0.trim();
    let (number, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)))
        .ok_or_else(|| "is no quantity".to_owned())?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.chars().all(|c| c.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(fraction) || fraction.len() > 9 {
        return Err(format!("('{text}') is no quantity"));
    }
    let too_large = || format!("('{text}') is larger than any disk");
    let whole: u64 = whole.parse().map_err(|_| too_large())?;
    let scaled = u128::from(whole) * u128::from(factor) + fraction_of(fraction, factor);
    u64::try_from(scaled).ok().filter(|bytes| *bytes <= 1 << 63).ok_or_else(too_large)
}

/// `0.<digits>` of `factor`, rounded up.
fn fraction_of(digits: &str, factor: u64) -> u128 {
    let Ok(number) = digits.parse::<u128>() else { return 0 };
    let scale = 10u128.pow(u32::try_from(digits.len()).unwrap_or(0));
    (number * u128::from(factor)).div_ceil(scale)
}

/// Bytes as the shortest exact binary quantity, such as `10Gi`.
#[must_use]
pub fn text(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
    let mut value = bytes;
    let mut unit = 0;
    while value != 0 && value.is_multiple_of(1024) && unit + 1 < UNITS.len() {
        value /= 1024;
        unit += 1;
    }
    format!("{value}{}", UNITS.get(unit).unwrap_or(&""))
}

/// Bytes as a [`Quantity`].
#[must_use]
pub fn quantity(bytes: u64) -> Quantity {
    Quantity(text(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_quantity() {
        for (text, want) in [
            ("0", 0),
            ("10", 10),
            ("10Gi", 10 << 30),
            ("1.5Gi", 3 << 29),
            ("10G", 10_000_000_000),
            ("0.1k", 100),
            ("1Ti", 1 << 40),
            ("10241Mi", 10241 << 20),
        ] {
            assert_eq!(bytes(&Quantity(text.into())), Ok(want), "{text}");
        }
        for text in ["", "Gi", "-1", "1e3", "1.2.3", "ten", "9999999999Pi", "99999999999999999999"] {
            assert!(bytes(&Quantity(text.into())).is_err(), "{text}");
        }
    }

    #[test]
    fn text_is_exact_and_short() {
        for (value, want) in
            [(0, "0"), (1023, "1023"), (1 << 30, "1Gi"), ((1 << 30) + 1, "1073741825"), (1 << 62, "4096Pi")]
        {
            assert_eq!(text(value), want);
            assert_eq!(bytes(&Quantity(text(value))), Ok(value));
        }
    }
}
