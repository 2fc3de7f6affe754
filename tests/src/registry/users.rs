//! Who may sign in at the registries of the tests.

/// The user and password that registries with a password and token servers know; they may do everything.
pub const USER: (&str, &str) = ("kompox", "correct horse");
/// A user who may pull and not push, at token servers.
pub const READER: (&str, &str) = ("reader", "staple");
/// The refresh token that is good for everything, at token servers.
pub const IDENTITY_TOKEN: &str = "identity of the tests";

/// As `htpasswd -B` writes [`USER`].
pub(super) const HTPASSWD: &str = "kompox:$2a$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2\n";
