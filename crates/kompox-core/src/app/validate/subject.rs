//! The service under the eyes of the converters: where its findings point, and what its namespace allows.

use super::Findings;
use crate::app::facts::PodSecurity;
use kompox_compose::model::Service;
use kompox_compose::{Code, Diagnostic, Span};

/// A service and what surrounds it.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    /// The service.
    pub(super) service: &'a Service,
    /// Namespace of the app.
    pub(super) namespace: &'a str,
    /// What the namespace lets pods do.
    pub(super) pod_security: PodSecurity,
}

/// A finding about a key of a service.
pub(super) fn at(
    service: &Service,
    code: &'static Code,
    key: &str,
    span: &Span,
    message: impl Into<String>,
) -> Diagnostic {
    Diagnostic::new(code, message).at(span).path(format!("services.{}.{key}", service.name.value))
}

impl Subject<'_> {
    /// A finding about a key of the service.
    pub(super) fn at(
        &self,
        code: &'static Code,
        key: &str,
        span: &Span,
        message: impl Into<String>,
    ) -> Diagnostic {
        at(self.service, code, key, span, message)
    }

    /// Whether the namespace allows what only level `privileged` does; if not, that is an error.
    pub(super) fn allows(
        &self,
        code: &'static Code,
        key: &str,
        span: &Span,
        what: &str,
        findings: &mut Findings,
    ) -> bool {
        if self.pod_security == PodSecurity::Privileged {
            return true;
        }
        let message = format!("{what} is not allowed in the namespace `{}`", self.namespace);
        findings.diagnose(self.at(code, key, span, message).help(format!(
            "do without it, or have an administrator run `kubectl label --overwrite namespace {} {}=privileged`",
            self.namespace,
            PodSecurity::LABEL,
        )));
        false
    }
}
