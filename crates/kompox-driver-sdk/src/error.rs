//! Making the contract's errors. What they mean to the host is said in `types.wit`.

use crate::types::{Effect, Error, ErrorCode};

/// Longest message that a driver hands out, in bytes; provider messages can be pages long.
pub const MAX_MESSAGE: usize = 600;

impl Error {
    /// An error with effect `none`.
    ///
    /// `reason` is CamelCase: the provider's own code, or the driver's. `message` is shown to users
    /// and cut at [`MAX_MESSAGE`].
    #[must_use]
    pub fn new(code: ErrorCode, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            code,
            effect: Effect::None,
            retry_after_ms: None,
            reason: reason.into(),
            message: cut(message.into()),
            details: Vec::new(),
        }
    }

    /// A request that is wrong in `field` (a path such as `options.iops`).
    #[must_use]
    pub fn invalid(field: &str, reason: &str, message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidArgument, reason, message).detail("field", field)
    }

    /// An answer that the driver cannot read. The effect is unknown: the provider did answer.
    #[must_use]
    pub fn unreadable(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::Internal, "UnreadableAnswer", message).effect(Effect::Unknown)
    }

    /// The same error with another effect.
    #[must_use]
    pub fn effect(self, effect: Effect) -> Self {
        Self { effect, ..self }
    }

    /// The same error as a call that only reads must report it: effect `none`.
    #[must_use]
    pub fn read_only(self) -> Self {
        self.effect(Effect::None)
    }

    /// The same error with the earliest useful repeat, in milliseconds.
    #[must_use]
    pub fn retry_after_ms(self, milliseconds: u32) -> Self {
        Self { retry_after_ms: Some(milliseconds), ..self }
    }

    /// The same error with one more detail; empty values are left out.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<String>) -> Self {
        let value = value.into();
        if !value.is_empty() {
            crate::attributes::set(&mut self.details, key, value);
        }
        self
    }
}

/// Cuts at a character boundary, and says so.
fn cut(mut message: String) -> String {
    if message.len() > MAX_MESSAGE {
        let end = (0..=MAX_MESSAGE).rev().find(|index| message.is_char_boundary(*index)).unwrap_or(0);
        message.truncate(end);
        message.push('…');
    }
    message
}

#[cfg(test)]
mod tests {
    use super::{Error, MAX_MESSAGE};
    use crate::types::{Effect, ErrorCode};

    #[test]
    fn a_new_error_left_nothing_behind() {
        let error = Error::new(ErrorCode::Throttled, "SlowDown", "too fast").retry_after_ms(15_000);
        assert_eq!((error.effect, error.retry_after_ms), (Effect::None, Some(15_000)));
        assert_eq!(error.clone().effect(Effect::Unknown).read_only(), error);
    }

    #[test]
    fn long_messages_are_cut_between_characters() {
        let error = Error::new(ErrorCode::Other, "X", "é".repeat(MAX_MESSAGE));
        assert_eq!(error.message, format!("{}…", "é".repeat(MAX_MESSAGE / 2)));
        let short = Error::new(ErrorCode::Other, "X", "short");
        assert_eq!(short.message, "short");
    }

    #[test]
    fn details_are_unique_and_never_empty() {
        let error = Error::invalid("options.iops", "Bad", "no").detail("field", "size").detail("zone", "");
        assert_eq!(error.details, [("field".to_owned(), "size".to_owned())]);
    }
}
