//! Scalars: numbers, booleans, sizes and durations, each in one notation.

use super::{At, Settler};
use crate::codes;
use crate::schema::Type;
use crate::text::shown;
use crate::units;
use crate::yaml::{Kind, Node, Scalar, Shape};

impl Settler<'_> {
    pub(super) fn scalar(&mut self, ty: &Type, node: &mut Node, at: At<'_>) {
        let Kind::Scalar(scalar) = &node.kind else {
            return self.wrong_type(node, at, expected(ty));
        };
        let shape = scalar.shape();
        if shape == Shape::Null {
            // The schema allows null for these two only.
            if !at.1.is_below("pid") && !at.1.is_below("umask") {
                self.wrong_type(node, at, expected(ty));
            }
            return;
        }
        match ty {
            Type::Text | Type::Choice(_) => {
                if shape != Shape::Text {
                    return self.wrong_type(node, at, expected(ty));
                }
                if let Type::Choice(words) = ty
                    && !words.contains(&scalar.text.as_str())
                {
                    let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
                    self.invalid(node, at, &format!("one of {}", words.join(", ")));
                }
            }
            Type::Printed => {
                let text = scalar.printed().unwrap_or_default();
                replace(node, text, false);
            }
            Type::Flag | Type::Tristate | Type::OptOut | Type::Shown => self.boolean(node, at),
            _ => match canonical(ty, scalar, shape) {
                Some((text, plain)) => replace(node, text, plain),
                None => self.unreadable(ty, node, at),
            },
        }
    }

    fn unreadable(&mut self, ty: &Type, node: &Node, at: At<'_>) {
        let boolean = matches!(&node.kind, Kind::Scalar(s) if matches!(s.shape(), Shape::Boolean(_)));
        if boolean { self.wrong_type(node, at, expected(ty)) } else { self.invalid(node, at, expected(ty)) }
    }

    fn boolean(&mut self, node: &mut Node, at: At<'_>) {
        let Kind::Scalar(scalar) = &node.kind else { return };
        let lowered = scalar.text.to_lowercase();
        let value = match (scalar.shape(), lowered.as_str()) {
            (Shape::Boolean(value), _) => value,
            (Shape::Text, "true") => true,
            (Shape::Text, "false") => false,
            (Shape::Text, "y" | "yes" | "on") => self.lenient(node, at, true),
            (Shape::Text, "n" | "no" | "off") => self.lenient(node, at, false),
            _ => return self.wrong_type(node, at, "true or false"),
        };
        replace(node, value.to_string(), true);
    }

    fn lenient(&mut self, node: &Node, at: At<'_>, value: bool) -> bool {
        let name = shown(&at.1.name());
        let message = format!("{name} is a boolean in other words: it reads as {value}");
        let finding = self.finding(&codes::LENIENT_BOOLEAN, node, at, message);
        self.diagnostics.push(finding.help(format!("write {value}")));
        value
    }

    pub(super) fn ulimit(&mut self, node: &mut Node, at: At<'_>) {
        if !matches!(node.kind, Kind::Mapping(_)) {
            return self.scalar(&Type::Counted, node, at);
        }
        for entry in node.entries_mut().into_iter().flatten() {
            let path = at.1.key(&entry.key.value);
            match entry.key.value.as_str() {
                "soft" | "hard" => self.scalar(&Type::Counted, &mut entry.value, (&entry.key.span, &path)),
                name if name.starts_with("x-") => {}
                _ => {
                    let message = format!("unknown key {}", shown(&entry.key.value));
                    let finding = crate::Diagnostic::new(&codes::UNKNOWN_KEY, message);
                    self.diagnostics.push(finding.at(&entry.key.span).path(&path));
                }
            }
        }
        for key in ["soft", "hard"] {
            if node.get(key).is_none() {
                let message = format!("{} lacks the key `{key}`", shown(&at.1.name()));
                let finding = self.finding(&codes::MISSING_KEY, node, at, message);
                self.diagnostics.push(finding);
            }
        }
    }
}

/// Gives a scalar another text; whether it came from a variable stays known.
pub(super) fn replace(node: &mut Node, text: String, plain: bool) {
    if let Kind::Scalar(scalar) = &mut node.kind {
        (scalar.text, scalar.plain) = (text, plain);
    }
}

/// The value in the one notation of its type, and whether that is a number.
fn canonical(ty: &Type, scalar: &Scalar, shape: Shape) -> Option<(String, bool)> {
    let text = scalar.text.as_str();
    let whole = match shape {
        Shape::Integer(number) => Some(number),
        Shape::Text => text.parse::<i64>().ok().map(i128::from),
        Shape::Float(number) if number.fract() == 0.0 && number.abs() < 1e15 => {
            format!("{number}").parse().ok()
        }
        _ => None,
    };
    Some(match ty {
        Type::Whole | Type::Counted => (whole?.to_string(), true),
        Type::Float => (float(text, shape)?, true),
        Type::Bytes => match whole {
            Some(number) => (number.to_string(), false),
            None => (units::bytes(text).filter(|_| shape == Shape::Text)?.to_string(), false),
        },
        Type::Delay | Type::Duration => {
            (units::go_duration(units::duration(text).filter(|_| shape == Shape::Text)?), false)
        }
        Type::Mode => {
            let mode = match shape {
                Shape::Text => i64::from_str_radix(text, 8).ok().map(i128::from),
                _ => whole,
            };
            (format!("0{:o}", mode?), false)
        }
        Type::Devices if shape == Shape::Text && text.eq_ignore_ascii_case("all") => ("-1".to_owned(), true),
        Type::Devices => (whole?.to_string(), true),
        _ => return None,
    })
}

/// A number as the reference keeps it: in single precision.
fn float(text: &str, shape: Shape) -> Option<String> {
    let number: f32 = match shape {
        Shape::Integer(number) => number.to_string().parse().ok()?,
        Shape::Float(number) => number.to_string().parse().ok()?,
        Shape::Text => text.parse().ok()?,
        _ => return None,
    };
    number.is_finite().then(|| number.to_string())
}

fn expected(ty: &Type) -> &'static str {
    match ty {
        Type::Text | Type::Choice(_) => "a string",
        Type::Printed => "a string or a number",
        Type::Flag | Type::Tristate | Type::OptOut | Type::Shown => "true or false",
        Type::Float => "a number",
        Type::Bytes => "a size such as `64m` or `1gb`",
        Type::Delay | Type::Duration => "a duration with its unit, such as `30s` or `1m30s`",
        Type::Mode => "the octal digits of a mode, such as `0440`",
        Type::Devices => "a whole number or `all`",
        _ => "a whole number",
    }
}
