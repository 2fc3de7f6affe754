//! Proxies from the variables that every tool knows.

use hyper_util::client::proxy::matcher::Matcher;
use secrecy::{ExposeSecret as _, SecretString};
use std::fmt;

/// `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, also in lower case, which comes first. A proxy's address may hold a
/// password.
#[derive(Clone, Default)]
pub struct Proxies {
    https: Option<SecretString>,
    http: Option<SecretString>,
    except: Option<String>,
}

impl Proxies {
    /// From variables; `read` gives the value of one.
    pub fn from_variables(read: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| read(&name.to_ascii_lowercase()).or_else(|| read(name));
        let set = |name: &str| either(name).filter(|value| !value.trim().is_empty());
        Self {
            https: set("HTTPS_PROXY").map(SecretString::from),
            http: set("HTTP_PROXY").map(SecretString::from),
            except: set("NO_PROXY"),
        }
    }

    /// Whether requests to this address go through a proxy.
    pub(crate) fn cover(&self, url: &reqwest::Url) -> bool {
        let text = |secret: &Option<SecretString>| {
            secret.as_ref().map(|secret| secret.expose_secret().to_owned()).unwrap_or_default()
        };
        let matcher = Matcher::builder()
            .https(text(&self.https))
            .http(text(&self.http))
            .no(self.except.clone().unwrap_or_default())
            .build();
        url.as_str().parse().is_ok_and(|uri| matcher.intercept(&uri).is_some())
    }

    /// As the HTTP client takes them. An address that is none is left out, and the message names its variable.
    pub(crate) fn rules(&self) -> Result<Vec<reqwest::Proxy>, String> {
        let except = self.except.as_deref().and_then(reqwest::NoProxy::from_string);
        let rule = |variable: &str, made: reqwest::Result<reqwest::Proxy>| match made {
            Ok(proxy) => Ok(proxy.no_proxy(except.clone())),
            Err(_) => Err(format!("{variable} is no address of a proxy, such as http://proxy.example:3128")),
        };
        let https =
            self.https.iter().map(|at| rule("HTTPS_PROXY", reqwest::Proxy::https(at.expose_secret())));
        let http = self.http.iter().map(|at| rule("HTTP_PROXY", reqwest::Proxy::http(at.expose_secret())));
        https.chain(http).collect()
    }
}

impl fmt::Debug for Proxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = |proxy: &Option<SecretString>| proxy.as_ref().map(|_| "set");
        f.debug_struct("Proxies")
            .field("https", &set(&self.https))
            .field("http", &set(&self.http))
            .field("except", &self.except)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_for_its_scheme_and_not_for_what_is_excepted() {
        let variables = |name: &str| match name {
            "HTTPS_PROXY" => Some("http://u:p@proxy.example:3128".to_owned()),
            "NO_PROXY" => Some("127.0.0.0/8,.internal".to_owned()),
            _ => None,
        };
        let proxies = Proxies::from_variables(variables);
        for (url, covered) in [
            ("https://ghcr.io/v2/", true),
            ("http://ghcr.io/v2/", false),
            ("https://127.0.0.1:5000/v2/", false),
            ("https://registry.internal/v2/", false),
            ("https://internal.example/v2/", true),
        ] {
            assert_eq!(proxies.cover(&url.parse().unwrap()), covered, "{url}");
        }
        assert!(!Proxies::default().cover(&"https://ghcr.io/".parse().unwrap()));
    }

    #[test]
    fn lower_case_comes_first_and_passwords_are_not_shown() {
        let variables = |name: &str| match name {
            "https_proxy" => Some("http://u:hunter2@proxy:1".to_owned()),
            "HTTPS_PROXY" => Some("http://other:1".to_owned()),
            "NO_PROXY" => Some("localhost".to_owned()),
            "HTTP_PROXY" => Some(" ".to_owned()),
            _ => None,
        };
        let proxies = Proxies::from_variables(variables);
        assert_eq!(proxies.https.as_ref().unwrap().expose_secret(), "http://u:hunter2@proxy:1");
        assert!(proxies.http.is_none() && !format!("{proxies:?}").contains("hunter2"));
        assert_eq!(proxies.rules().unwrap().len(), 1);
        let broken =
            Proxies::from_variables(|name| (name == "HTTP_PROXY").then(|| "http://hunter2 x".to_owned()));
        let error = broken.rules().unwrap_err();
        assert!(error.contains("HTTP_PROXY") && !error.contains("hunter2"), "{error}");
    }
}
