//! Workload identity federation outside Google Cloud: a token of the platform is exchanged (RFC 8693)
//! and, if the configuration says so, a service account is impersonated.
//!
//! The configuration is a file of the administrator (AIP-4117, "External account credentials"), and
//! only sources in files are read. URLs other than Google's are not asked.

use super::{Failure, Mint, Minted, Wire, oauth2};
use crate::auth::{
    cache::Credential,
    identity::{self, is_trusted},
    wire::{Chosen, Question, oauth_code},
};
use http::header::AUTHORIZATION;
use kompox_core::driver::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{
    path::PathBuf,
    time::{Duration, SystemTime},
};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// What the exchanged token is for, if a service account is impersonated with it.
const PLATFORM: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Exchanges tokens as a configuration file says.
pub(super) struct Federation {
    pub(super) config_file: PathBuf,
    pub(super) scope: String,
}

#[derive(Deserialize)]
struct Config {
    #[serde(rename = "type")]
    kind: String,
    audience: String,
    subject_token_type: String,
    token_url: String,
    #[serde(default)]
    service_account_impersonation_url: Option<String>,
    credential_source: FileSource,
}

#[derive(Deserialize)]
struct FileSource {
    file: PathBuf,
    #[serde(default)]
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    subject_token_field_name: String,
}

impl Mint for Federation {
    fn mint<'a>(&'a self, wire: &'a Wire<'a>) -> BoxFuture<'a, Result<Minted, Failure>> {
        Box::pin(async move {
            let config = self.config().await?;
            let subject = config.credential_source.read().await?;
            wire.redactor.add(subject.expose_secret());
            let impersonation = config.service_account_impersonation_url.as_deref();
            let scope = if impersonation.is_some() { PLATFORM } else { &self.scope };
            let fields = [
                ("grant_type", GRANT),
                ("audience", &config.audience),
                ("scope", scope),
                ("requested_token_type", ACCESS_TOKEN),
                ("subject_token_type", &config.subject_token_type),
                ("subject_token", subject.expose_secret()),
            ];
            let question = Question::form(&config.token_url, Chosen::ByHost, &fields);
            let exchanged = oauth2::token(&wire.ask(&question, oauth_code).await?)?;
            match impersonation {
                Some(url) => self.impersonate(url, &exchanged, wire).await,
                None => Ok(exchanged),
            }
        })
    }
}

impl Federation {
    async fn config(&self) -> Result<Config, Failure> {
        let text = identity::read_file(&self.config_file).await;
        let text = text.map_err(|error| Failure::unusable(error.to_string()))?;
        let unusable = |what: &str| Failure::unusable(format!("{}: {what}", self.config_file.display()));
        let config: Config = serde_json::from_str(&text).map_err(|_| {
            unusable("it is not a configuration of type `external_account` with a file as source")
        })?;
        if config.kind != "external_account" {
            return Err(unusable("its `type` is not `external_account`"));
        }
        let mut urls = std::iter::once(&config.token_url).chain(&config.service_account_impersonation_url);
        if !urls.all(|url| is_trusted(url)) {
            return Err(unusable("its URLs must be https"));
        }
        Ok(config)
    }

    /// A token of the service account (IAM Credentials API, `generateAccessToken`).
    async fn impersonate(&self, url: &str, exchanged: &Minted, wire: &Wire<'_>) -> Result<Minted, Failure> {
        let Credential::Token(token) = &exchanged.credential else {
            return Err(Failure::unusable("the exchange gave no token"));
        };
        wire.redactor.add(token.expose_secret());
        let body = json!({ "scope": [self.scope], "lifetime": "3600s" });
        let question = Question::json(url, Chosen::ByHost, &body)
            .header(AUTHORIZATION, format!("Bearer {}", token.expose_secret()));
        let answer = wire.ask(&question, oauth_code).await?;
        let body = answer.json()?;
        let token = body.get("accessToken").and_then(Value::as_str).unwrap_or_default();
        let expires = body.get("expireTime").and_then(Value::as_str).unwrap_or_default();
        let lifetime =
            until(expires, wire.now()).ok_or_else(|| answer.unexpected("it has no `expireTime`"))?;
        Ok(Minted { credential: Credential::Token(oauth2::checked(&answer, token)?), lifetime })
    }
}

impl FileSource {
    async fn read(&self) -> Result<SecretString, Failure> {
        let text = identity::read_file(&self.file).await;
        let text = text.map_err(|error| Failure::unavailable(error.to_string()))?;
        let Some(format) = self.format.as_ref().filter(|format| format.kind == "json") else {
            return Ok(text.into());
        };
        let document: Value = serde_json::from_str(&text).unwrap_or_default();
        let token = document.get(&format.subject_token_field_name).and_then(Value::as_str);
        token.map(SecretString::from).ok_or_else(|| {
            Failure::unusable(format!(
                "{} holds no token in `{}`",
                self.file.display(),
                format.subject_token_field_name
            ))
        })
    }
}

/// From `now` to a time of RFC 3339.
pub(in crate::auth) fn until(time: &str, now: SystemTime) -> Option<Duration> {
    let time: jiff::Timestamp = time.parse().ok()?;
    SystemTime::from(time).duration_since(now).ok()
}
