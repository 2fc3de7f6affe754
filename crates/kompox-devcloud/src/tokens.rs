//! Bearer tokens and their accounts. A token is never printed and is compared in constant time.

use crate::id;
use secrecy::{ExposeSecret as _, SecretString};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use subtle::ConstantTimeEq as _;

/// Most tokens of one service.
const MAX_TOKENS: usize = 100;
/// Largest token file, in bytes.
const MAX_FILE: u64 = 64 << 10;
/// Account of the token that the service makes itself.
const OWN_ACCOUNT: &str = "development";

/// Who may ask: each token with its account.
#[derive(Debug)]
pub struct Tokens(Vec<(String, SecretString)>);

/// Why there are no tokens.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The file cannot be read or made.
    #[error("failed to read or make the token file {path}: {source}")]
    File {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is not as it should be. The line is not shown: it may hold a token.
    #[error(
        "line {line} of the token file is wrong: write ACCOUNT TOKEN, the token with 16 to 256 visible ASCII characters"
    )]
    Line {
        /// Counted from 1.
        line: usize,
    },
    /// No token, or too many.
    #[error("the token file has {0} tokens, it needs 1 to {MAX_TOKENS}")]
    Count(usize),
}

impl Tokens {
    /// One token.
    ///
    /// # Errors
    /// If account or token have not the form that the token file demands.
    pub fn single(account: &str, token: String) -> Result<Self, TokenError> {
        if is_account(account) && is_token(&token) {
            Ok(Self(vec![(account.to_owned(), token.into())]))
        } else {
            Err(TokenError::Line { line: 1 })
        }
    }

    /// Reads `ACCOUNT TOKEN` lines; `#` begins a comment.
    ///
    /// # Errors
    /// If a line is wrong, or there is none.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let mut tokens = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let parts = line.split_once(char::is_whitespace).map(|(account, token)| (account, token.trim()));
            let parts = parts.filter(|(account, token)| is_account(account) && is_token(token));
            let (account, token) = parts.ok_or(TokenError::Line { line: index + 1 })?;
            tokens.push((account.to_owned(), SecretString::from(token)));
        }
        if (1..=MAX_TOKENS).contains(&tokens.len()) {
            Ok(Self(tokens))
        } else {
            Err(TokenError::Count(tokens.len()))
        }
    }

    /// Reads a token file.
    ///
    /// # Errors
    /// If it cannot be read, is larger than 64 KiB, or is wrong.
    pub fn read(path: &Path) -> Result<Self, TokenError> {
        let wrong = |source| TokenError::File { path: path.to_owned(), source };
        if fs::metadata(path).map_err(wrong)?.len() > MAX_FILE {
            return Err(wrong(io::Error::other("it has more than 64 KiB")));
        }
        Self::parse(&fs::read_to_string(path).map_err(wrong)?)
    }

    /// Reads `path`; where it is not there, makes it with one random token, for its owner's eyes only.
    ///
    /// # Errors
    /// As [`Tokens::read`], and if it cannot be made.
    pub fn read_or_make(path: &Path) -> Result<Self, TokenError> {
        if !path.exists() {
            make(path).map_err(|source| TokenError::File { path: path.to_owned(), source })?;
        }
        Self::read(path)
    }

    /// The account of a token. All tokens are compared, so that the time tells nothing.
    pub(crate) fn account(&self, token: &str) -> Option<&str> {
        let mut found = None;
        for (account, known) in &self.0 {
            if bool::from(known.expose_secret().as_bytes().ct_eq(token.as_bytes())) {
                found = Some(account.as_str());
            }
        }
        found
    }
}

fn make(path: &Path) -> io::Result<()> {
    let token: String = id::random::<24>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    writeln!(file, "# devcloud, for development only: ACCOUNT TOKEN\n{OWN_ACCOUNT} {token}")
}

fn is_account(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

fn is_token(text: &str) -> bool {
    (16..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::Tokens;

    #[test]
    fn a_token_names_its_account_and_others_name_none() {
        let tokens = Tokens::parse("# c\n\na 0123456789abcdef\nb  fedcba9876543210 \n").unwrap();
        for (token, account) in [
            ("0123456789abcdef", Some("a")),
            ("fedcba9876543210", Some("b")),
            ("0123456789abcde", None),
            ("0123456789abcdeF", None),
            ("", None),
        ] {
            assert_eq!(tokens.account(token), account, "{token}");
        }
    }

    #[test]
    fn wrong_lines_are_named_but_not_shown() {
        for text in
            ["a short", "A 0123456789abcdef", "0123456789abcdef", "a 0123456789 abcdef", "a 0123456789abcdé0"]
        {
            let error = Tokens::parse(&format!("# first\n{text}")).unwrap_err().to_string();
            assert!(error.starts_with("line 2 of the token file"), "{error}");
            assert!(!error.contains("0123456789"), "{error}");
        }
        assert!(Tokens::parse("# none").unwrap_err().to_string().contains("has 0 tokens"));
    }

    #[test]
    fn a_token_that_was_made_is_found_again_and_never_printed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("token");
        let made = Tokens::read_or_make(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let token = text.lines().last().unwrap().split(' ').nth(1).unwrap();
        assert_eq!(Tokens::read_or_make(&path).unwrap().account(token), Some("development"));
        assert!(!format!("{made:?}").contains(token));
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600);
    }
}
