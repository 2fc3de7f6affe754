//! Scalars: their text as written, and the type that YAML readers of the reference give it.

/// A scalar with its text verbatim, so that `1.10`, `0444` and `yes` survive until a schema path decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scalar {
    /// The text after YAML's own escapes, or after interpolation.
    pub(crate) text: String,
    /// Plain style without a string tag: only then can it be anything but a string.
    pub(crate) plain: bool,
    /// Interpolation changed the text: it may be a secret, and it is a string until its key says otherwise.
    pub(crate) substituted: bool,
}

/// What an unquoted scalar stands for, as go-yaml v3 resolves it (the reference's YAML reader).
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    Null,
    Boolean(bool),
    Integer(i128),
    Float(f64),
    Text,
}

impl Scalar {
    /// The type of the scalar.
    pub(crate) fn shape(&self) -> Shape {
        if self.plain { resolve(&self.text) } else { Shape::Text }
    }

    /// The text the reference makes of the value where any scalar is allowed (environment, labels):
    /// Go's `fmt.Sprint` of the resolved value. `None` for null.
    pub(crate) fn printed(&self) -> Option<String> {
        Some(match self.shape() {
            Shape::Null => return None,
            Shape::Boolean(value) => value.to_string(),
            Shape::Integer(value) => value.to_string(),
            Shape::Float(value) => print_float(value),
            Shape::Text => self.text.clone(),
        })
    }
}

fn resolve(text: &str) -> Shape {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Shape::Null,
        "true" | "True" | "TRUE" => return Shape::Boolean(true),
        "false" | "False" | "FALSE" => return Shape::Boolean(false),
        ".nan" | ".NaN" | ".NAN" => return Shape::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Shape::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Shape::Float(f64::NEG_INFINITY),
        _ => {}
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.')) {
        return Shape::Text;
    }
    let digits = text.replace('_', "");
    if let Some(integer) = integer(&digits) {
        return Shape::Integer(integer);
    }
    match is_float(&digits).then(|| digits.parse()) {
        Some(Ok(float)) => Shape::Float(float),
        _ => Shape::Text,
    }
}

/// Go's `strconv.ParseInt(text, 0, 64)` or `ParseUint`: a leading `0` means octal.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (radix, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.as_str())
    } else {
        (10, lower.as_str())
    };
    if !digits.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return None;
    }
    let magnitude = i128::from(u64::from_str_radix(digits, radix).ok()?);
    let value = if negative { -magnitude } else { magnitude };
    (value >= i128::from(i64::MIN)).then_some(value)
}

/// go-yaml's pattern `^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$`.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let all_digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let mantissa_ok = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && all_digits(fraction),
        Some((whole, fraction)) => all_digits(whole) && all_digits(fraction),
        None => !mantissa.is_empty() && all_digits(mantissa),
    };
    mantissa_ok && exponent.is_none_or(|digits| !digits.is_empty() && all_digits(digits))
}

/// Go's `%v` of a float64: shortest digits, an exponent below 1e-4 and from 1e21 on.
fn print_float(value: f64) -> String {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf".into() } else { "-Inf".into() };
    }
    let magnitude = value.abs();
    if magnitude != 0.0 && !(1e-4..1e21).contains(&magnitude) {
        let scientific = format!("{value:e}");
        if let Some((digits, exponent)) = scientific.split_once('e') {
            let (sign, exponent) = match exponent.strip_prefix('-') {
                Some(rest) => ('-', rest),
                None => ('+', exponent),
            };
            return format!("{digits}e{sign}{exponent:0>2}");
        }
    }
    format!("{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str) -> Scalar {
        Scalar { text: text.into(), plain: true, substituted: false }
    }

    /// The right column is what `docker compose config` shows for `environment: {A: <left>}`.
    #[test]
    fn unquoted_scalars_print_as_the_reference_prints_them() {
        let cases = [
            ("1.10", "1.1"),
            ("1.0", "1"),
            ("0444", "292"),
            ("0o17", "15"),
            ("0x1F", "31"),
            ("0b11", "3"),
            ("1_000", "1000"),
            ("+5", "5"),
            ("-5", "-5"),
            ("08", "8"),
            ("1e3", "1000"),
            ("1e21", "1e+21"),
            ("0.00001", "1e-05"),
            ("0.0001", "0.0001"),
            ("18446744073709551615", "18446744073709551615"),
            ("True", "true"),
            ("yes", "yes"),
            ("on", "on"),
            ("22:22", "22:22"),
            ("1.2.3", "1.2.3"),
            (".5", "0.5"),
            ("5.", "5"),
            ("-", "-"),
            ("0x", "0x"),
            (".inf", "+Inf"),
            ("2001-01-01", "2001-01-01"),
        ];
        for (text, printed) in cases {
            assert_eq!(plain(text).printed().as_deref(), Some(printed), "{text}");
        }
        for text in ["", "~", "null", "NULL"] {
            assert_eq!(plain(text).printed(), None, "{text:?}");
        }
    }

    #[test]
    fn quoted_and_substituted_scalars_are_strings() {
        let quoted = Scalar { plain: false, ..plain("1.10") };
        let substituted = Scalar { plain: false, substituted: true, ..plain("") };
        assert_eq!(quoted.printed().as_deref(), Some("1.10"));
        assert_eq!(substituted.printed().as_deref(), Some(""));
    }
}
