//! `aws-sigv4`: requests signed with a key of the Secret, or with a temporary one that the operator's
//! own identity gets: IAM roles for service accounts, EKS Pod Identity.
//!
//! Secret: `accessKeyId`, `secretAccessKey`, perhaps `sessionToken`. Params: `service`, `region`.
//!
//! Sources: AWS STS API Reference, `AssumeRoleWithWebIdentity`; AWS SDKs and Tools Reference Guide,
//! "Container credential provider". The signature itself is in `sigv4.rs`.

use super::{
    Desk, Failure, Kind, Signer as AnySigner, Wire,
    cache::{Credential, Mint, Minted, Minting},
    google::until,
    identity::{self, AwsIdentity, is_trusted},
    oauth2,
    settings::{Form, Need, Param},
    sigv4::{self, AccessKey},
    source::Source,
    unchecked,
    wire::{Answer, Chosen, Question, no_code},
};
use http::{Method, header::AUTHORIZATION, request::Parts};
use kompox_core::driver::BoxFuture;
use quick_xml::{Reader, events::Event};
use secrecy::SecretString;
use serde_json::Value;
use std::{collections::BTreeMap, path::PathBuf};

pub(super) const KIND: Kind = Kind {
    name: "aws-sigv4",
    params: &[
        Param { name: "service", need: Need::Required, form: Form::Word },
        Param { name: "region", need: Need::Required, form: Form::Word },
    ],
    identifiers: &[],
    check: unchecked,
    signer,
};

const ID: &str = "accessKeyId";
const SECRET: &str = "secretAccessKey";
const TOKEN: &str = "sessionToken";
/// The name of the session, seen in CloudTrail.
const SESSION: &str = "kompox-operator";
/// Deepest element and most elements of an answer that are looked at.
const ELEMENTS: usize = 256;

/// Signs the requests of one call.
pub(crate) struct Signer {
    scope: sigv4::Signer,
    key: Key,
}

enum Key {
    Fixed(AccessKey),
    Temporary(Minting),
}

fn signer(source: &Source<'_>) -> Result<AnySigner, Failure> {
    let region = source.settings.get("region").to_owned();
    let own = source.identity().and_then(|identity| identity.aws.clone());
    let key = match own {
        Some(identity) => {
            let mint = Box::new(Temporary { identity, region: region.clone() });
            Key::Temporary(Minting { slot: source.slot, mint })
        }
        None => Key::Fixed(AccessKey {
            id: source.secret(ID)?.clone(),
            secret: source.secret(SECRET)?.clone(),
            session_token: source.optional(TOKEN).cloned(),
        }),
    };
    let scope = sigv4::Signer { service: source.settings.get("service").to_owned(), region };
    Ok(AnySigner::AwsSigV4(Signer { scope, key }))
}

impl Signer {
    /// Signs with the fixed key, or with a temporary one.
    pub(super) async fn sign(
        &self,
        request: &mut Parts,
        body: &[u8],
        desk: &Desk<'_>,
    ) -> Result<(), Failure> {
        let now = desk.wire.now();
        let signed = match &self.key {
            Key::Fixed(key) => self.scope.sign(key, request, body, now),
            Key::Temporary(minting) => match desk.credential(minting).await?.as_ref() {
                Credential::AwsKey(key) => self.scope.sign(key, request, body, now),
                Credential::Token(_) => Err("the profile has no key".to_owned()),
            },
        };
        signed.map_err(|what| Failure::unusable(format!("the request cannot be signed: {what}")))
    }

    /// AWS did not accept the key.
    pub(super) fn rejected(&self, desk: &Desk<'_>) {
        if let Key::Temporary(minting) = &self.key {
            desk.tokens.reject(minting, desk.wire.now());
        }
    }
}

/// A temporary key of the operator's own identity.
struct Temporary {
    identity: AwsIdentity,
    region: String,
}

impl Mint for Temporary {
    fn mint<'a>(&'a self, wire: &'a Wire<'a>) -> BoxFuture<'a, Result<Minted, Failure>> {
        Box::pin(async move {
            match &self.identity {
                AwsIdentity::WebIdentity { role_arn, token_file, sts_url } => {
                    let url = sts_url.clone().unwrap_or_else(|| sts_url_of(&self.region));
                    self.assume_role(&url, role_arn, token_file, wire).await
                }
                AwsIdentity::Container { url, token_file } => container(url, token_file.as_ref(), wire).await,
            }
        })
    }
}

