//! What the profiles of a call do to its requests.

use super::{
    Failure, Tokens, Wire, aws,
    cache::{Credential, Minting},
    header,
    mtls::ClientCertificate,
    oci,
};
use crate::redact::Redactor;
use http::{HeaderName, header::AUTHORIZATION, request::Parts};
use secrecy::{ExposeSecret as _, SecretString};

/// Authenticates the requests of one call for one profile.
pub(crate) enum Signer {
    /// Sets a header to what the Secret holds.
    Header {
        /// The header.
        name: HeaderName,
        /// Its value.
        value: SecretString,
    },
    /// Sets a header to a short-lived token.
    Token {
        /// The header.
        name: HeaderName,
        /// Stands before the token.
        prefix: String,
        /// How to get one.
        minting: Minting,
    },
    /// AWS Signature Version 4.
    AwsSigV4(aws::Signer),
    /// Signature version 1 of Oracle Cloud Infrastructure.
    OciSignature(oci::Signer),
    /// Shows a certificate when TLS begins; the request stays as it is.
    Certificate(ClientCertificate),
}

/// What signing needs beside the request.
pub(crate) struct Desk<'a> {
    /// The way to token endpoints.
    pub(crate) wire: Wire<'a>,
    /// Tokens of earlier calls.
    pub(crate) tokens: &'a Tokens,
    /// Learns every secret that is sent.
    pub(crate) redactor: &'a Redactor,
}

impl Desk<'_> {
    /// The credential of `minting`, made now or kept from an earlier call.
    pub(super) async fn credential(&self, minting: &Minting) -> Result<std::sync::Arc<Credential>, Failure> {
        let credential = self.tokens.get(minting, &self.wire).await?;
        credential.secrets().for_each(|secret| self.redactor.add(secret.expose_secret()));
        Ok(credential)
    }
}

impl Signer {
    /// Whether the host alone sets this header: what a guest sets is dropped.
    pub(crate) fn owns(&self, header: &HeaderName) -> bool {
        match self {
            Self::Header { name, .. } | Self::Token { name, .. } => header == name,
            Self::AwsSigV4(_) => {
                matches!(header.as_str(), "authorization" | "date" | "host")
                    || header.as_str().starts_with("x-amz-")
            }
            Self::OciSignature(_) => {
                matches!(
                    header.as_str(),
                    "authorization" | "date" | "host" | "x-date" | "x-content-sha256" | "opc-obo-token"
                )
            }
            Self::Certificate(_) => false,
        }
    }

    /// Adds the headers that authenticate the request. `Host` must be set already.
    ///
    /// # Errors
    /// Why the request must not be sent; nothing of the credential is in the text.
    pub(crate) async fn sign(
        &self,
        request: &mut Parts,
        body: &[u8],
        desk: &Desk<'_>,
    ) -> Result<(), Failure> {
        match self {
            Self::Header { name, value } => set(request, name, value.expose_secret(), desk)?,
            Self::Token { name, prefix, minting } => {
                let credential = desk.credential(minting).await?;
                let Credential::Token(token) = credential.as_ref() else {
                    return Err(Failure::unusable("the profile has no token for a header"));
                };
                set(request, name, &format!("{prefix}{}", token.expose_secret()), desk)?;
            }
            Self::AwsSigV4(signer) => signer.sign(request, body, desk).await?,
            Self::OciSignature(signer) => signer.sign(request, body, desk.wire.now())?,
            Self::Certificate(_) => {
                if request.uri.scheme_str() != Some("https") {
                    return Err(Failure::unusable("a client certificate can be shown over https only"));
                }
            }
        }
        learn(request, desk.redactor);
        Ok(())
    }

    /// The certificate to connect with.
    pub(crate) fn certificate(&self) -> Option<&ClientCertificate> {
        match self {
            Self::Certificate(certificate) => Some(certificate),
            _ => None,
        }
    }

    /// The provider did not accept a token: the next call gets a new one.
    pub(crate) fn rejected(&self, desk: &Desk<'_>) {
        match self {
            Self::Token { minting, .. } => desk.tokens.reject(minting, desk.wire.now()),
            Self::AwsSigV4(signer) => signer.rejected(desk),
            Self::Header { .. } | Self::OciSignature(_) | Self::Certificate(_) => {}
        }
    }
}

fn set(request: &mut Parts, name: &HeaderName, text: &str, desk: &Desk<'_>) -> Result<(), Failure> {
    let value =
        header::value(text).map_err(|what| Failure::unusable(format!("the token is unusable: {what}")))?;
    desk.redactor.add(text);
    request.headers.insert(name, value);
    Ok(())
}

/// A server may echo what it was sent.
fn learn(request: &Parts, redactor: &Redactor) {
    if let Some(Ok(value)) = request.headers.get(AUTHORIZATION).map(http::HeaderValue::to_str) {
        learn_authorization(value, redactor);
    }
}

/// The value of a header `Authorization`, and what is secret in it by itself.
pub(super) fn learn_authorization(value: &str, redactor: &Redactor) {
    redactor.add(value);
    for mark in ["Signature=", "signature=\"", "Basic ", "Bearer "] {
        if let Some((_, secret)) = value.rsplit_once(mark) {
            redactor.add(secret.trim_end_matches('"'));
        }
    }
}
