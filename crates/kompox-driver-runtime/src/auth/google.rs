//! `google-token`: access tokens of Google Cloud, by service-account key, metadata server or workload
//! identity federation.
//!
//! Secret: `serviceAccountKey`, the JSON key; without it the operator's own identity. Params: `scope`
//! (default `cloud-platform`); `tokenUrl`, if the key may name another token endpoint than Google's: one
//! of the driver's endpoints.
//!
//! Sources: Google Identity, "Using OAuth 2.0 for Server to Server Applications" (key); Compute Engine,
//! "About VM metadata" (metadata server); `federation.rs` for the third.

mod federation;

pub(super) use federation::until;

use super::{
    Failure, Kind, Signer, Wire,
    cache::{Mint, Minted},
    identity::GoogleIdentity,
    jwt,
    keys::RsaKey,
    oauth2,
    settings::{Form, Need, Param},
    source::Source,
    unchecked,
    wire::{Chosen, Question, oauth_code},
};
use federation::Federation;
use http::{HeaderName, Method};
use kompox_core::driver::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use std::time::{Duration, SystemTime};

pub(super) const KIND: Kind = Kind {
    name: "google-token",
    params: &[
        Param { name: "scope", need: Need::Default(SCOPE), form: Form::Text },
        Param { name: "tokenUrl", need: Need::Default(TOKEN_URL), form: Form::Url },
    ],
    identifiers: &[],
    check: unchecked,
    signer,
};

const KEY: &str = "serviceAccountKey";
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKEN_URL: &str = "https://oauth2.googleapis.com/token";
const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const FLAVOR: HeaderName = HeaderName::from_static("metadata-flavor");
/// How long a proof is good: the longest that Google takes.
const PROOF: Duration = Duration::from_secs(3600);

/// The members of a key file that are used.
#[derive(Deserialize)]
struct KeyFile {
    #[serde(rename = "type")]
    kind: String,
    client_email: String,
    private_key: String,
    #[serde(default)]
    private_key_id: String,
    #[serde(default)]
    token_uri: Option<String>,
}

fn signer(source: &Source<'_>) -> Result<Signer, Failure> {
    let scope = source.settings.get("scope").to_owned();
    let own = source.identity().and_then(|identity| identity.google.clone());
    Ok(match own {
        Some(GoogleIdentity::Metadata { host }) => oauth2::bearer(source, Metadata { host, scope }),
        Some(GoogleIdentity::Federation { config_file }) => {
            oauth2::bearer(source, Federation { config_file, scope })
        }
        None => oauth2::bearer(source, ServiceAccount::read(source, scope)?),
    })
}

/// A service account with its key.
struct ServiceAccount {
    email: String,
    key_id: String,
    /// Read when it is needed: most calls find a token.
    key: SecretString,
    url: String,
    chosen: Chosen,
    scope: String,
}

impl ServiceAccount {
    fn read(source: &Source<'_>, scope: String) -> Result<Self, Failure> {
        let invalid = |what: &str| source.invalid(KEY, what);
        // The parser's error would show a part of the text.
        let file: KeyFile = serde_json::from_str(source.secret(KEY)?.expose_secret())
            .map_err(|_| invalid("it is not the JSON key of a service account"))?;
        if file.kind != "service_account" {
            return Err(invalid("its `type` is not `service_account`"));
        }
        let allowed = source.settings.get("tokenUrl");
        let url = file.token_uri.unwrap_or_else(|| TOKEN_URL.to_owned());
        if url != TOKEN_URL && url != allowed {
            return Err(invalid("its `token_uri` is not that of Google"));
        }
        let chosen = if url == TOKEN_URL { Chosen::ByHost } else { Chosen::ByDriver };
        let key = file.private_key.into();
        Ok(Self { email: file.client_email, key_id: file.private_key_id, key, url, chosen, scope })
    }

    fn proof(&self, now: SystemTime) -> Result<SecretString, Failure> {
        let key = RsaKey::read(self.key.expose_secret())
            .map_err(|what| Failure::unusable(format!("`private_key` in `{KEY}` cannot be used: {what}")))?;
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let header = json!({ "alg": "RS256", "typ": "JWT", "kid": self.key_id });
        let claims = json!({
            "iss": self.email, "scope": self.scope, "aud": self.url,
            "iat": now.as_secs(), "exp": (now + PROOF).as_secs(),
        });
        jwt::sign(&header.to_string(), &claims.to_string(), &key).map_err(Failure::unusable)
    }
}

impl Mint for ServiceAccount {
    fn mint<'a>(&'a self, wire: &'a Wire<'a>) -> BoxFuture<'a, Result<Minted, Failure>> {
        Box::pin(async move {
            let proof = self.proof(wire.now())?;
            wire.redactor.add(proof.expose_secret());
            let fields = [("grant_type", GRANT), ("assertion", proof.expose_secret())];
            let question = Question::form(&self.url, self.chosen, &fields);
            oauth2::token(&wire.ask(&question, oauth_code).await?)
        })
    }
}

/// The metadata server of a node, or of GKE in its place.
struct Metadata {
    host: String,
    scope: String,
}

impl Mint for Metadata {
    fn mint<'a>(&'a self, wire: &'a Wire<'a>) -> BoxFuture<'a, Result<Minted, Failure>> {
        Box::pin(async move {
            let scopes: String = form_urlencoded::byte_serialize(self.scope.as_bytes()).collect();
            let url = format!(
                "http://{}/computeMetadata/v1/instance/service-accounts/default/token?scopes={scopes}",
                self.host
            );
            let question = Question::new(Method::GET, url, Chosen::ByHost).header(FLAVOR, "Google");
            let answer = wire.ask(&question, oauth_code).await?;
            // Any other server at this address is not to be believed.
            if answer.headers.get(&FLAVOR).is_none_or(|value| value != "Google") {
                return Err(answer.unexpected("it does not come from a metadata server"));
            }
            oauth2::token(&answer)
        })
    }
}