/// The regional endpoint of the token service, by partition (AWS Regional endpoints).
fn sts_url_of(region: &str) -> String {
    let suffix = match region.split('-').next() {
        Some("cn") => "amazonaws.com.cn",
        Some("eusc") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    format!("https://sts.{region}.{suffix}/")
}

impl Temporary {
    async fn assume_role(
        &self,
        url: &str,
        role: &str,
        file: &std::path::Path,
        wire: &Wire<'_>,
    ) -> Result<Minted, Failure> {
        check_url(url)?;
        let token = read(file, wire).await?;
        let fields = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", SESSION),
            ("WebIdentityToken", &token),
        ];
        let answer = wire.ask(&Question::form(url, Chosen::ByHost, &fields), sts_code).await?;
        let found = leaves(&answer.body);
        let get = |name: &str| found.get(name).map(String::as_str).unwrap_or_default();
        minted(
            &answer,
            [get("AccessKeyId"), get("SecretAccessKey"), get("SessionToken"), get("Expiration")],
            wire,
        )
    }
}

async fn container(url: &str, token_file: Option<&PathBuf>, wire: &Wire<'_>) -> Result<Minted, Failure> {
    check_url(url)?;
    let mut question = Question::new(Method::GET, url, Chosen::ByHost);
    if let Some(file) = token_file {
        // As it stands in the file, without a scheme.
        question = question.header(AUTHORIZATION, read(file, wire).await?);
    }
    let answer = wire.ask(&question, no_code).await?;
    let body = answer.json()?;
    let get = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default();
    minted(&answer, [get("AccessKeyId"), get("SecretAccessKey"), get("Token"), get("Expiration")], wire)
}

fn check_url(url: &str) -> Result<(), Failure> {
    if is_trusted(url) { Ok(()) } else { Err(Failure::forbidden("the token URL must be https")) }
}

async fn read(file: &std::path::Path, wire: &Wire<'_>) -> Result<String, Failure> {
    let token = identity::read_file(file).await.map_err(|error| Failure::unavailable(error.to_string()))?;
    wire.redactor.add(&token);
    Ok(token)
}

fn minted(answer: &Answer, [id, secret, token, end]: [&str; 4], wire: &Wire<'_>) -> Result<Minted, Failure> {
    let lifetime =
        until(end, wire.now()).ok_or_else(|| answer.unexpected("its `Expiration` is missing or past"))?;
    let text = |text: &str| -> Result<SecretString, Failure> { oauth2::checked(answer, text) };
    let key = AccessKey { id: text(id)?, secret: text(secret)?, session_token: Some(text(token)?) };
    Ok(Minted { credential: Credential::AwsKey(key), lifetime })
}

/// The error code of an answer of the token service.
fn sts_code(body: &[u8]) -> Option<String> {
    leaves(body).remove("Code")
}

/// The text of each element that holds nothing but text, by local name; the first of a name counts.
/// What is no XML gives nothing.
fn leaves(body: &[u8]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let text = String::from_utf8_lossy(body);
    let mut reader = Reader::from_str(&text);
    let mut open: Option<(String, String)> = None;
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(start) if found.len() < ELEMENTS => {
                let name = String::from_utf8_lossy(start.local_name().as_ref()).into_owned();
                open = Some((name, String::new()));
            }
            Event::Text(part) => {
                if let (Some((_, text)), Ok(part)) = (&mut open, part.decode()) {
                    text.push_str(&part);
                }
            }
            Event::End(_) => {
                if let Some((name, text)) = open.take() {
                    found.entry(name).or_insert(text.trim().to_owned());
                }
            }
            Event::Eof | Event::Start(_) => break,
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_of_the_token_service() {
        let body = b"<AssumeRoleWithWebIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
            <AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>ASIA1</AccessKeyId>\
            <SecretAccessKey>s/+=</SecretAccessKey></Credentials></AssumeRoleWithWebIdentityResult>\
            </AssumeRoleWithWebIdentityResponse>";
        let found = leaves(body);
        assert_eq!(found["AccessKeyId"], "ASIA1");
        assert_eq!(found["SecretAccessKey"], "s/+=");
        let error = b"<ErrorResponse><Error><Code>ExpiredTokenException</Code></Error></ErrorResponse>";
        assert_eq!(sts_code(error).as_deref(), Some("ExpiredTokenException"));
        assert_eq!(sts_code(b"no xml <"), None);
        assert_eq!(leaves(&[b"<a>".repeat(10_000), b"x".to_vec()].concat()).len(), 0);
    }

    #[test]
    fn partitions() {
        assert_eq!(sts_url_of("us-west-2"), "https://sts.us-west-2.amazonaws.com/");
        assert_eq!(sts_url_of("cn-north-1"), "https://sts.cn-north-1.amazonaws.com.cn/");
        assert_eq!(sts_url_of("eusc-de-east-1"), "https://sts.eusc-de-east-1.amazonaws.eu/");
    }
}
