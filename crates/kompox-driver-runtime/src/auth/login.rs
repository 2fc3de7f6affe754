//! `login`: credentials are posted, and the token in the answer is sent with every request.
//!
//! Params: `url` (within the driver's own endpoints); `body`, a JSON document in which a text
//! `"{secret.key}"` stands for an entry of the Secret and `{config.x}` for a configuration value, or
//! nothing for a POST without a body; `format` of the body (`json`, the default, or `form`); `basic`,
//! the keys of user name and password (`username,password`) if they go into `Authorization: Basic`;
//! `token`, where the token is: a JSON pointer (RFC 6901) into the answer, or the name of a header;
//! `header` and `prefix`, how it is sent (default `Authorization` with `Bearer `); `lifetimeSeconds`,
//! how long it is good (default 600).
//!
//! | Server | Params |
//! |---|---|
//! | OpenStack Keystone | `body` of `POST /v3/auth/tokens`, `token: X-Subject-Token`, `header: X-Auth-Token`, `prefix: ""` |
//! | vSphere | `basic: username,password`, `token: /`… the whole answer is the pointer `""` |

use super::{
    Failure, Kind, Signer, Wire, basic,
    cache::{Credential, Mint, Minted, Minting},
    header, oauth2,
    settings::{Form, Need, Param, Settings},
    source::Source,
    wire::{Answer, Chosen, Question, no_code},
};
use crate::egress::fill;
use http::{HeaderName, Method, header::AUTHORIZATION};
use kompox_core::driver::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Map, Value};
use std::time::Duration;

pub(super) const KIND: Kind = Kind {
    name: "login",
    params: &[
        Param { name: "url", need: Need::Required, form: Form::Url },
        Param { name: "body", need: Need::Optional, form: Form::Raw },
        Param { name: "format", need: Need::Default("json"), form: Form::Word },
        Param { name: "basic", need: Need::Optional, form: Form::Text },
        Param { name: "token", need: Need::Required, form: Form::Raw },
        Param { name: "header", need: Need::Default("authorization"), form: Form::Header },
        Param { name: "prefix", need: Need::Default("Bearer "), form: Form::Text },
        Param { name: "lifetimeSeconds", need: Need::Default("600"), form: Form::Word },
    ],
    identifiers: &[],
    check: |settings| Plan::read(settings).map(drop),
    signer,
};

/// Stands for an entry of the Secret, when it is a whole text of the body.
const SECRET: &str = "{secret.";

/// Where the token is.
enum Place {
    Pointer(String),
    Header(HeaderName),
}

/// The settings that are more than texts.
struct Plan {
    body: Option<Value>,
    form: bool,
    basic: Option<(String, String)>,
    place: Place,
    header: HeaderName,
    lifetime: Duration,
}

impl Plan {
    fn read(settings: &Settings) -> Result<Self, String> {
        let body: Option<Value> = settings
            .optional("body")
            .map(|text| serde_json::from_str(text).map_err(|_| "param `body`: it must be JSON"))
            .transpose()?;
        let form = match settings.get("format") {
            "json" => false,
            "form" => true,
            other => return Err(format!("param `format`: `{other}` is neither `json` nor `form`")),
        };
        let flat = |body: &Value| body.as_object().is_some_and(|map| map.values().all(Value::is_string));
        if form && !body.as_ref().is_some_and(flat) {
            return Err("param `body`: a form must be an object of texts".to_owned());
        }
        let pair = |text: &str| text.split_once(',').map(|(a, b)| (a.to_owned(), b.to_owned()));
        let basic = settings.optional("basic").map(|text| {
            pair(text).ok_or_else(|| "param `basic`: it must be two keys, `username,password`".to_owned())
        });
        let token = settings.get("token");
        let place =
            if token.is_empty() || token.starts_with('/') {
                Place::Pointer(token.to_owned())
            } else {
                Place::Header(HeaderName::from_bytes(token.as_bytes()).map_err(|_| {
                    "param `token`: it must be a JSON pointer or the name of a header".to_owned()
                })?)
            };
        let seconds = settings.get("lifetimeSeconds").parse();
        Ok(Self {
            body,
            form,
            basic: basic.transpose()?,
            place,
            header: header::name(settings)?,
            lifetime: Duration::from_secs(
                seconds.map_err(|_| "param `lifetimeSeconds`: it must be a number")?,
            ),
        })
    }
}

