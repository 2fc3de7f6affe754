//! Names and quantities of resources, as the Kubernetes API takes them.

use crate::app::validate::names;

/// Suffixes of quantities with their factor in billionths, longer ones first
/// (<https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>).
const SUFFIXES: [(&str, u128); 16] = [
    ("Ki", NANO << 10),
    ("Mi", NANO << 20),
    ("Gi", NANO << 30),
    ("Ti", NANO << 40),
    ("Pi", NANO << 50),
    ("Ei", NANO << 60),
    ("n", 1),
    ("u", 1_000),
    ("m", 1_000_000),
    ("k", 1_000 * NANO),
    ("M", 1_000_000 * NANO),
    ("G", NANO * NANO),
    ("T", 1_000 * NANO * NANO),
    ("P", 1_000_000 * NANO * NANO),
    ("E", NANO * NANO * NANO),
    ("", NANO),
];

const NANO: u128 = 1_000_000_000;

/// A quantity in billionths, rounded down; absent when the text is none, or below a billionth precise.
pub(super) fn nanos(text: &str) -> Option<u128> {
    let (suffix, factor) = SUFFIXES.iter().find(|(suffix, _)| text.ends_with(suffix))?;
    let number = text.strip_suffix(suffix)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if (whole.is_empty() && fraction.is_empty()) || !digits(whole) || !digits(fraction) || fraction.len() > 9
    {
        return None;
    }
    let whole: u128 = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()?.into() };
    let scale = 10u128.pow(u32::try_from(fraction.len()).ok()?);
    let part: u128 = if fraction.is_empty() { 0 } else { fraction.parse().ok()? };
    whole.checked_mul(*factor)?.checked_add(part.checked_mul(*factor)? / scale)
}

/// A resource that a container can ask for.
pub(super) fn is_resource_name(name: &str) -> bool {
    match name {
        "cpu" | "memory" | "ephemeral-storage" => true,
        _ => (name.starts_with("hugepages-") || name.contains('/')) && names::is_qualified_name(name),
    }
}

#[cfg(test)]
mod tests {
    use super::{is_resource_name, nanos};

    #[test]
    fn quantities_are_read_as_kubernetes_reads_them() {
        for (text, expected) in [
            ("1", Some(1_000_000_000)),
            ("500m", Some(500_000_000)),
            (".5", Some(500_000_000)),
            ("1.5Ki", Some(1_536_000_000_000)),
            ("1k", Some(1_000_000_000_000)),
            ("2E", Some(2_000_000_000_000_000_000_000_000_000)),
            ("", None),
            ("m", None),
            ("-1", None),
            ("1 Gi", None),
            ("1g", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(nanos(text), expected, "{text}");
        }
    }

    #[test]
    fn names_of_resources() {
        for (name, good) in [
            ("cpu", true),
            ("hugepages-2Mi", true),
            ("nvidia.com/gpu", true),
            ("gpu", false),
            ("NVIDIA!/gpu", false),
            ("a.b/", false),
        ] {
            assert_eq!(is_resource_name(name), good, "{name}");
        }
    }
}
