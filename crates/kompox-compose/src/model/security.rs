//! What a container may do (<https://github.com/compose-spec/compose-spec/blob/main/05-services.md#security_opt>).

use crate::span::Span;

/// An entry of `security_opt`, `name[=value]` or `name[:value]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityOption {
    /// The entry in the file.
    pub span: Span,
    /// Before the first `=` or `:`, such as `no-new-privileges`, `seccomp`, `apparmor`, `label`,
    /// `systempaths`.
    pub name: String,
    /// What follows it.
    pub value: Option<String>,
}