struct Login {
    url: String,
    /// With every placeholder filled; holds secrets.
    body: Option<SecretString>,
    form: bool,
    basic: Option<SecretString>,
    place: Place,
    lifetime: Duration,
}

fn signer(source: &Source<'_>) -> Result<Signer, Failure> {
    let plan = Plan::read(&source.settings).map_err(|what| source.misconfigured(&what))?;
    let basic = match &plan.basic {
        Some((user, password)) => Some(basic::value(source.secret(user)?, source.secret(password)?)),
        None => None,
    };
    let body = plan.body.as_ref().map(|body| filled(body, source)).transpose()?;
    let body = body.map(|body| SecretString::from(body.to_string()));
    // The filled body depends on configuration values that the settings do not show.
    let slot = source.slot.and(body.as_ref().map_or("", SecretString::expose_secret));
    let login = Login {
        url: source.settings.get("url").to_owned(),
        body,
        form: plan.form,
        basic,
        place: plan.place,
        lifetime: plan.lifetime,
    };
    Ok(Signer::Token {
        name: plan.header,
        prefix: source.settings.get("prefix").to_owned(),
        minting: Minting { slot, mint: Box::new(login) },
    })
}

/// Fills the texts of a document: after it was parsed, so that no value can change its shape.
fn filled(value: &Value, source: &Source<'_>) -> Result<Value, Failure> {
    Ok(match value {
        Value::String(text) => Value::String(filled_text(text, source)?),
        Value::Array(list) => {
            Value::Array(list.iter().map(|value| filled(value, source)).collect::<Result<_, _>>()?)
        }
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| Ok((key.clone(), filled(value, source)?)));
            Value::Object(pairs.collect::<Result<Map<_, _>, Failure>>()?)
        }
        plain => plain.clone(),
    })
}

fn filled_text(text: &str, source: &Source<'_>) -> Result<String, Failure> {
    match text.strip_prefix(SECRET).and_then(|rest| rest.strip_suffix('}')) {
        Some(key) => Ok(source.secret(key)?.expose_secret().to_owned()),
        None => fill(text, &source.call.config, |_| true).map_err(|what| source.misconfigured(&what)),
    }
}

impl Login {
    fn question(&self) -> Result<Question, Failure> {
        let malformed = |_| Failure::unusable("the body of the login is malformed");
        let question = match &self.body {
            None => Question::new(Method::POST, &self.url, Chosen::ByDriver),
            Some(body) if self.form => {
                let body: Map<String, Value> =
                    serde_json::from_str(body.expose_secret()).map_err(malformed)?;
                let fields: Vec<(&str, &str)> =
                    body.iter().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect();
                Question::form(&self.url, Chosen::ByDriver, &fields)
            }
            Some(body) => {
                let body = serde_json::from_str(body.expose_secret()).map_err(malformed)?;
                Question::json(&self.url, Chosen::ByDriver, &body)
            }
        };
        Ok(match &self.basic {
            Some(basic) => question.header(AUTHORIZATION, basic.clone()),
            None => question,
        })
    }

    fn token(&self, answer: &Answer) -> Result<SecretString, Failure> {
        match &self.place {
            Place::Header(name) => {
                let value = answer.headers.get(name).and_then(|value| value.to_str().ok());
                oauth2::checked(answer, value.unwrap_or_default())
            }
            Place::Pointer(pointer) => {
                let body = answer.json()?;
                oauth2::checked(answer, body.pointer(pointer).and_then(Value::as_str).unwrap_or_default())
            }
        }
    }
}

impl Mint for Login {
    fn mint<'a>(&'a self, wire: &'a Wire<'a>) -> BoxFuture<'a, Result<Minted, Failure>> {
        Box::pin(async move {
            let answer = wire.ask(&self.question()?, no_code).await?;
            Ok(Minted { credential: Credential::Token(self.token(&answer)?), lifetime: self.lifetime })
        })
    }
}
