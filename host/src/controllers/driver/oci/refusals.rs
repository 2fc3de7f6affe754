//! What a registry or a signature does not allow, as a reason and a message that says what to do. Pure.

use super::super::report::{Refusal, Stage};
use kompox_crds::Reason;
use kompox_oci::{Credentials, Error, Fault, Reference};

/// What a remedy depends on.
pub(super) struct Setting<'a> {
    /// The pull secret, if one is named.
    pub(super) secret: Option<&'a str>,
    /// The namespace it is in.
    pub(super) namespace: &'a str,
    pub(super) reference: &'a Reference,
    pub(super) credentials: &'a Credentials,
}

/// Why an artifact is not here.
pub(super) fn unfetched(error: &Error, setting: &Setting<'_>) -> Refusal {
    let (reason, remedy) = match error {
        Error::Registry { fault, .. } => of_fault(fault, setting),
        Error::Artifact { .. } => (Reason::ArtifactInvalid, String::new()),
        Error::Mirror { .. } => {
            (Reason::OperatorError, "correct the mirrors in the file of --registries-config".to_owned())
        }
        Error::Store { .. } => {
            (Reason::OperatorError, "check the directory of --component-store-dir".to_owned())
        }
    };
    let message = if remedy.is_empty() { error.to_string() } else { format!("{error}; {remedy}") };
    Refusal::new(Stage::Fetched, reason, message)
}

fn of_fault(fault: &Fault, setting: &Setting<'_>) -> (Reason, String) {
    let registry = setting.reference.registry();
    let entry = format!("in the entry of `{registry}` in the file of --registries-config");
    match fault {
        Fault::Unauthenticated => (Reason::RegistryDenied, unauthenticated(setting)),
        Fault::BadCredentials => (Reason::RegistryDenied, wrong(setting)),
        Fault::Forbidden => {
            (Reason::RegistryDenied, format!("let {} read `{}`", who(setting), setting.reference.repository()))
        }
        Fault::NotFound => (
            Reason::ArtifactNotFound,
            "correct `spec.source.oci.reference` or push the artifact; some registries answer so to those who may \
             not read"
                .to_owned(),
        ),
        Fault::UnknownAuthority => {
            (Reason::RegistryUntrusted, format!("put the certificate of its authority (PEM) into `ca` {entry}"))
        }
        Fault::Certificate(_) => (Reason::RegistryUntrusted, "have the certificate of the registry renewed".to_owned()),
        Fault::NotTls => {
            (Reason::RegistryUnreachable, format!("if it is meant to speak plain HTTP, set `plainHttp: true` {entry}"))
        }
        Fault::Refused | Fault::Timeout | Fault::Unreachable(_) => (
            Reason::RegistryUnreachable,
            format!("check that `{registry}` is right and that the operator may reach it (HTTPS_PROXY, NO_PROXY)"),
        ),
        Fault::Proxy(_) => (
            Reason::RegistryUnreachable,
            "correct HTTPS_PROXY, HTTP_PROXY or NO_PROXY of the operator, or let the proxy pass it".to_owned(),
        ),
        Fault::Throttled { .. } | Fault::Status { .. } => {
            (Reason::RegistryUnreachable, "the operator asks again".to_owned())
        }
        Fault::Digest { .. } => {
            (Reason::DigestMismatch, "do not trust the registry or mirror before you know why".to_owned())
        }
        Fault::TooLarge { .. } | Fault::Protocol(_) => {
            (Reason::ArtifactInvalid, "push the component with `kompoxops driver push`".to_owned())
        }
        Fault::Configuration(_) => (Reason::OperatorError, format!("correct it {entry}")),
    }
}

fn unauthenticated(setting: &Setting<'_>) -> String {
    let Setting { secret, namespace, reference, credentials } = setting;
    match secret {
        None => format!(
            "set `spec.source.oci.pullSecretRef` to a Secret of type kubernetes.io/dockerconfigjson in namespace \
             `{namespace}`"
        ),
        Some(secret) => format!(
            "Secret `{secret}` has no entry for `{}` (it has: {}); add one",
            reference.registry(),
            credentials.prefixes().join(", ")
        ),
    }
}

fn wrong(setting: &Setting<'_>) -> String {
    let secret = setting.secret.unwrap_or_default();
    format!("correct user and password of `{}` in Secret `{secret}`", setting.reference.registry())
}

fn who(setting: &Setting<'_>) -> String {
    match setting.secret {
        Some(secret) => format!("the user in Secret `{secret}`"),
        None => "everybody, or a user named by `spec.source.oci.pullSecretRef`,".to_owned(),
    }
}

/// Why an artifact is not taken as signed.
pub(super) fn unverified(refusal: &kompox_signature::Refusal) -> Refusal {
    Refusal::new(Stage::Verified, kompox_core::signature::reason(refusal), refusal.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompox_oci::{Credential, Step};

    fn refusal(fault: Fault, secret: Option<&str>) -> Refusal {
        let password = Credential::Basic { user: "u".to_owned(), password: "p".to_owned().into() };
        let error = Error::Registry { step: Step::Resolve, reference: "r.example/a:1".to_owned(), fault };
        unfetched(
            &error,
            &Setting {
                secret,
                namespace: "k4x-system",
                reference: &"r.example/a:1".parse().unwrap(),
                credentials: &Credentials::single("other.example", password),
            },
        )
    }

    #[test]
    fn every_fault_has_its_reason_and_says_what_to_set() {
        for (fault, secret, reason, expected) in [
            (Fault::Unauthenticated, None, Reason::RegistryDenied, "`spec.source.oci.pullSecretRef`"),
            (
                Fault::Unauthenticated,
                Some("s"),
                Reason::RegistryDenied,
                "no entry for `r.example` (it has: other.example)",
            ),
            (Fault::BadCredentials, Some("s"), Reason::RegistryDenied, "in Secret `s`"),
            (Fault::Forbidden, Some("s"), Reason::RegistryDenied, "let the user in Secret `s` read `a`"),
            (Fault::NotFound, None, Reason::ArtifactNotFound, "`spec.source.oci.reference`"),
            (
                Fault::UnknownAuthority,
                None,
                Reason::RegistryUntrusted,
                "into `ca` in the entry of `r.example`",
            ),
            (Fault::NotTls, None, Reason::RegistryUnreachable, "`plainHttp: true`"),
            (Fault::Refused, None, Reason::RegistryUnreachable, "`r.example` is right"),
            (Fault::Proxy(String::new()), None, Reason::RegistryUnreachable, "NO_PROXY of the operator"),
        ] {
            let refusal = refusal(fault, secret);
            assert_eq!((refusal.stage, refusal.reason), (Stage::Fetched, reason));
            assert!(refusal.message.contains(expected), "{}", refusal.message);
            assert!(refusal.message.starts_with("failed to resolve r.example/a:1: "), "{}", refusal.message);
        }
    }
}
