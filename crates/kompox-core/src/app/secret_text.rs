//! Bytes that may be secret: environment values and file contents. They can be stored and hashed, not
//! printed.

use secrecy::{ExposeSecret as _, SecretSlice};

/// Bytes that no `Debug`, `Display` or `Serialize` shows.
#[derive(Clone, Debug)]
pub struct SecretText(SecretSlice<u8>);

impl SecretText {
    /// Takes the bytes in.
    #[must_use]
    pub fn new(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into().into())
    }

    /// The bytes, for writing them into a Secret or hashing them; never for messages.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }
}

#[cfg(test)]
mod tests {
    use super::SecretText;

    #[test]
    fn debug_shows_nothing() {
        let text = SecretText::new("hunter2");
        assert!(!format!("{text:?}").contains("hunter2"));
        assert_eq!(text.expose(), b"hunter2");
    }
}
