//! Answers a registry that asks who is there: HTTP Basic, or a token of the server that it names.

use super::{Access, body, connection::Connection, failure};
use crate::{credentials::Credential, error::Fault};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE},
};
use http_auth::parser::ChallengeParser;
use reqwest::{RequestBuilder, Response, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

const TOKEN_LIMIT: u64 = 64 << 10;

/// How the registry wants to be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Challenge {
    Basic,
    Bearer { realm: String, service: Option<String> },
}

/// A registry's question, and what there is to answer it.
pub(super) struct Question<'a> {
    pub(super) connection: &'a Connection,
    pub(super) credential: Option<&'a Credential>,
    pub(super) repository: &'a str,
    pub(super) access: Access,
    pub(super) plain_http: bool,
}

#[derive(Deserialize)]
struct Token {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
}

/// Why a token server gives no token for a refresh token.
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

impl Question<'_> {
    /// The `Authorization` of the next attempt.
    pub(super) async fn answer(&self, headers: &HeaderMap) -> Result<HeaderValue, Fault> {
        match (challenge(headers)?, self.credential) {
            (_, Some(Credential::RegistryToken(token))) => bearer(token),
            (Challenge::Bearer { realm, service }, _) => {
                bearer(&self.token(&realm, service.as_deref()).await?)
            }
            (Challenge::Basic, Some(Credential::Basic { user, password })) => basic(user, password),
            (Challenge::Basic, Some(Credential::IdentityToken(_))) => Err(Fault::BadCredentials),
            (Challenge::Basic, None) => Err(Fault::Unauthenticated),
        }
    }

    async fn token(&self, realm: &str, service: Option<&str>) -> Result<SecretString, Fault> {
        let url = self.realm(realm)?;
        let scope = match self.access {
            Access::Pull => format!("repository:{}:pull", self.repository),
            Access::Push => format!("repository:{}:pull,push", self.repository),
        };
        let request = match self.credential {
            Some(Credential::IdentityToken(token)) => self.exchange(url, service, &scope, token),
            other => self.question(url, service, &scope, other)?,
        };
        let response = self.connection.send(request).await?;
        let response = self.granted(response).await?;
        let bytes = body::read(response, "the token", TOKEN_LIMIT).await?;
        let no_token = || Fault::Protocol("the token server gave no token".to_owned());
        // What could not be read may hold a token: it is not shown.
        let token: Token = serde_json::from_slice(&bytes).map_err(|_| no_token())?;
        let set = |token: Option<SecretString>| token.filter(|token| !token.expose_secret().is_empty());
        set(token.token).or(set(token.access_token)).ok_or_else(no_token)
    }

    /// The token server's answer, if it gave a token.
    async fn granted(&self, response: Response) -> Result<Response, Fault> {
        let refused = self.credential.map_or(Fault::Unauthenticated, |_| Fault::BadCredentials);
        match response.status() {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(refused),
            // OAuth 2 calls a refresh token that is not valid any more a bad request (RFC 6749 §5.2).
            StatusCode::BAD_REQUEST if matches!(self.credential, Some(Credential::IdentityToken(_))) => {
                let said = body::read(response, "the token server's answer", TOKEN_LIMIT).await?;
                let refusal: Option<Refusal> = serde_json::from_slice(&said).ok();
                let error = refusal.map(|refusal| refusal.error).unwrap_or_default();
                if matches!(error.as_str(), "invalid_grant" | "invalid_client" | "unauthorized_client") {
                    return Err(refused);
                }
                Err(Fault::Protocol("the token server does not take a refresh token (400)".to_owned()))
            }
            _ => failure::expect(response, &[StatusCode::OK]).await,
        }
    }

    /// The token protocol of registries: a password for an access token, or nothing for an anonymous one.
    fn question(
        &self,
        mut url: Url,
        service: Option<&str>,
        scope: &str,
        credential: Option<&Credential>,
    ) -> Result<RequestBuilder, Fault> {
        url.query_pairs_mut().extend_pairs(service.map(|service| ("service", service)));
        url.query_pairs_mut().append_pair("scope", scope);
        let request = self.connection.to_token_server(Method::GET, url);
        Ok(match credential {
            Some(Credential::Basic { user, password }) => {
                request.header(AUTHORIZATION, basic(user, password)?)
            }
            _ => request,
        })
    }

    /// OAuth 2 as registries speak it: a refresh token for an access token.
    fn exchange(&self, url: Url, service: Option<&str>, scope: &str, token: &SecretString) -> RequestBuilder {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(service.map(|service| ("service", service)))
            .append_pair("grant_type", "refresh_token")
            .append_pair("client_id", "kompox")
            .append_pair("scope", scope)
            .append_pair("refresh_token", token.expose_secret());
        let request = self.connection.to_token_server(Method::POST, url);
        request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form.finish())
    }

    /// Passwords go nowhere without TLS, unless the registry itself is reached that way.
    fn realm(&self, realm: &str) -> Result<Url, Fault> {
        let url = Url::parse(realm)
            .map_err(|_| Fault::Protocol("it names no address of its token server".to_owned()))?;
        match url.scheme() {
            "https" => Ok(url),
            "http" if self.plain_http => Ok(url),
            _ => Err(Fault::Protocol("it names a token server without TLS".to_owned())),
        }
    }
}

