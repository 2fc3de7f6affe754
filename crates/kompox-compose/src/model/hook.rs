//! Commands around a container's life
//! (<https://github.com/compose-spec/compose-spec/blob/main/05-services.md#post_start>).

use std::collections::BTreeMap;

use secrecy::SecretString;

use crate::span::{Span, Spanned};

/// An entry of `post_start` or `pre_stop`: a command in the service's own container.
#[derive(Clone, Debug)]
pub struct Hook {
    /// The entry in the file.
    pub span: Span,
    /// Words of the command; never empty.
    pub command: Spanned<Vec<String>>,
    /// `user`.
    pub user: Option<Spanned<String>>,
    /// `privileged`.
    pub privileged: Option<Spanned<bool>>,
    /// `working_dir`.
    pub working_dir: Option<Spanned<String>>,
    /// `environment`, beside the container's own.
    pub environment: BTreeMap<String, SecretString>,
}

/// An entry of `pre_start`: a container that must end well before the service starts.
#[derive(Clone, Debug)]
pub struct PreStart {
    /// The command and its settings.
    pub hook: Hook,
    /// `image`; absent: the service's.
    pub image: Option<Spanned<String>>,
    /// `per_replica`: once per replica, which is the default; otherwise once per rollout.
    pub per_replica: bool,
}

impl PartialEq for Hook {
    fn eq(&self, other: &Self) -> bool {
        use secrecy::ExposeSecret;
        let exposed = |hook: &Self| -> Vec<(String, String)> {
            let text =
                |(name, value): (&String, &SecretString)| (name.clone(), value.expose_secret().to_owned());
            hook.environment.iter().map(text).collect()
        };
        self.span == other.span
            && self.command == other.command
            && self.user == other.user
            && self.privileged == other.privileged
            && self.working_dir == other.working_dir
            && exposed(self) == exposed(other)
    }
}

impl Eq for Hook {}

impl PartialEq for PreStart {
    fn eq(&self, other: &Self) -> bool {
        self.hook == other.hook && self.image == other.image && self.per_replica == other.per_replica
    }
}

impl Eq for PreStart {}
