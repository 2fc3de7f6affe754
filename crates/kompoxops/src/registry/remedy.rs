//! What a user can do about what a registry says. Pure.

use kompox_oci::{Error, Fault, Reference};

use super::Purpose;

/// The remedy for a failed request about `reference`; empty where the message says it already.
pub(super) fn of(error: &Error, reference: &Reference, purpose: Purpose) -> String {
    match error {
        Error::Registry { fault, .. } => of_fault(fault, reference, purpose),
        Error::Mirror { .. } => "correct the mirrors in the file of --registries-config".to_owned(),
        // What is wrong with an artifact says what to do; nothing here has a store.
        Error::Artifact { .. } | Error::Store { .. } => String::new(),
    }
}

fn of_fault(fault: &Fault, reference: &Reference, purpose: Purpose) -> String {
    let registry = reference.registry();
    let entry = format!("in the entry of `{registry}` in a file, and name the file with --registries-config");
    match fault {
        Fault::Unauthenticated => format!("sign in with `docker login {registry}`"),
        Fault::BadCredentials => format!("sign in again with `docker login {registry}`"),
        Fault::Forbidden => forbidden(reference, purpose),
        Fault::NotFound => not_found(reference, purpose),
        Fault::UnknownAuthority => format!("put the certificate of its authority (PEM) into `ca` {entry}"),
        Fault::Certificate(_) => {
            "correct the name of the registry, or have its certificate renewed".to_owned()
        }
        Fault::NotTls => format!("if it is meant to speak plain HTTP, set `plainHttp: true` {entry}"),
        Fault::Refused | Fault::Timeout | Fault::Unreachable(_) => {
            format!("check that `{registry}` is right and can be reached from here (HTTPS_PROXY, NO_PROXY)")
        }
        Fault::Proxy(_) => {
            "correct HTTPS_PROXY, HTTP_PROXY or NO_PROXY; a user and password stand in the address, as in \
             http://user:password@proxy.example:3128"
                .to_owned()
        }
        Fault::Throttled { .. } => "wait a while, then try again".to_owned(),
        Fault::Status { .. } => "see the log of the registry".to_owned(),
        Fault::Digest { .. } => "do not trust the registry, or the mirror, before you know why".to_owned(),
        Fault::TooLarge { .. } | Fault::Protocol(_) => {
            format!("check that `{registry}` is an OCI registry")
        }
        Fault::Configuration(_) => format!("correct it {entry}"),
    }
}

fn forbidden(reference: &Reference, purpose: Purpose) -> String {
    let may = match purpose {
        Purpose::Pull => "pull from",
        Purpose::Push => "push to",
    };
    format!(
        "have the user of `docker login {}` allowed to {may} `{}`",
        reference.registry(),
        reference.repository()
    )
}

fn not_found(reference: &Reference, purpose: Purpose) -> String {
    match purpose {
        Purpose::Pull => {
            "correct the reference; some registries answer so to those who may not read it".to_owned()
        }
        Purpose::Push => format!(
            "correct the reference, or make the repository `{}` first; some registries answer so to those who may not \
             write",
            reference.repository()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kompox_oci::Step;

    #[test]
    fn every_fault_says_what_to_do() {
        let reference: Reference = "r.example:5000/acme/driver:1".parse().unwrap();
        for (fault, purpose, expected) in [
            (Fault::Unauthenticated, Purpose::Push, "sign in with `docker login r.example:5000`"),
            (Fault::BadCredentials, Purpose::Pull, "sign in again"),
            (Fault::Forbidden, Purpose::Push, "allowed to push to `acme/driver`"),
            (Fault::Forbidden, Purpose::Pull, "allowed to pull from `acme/driver`"),
            (Fault::NotFound, Purpose::Pull, "correct the reference;"),
            (Fault::NotFound, Purpose::Push, "make the repository `acme/driver` first"),
            (Fault::UnknownAuthority, Purpose::Pull, "into `ca` in the entry of `r.example:5000`"),
            (Fault::NotTls, Purpose::Pull, "set `plainHttp: true`"),
            (Fault::Refused, Purpose::Pull, "`r.example:5000` is right"),
            (Fault::Proxy(String::new()), Purpose::Pull, "http://user:password@proxy.example"),
        ] {
            let error = Error::Registry { step: Step::Push, reference: reference.to_string(), fault };
            let remedy = of(&error, &reference, purpose);
            assert!(remedy.contains(expected), "{remedy}");
        }
    }
}
