//! `oauth2-client`: the client credentials grant (RFC 6749 §4.4), and what other kinds share of OAuth:
//! reading an answer with a token.
//!
//! Secret: `clientId`, `clientSecret`. Params: `tokenUrl` (within the driver's own endpoints), `scope`,
//! `audience`, `clientAuth` (`basic`, the default, or `body`; RFC 6749 §2.3.1).

use super::{
    Failure, Kind, Signer, Wire, basic,
    cache::{Credential, Mint, Minted, Minting},
    settings::{Form, Need, Param, Settings},
    source::Source,
    wire::{Answer, Chosen, Question, oauth_code},
};
use form_urlencoded::byte_serialize;
use http::header::AUTHORIZATION;
use kompox_core::driver::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use std::time::Duration;

pub(super) const KIND: Kind = Kind {
    name: "oauth2-client",
    params: &[
        Param { name: "tokenUrl", need: Need::Required, form: Form::Url },
        Param { name: "scope", need: Need::Optional, form: Form::Text },
        Param { name: "audience", need: Need::Optional, form: Form::Text },
        Param { name: "clientAuth", need: Need::Default("basic"), form: Form::Word },
    ],
    identifiers: &[],
    check,
    signer,
};

/// How long a token is kept if its answer does not say (RFC 6749 §5.1 only recommends that it does).
const LIFETIME: Duration = Duration::from_secs(300);
/// Longest token, in bytes.
const TOKEN: usize = 32 << 10;

struct Client {
    url: String,
    id: SecretString,
    secret: SecretString,
    in_body: bool,
    scope: Option<String>,
    audience: Option<String>,
}

fn check(settings: &Settings) -> Result<(), String> {
    match settings.get("clientAuth") {
        "basic" | "body" => Ok(()),
        other => Err(format!("param `clientAuth`: `{other}` is neither `basic` nor `body`")),
    }
}

fn signer(source: &Source<'_>) -> Result<Signer, Failure> {
    let settings = &source.settings;
    check(settings).map_err(|what| source.misconfigured(&what))?;
    let client = Client {
        url: settings.get("tokenUrl").to_owned(),
        id: source.secret("clientId")?.clone(),
        secret: source.secret("clientSecret")?.clone(),
        in_body: settings.get("clientAuth") == "body",
        scope: settings.optional("scope").map(str::to_owned),
        audience: settings.optional("audience").map(str::to_owned),
    };
    Ok(bearer(source, client))
}

/// A signer that sends a token as `Authorization: Bearer`.
pub(super) fn bearer(source: &Source<'_>, mint: impl Mint + 'static) -> Signer {
    Signer::Token {
        name: AUTHORIZATION,
        prefix: "Bearer ".to_owned(),
        minting: Minting { slot: source.slot, mint: Box::new(mint) },
    }
}

impl Mint for Client {
    fn mint<'a>(&'a self, wire: &'a Wire<'a>) -> BoxFuture<'a, Result<Minted, Failure>> {
        Box::pin(async move { token(&wire.ask(&self.question(), oauth_code).await?) })
    }
}

impl Client {
    fn question(&self) -> Question {
        let mut fields = vec![("grant_type", "client_credentials")];
        fields.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        fields.extend(self.audience.as_deref().map(|audience| ("audience", audience)));
        if self.in_body {
            fields.push(("client_id", self.id.expose_secret()));
            fields.push(("client_secret", self.secret.expose_secret()));
            return Question::form(&self.url, Chosen::ByDriver, &fields);
        }
        let encoded = |text: &SecretString| -> SecretString {
            byte_serialize(text.expose_secret().as_bytes()).collect::<String>().into()
        };
        let header = basic::value(&encoded(&self.id), &encoded(&self.secret));
        Question::form(&self.url, Chosen::ByDriver, &fields).header(AUTHORIZATION, header)
    }
}

/// The token of an answer (RFC 6749 §5.1).
pub(super) fn token(answer: &Answer) -> Result<Minted, Failure> {
    let body = answer.json()?;
    let token = body.get("access_token").and_then(Value::as_str).unwrap_or_default();
    if body.get("token_type").and_then(Value::as_str).is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer"))
    {
        return Err(answer.unexpected("its type is not `Bearer`"));
    }
    Ok(Minted {
        credential: Credential::Token(checked(answer, token)?),
        lifetime: body.get("expires_in").and_then(seconds).unwrap_or(LIFETIME),
    })
}

/// A token that can be sent in a header.
pub(super) fn checked(answer: &Answer, token: &str) -> Result<SecretString, Failure> {
    if token.is_empty() || token.len() > TOKEN || !token.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(answer.unexpected("it is missing or malformed"));
    }
    Ok(token.into())
}

/// A number of seconds; some servers write it as text.
pub(super) fn seconds(value: &Value) -> Option<Duration> {
    let seconds = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    Some(Duration::from_secs(seconds))
}