/// The first challenge that can be answered; a token server before a password.
fn challenge(headers: &HeaderMap) -> Result<Challenge, Fault> {
    let mut basic = None;
    for header in headers.get_all(WWW_AUTHENTICATE) {
        for parsed in ChallengeParser::new(header.to_str().unwrap_or_default()).flatten() {
            let of = |wanted: &str| {
                let found = parsed.params.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
                found.map(|(_, value)| value.to_unescaped())
            };
            match of("realm") {
                Some(realm) if parsed.scheme.eq_ignore_ascii_case("bearer") => {
                    return Ok(Challenge::Bearer { realm, service: of("service") });
                }
                _ if parsed.scheme.eq_ignore_ascii_case("basic") => basic = Some(Challenge::Basic),
                _ => {}
            }
        }
    }
    basic.ok_or_else(|| Fault::Protocol("it asks for credentials in no way that is known".to_owned()))
}

/// Whether the registry knows who asks, and that it is not allowed (RFC 6750 §3.1).
pub(super) fn lacks_scope(headers: &HeaderMap) -> bool {
    let values = headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| ChallengeParser::new(value).flatten()).any(|challenge| {
        let mut params = challenge.params.iter();
        params.any(|(name, value)| {
            name.eq_ignore_ascii_case("error") && value.to_unescaped() == "insufficient_scope"
        })
    })
}

fn bearer(token: &SecretString) -> Result<HeaderValue, Fault> {
    sensitive(&format!("Bearer {}", token.expose_secret()))
}

fn basic(user: &str, password: &SecretString) -> Result<HeaderValue, Fault> {
    sensitive(&format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose_secret()))))
}

fn sensitive(text: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Fault::BadCredentials)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Result<Challenge, Fault> {
        let headers = values.iter().map(|value| (WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap()));
        challenge(&headers.fold(HeaderMap::new(), |mut map, (name, value)| {
            map.append(name, value);
            map
        }))
    }

    #[test]
    fn a_token_server_comes_before_a_password() {
        let bearer = Challenge::Bearer {
            realm: "https://auth.example/token".to_owned(),
            service: Some("registry.example".to_owned()),
        };
        let written = "Bearer realm=\"https://auth.example/token\",service=\"registry.example\",scope=\"x\"";
        assert_eq!(read(&[written]).unwrap(), bearer);
        assert_eq!(read(&["Basic realm=\"r\"", written]).unwrap(), bearer);
        assert_eq!(read(&["Basic realm=\"r\""]).unwrap(), Challenge::Basic);
        for odd in [&[][..], &["Digest realm=\"r\""], &["\"\"\""]] {
            assert!(matches!(read(odd), Err(Fault::Protocol(_))), "{odd:?}");
        }
    }

    #[test]
    fn passwords_go_to_no_token_server_without_tls() {
        let connection = Connection::new(None, &crate::Proxies::default()).unwrap();
        for (realm, plain_http, taken) in [
            ("https://a.example/token", false, true),
            ("http://a.example/token", false, false),
            ("http://a.example/token", true, true),
            ("file:///etc/passwd", true, false),
            ("token", true, false),
        ] {
            let question = Question {
                connection: &connection,
                credential: None,
                repository: "acme/driver",
                access: Access::Pull,
                plain_http,
            };
            assert_eq!(question.realm(realm).is_ok(), taken, "{realm}");
        }
    }
}
