//! The `params` of a profile: which there are, what they may hold, and how `{config.x}` in them is
//! filled. What a setting means is decided by the kind.

use crate::egress::fill;
use http::{HeaderName, Uri};
use kompox_core::driver::Attributes;
use std::collections::BTreeMap;

/// Longest setting, in bytes, before and after it is filled.
const LENGTH: usize = 2048;

/// A setting of a kind.
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) need: Need,
    pub(super) form: Form,
}

/// Whether a setting must be there.
pub(super) enum Need {
    Required,
    Optional,
    Default(&'static str),
}

/// What a setting may hold.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// Letters, digits, `-` and `_`: a part of a credential scope, a region.
    Word,
    /// A key of the credentials Secret; no placeholder.
    SecretKey,
    /// Name of an HTTP header; no placeholder.
    Header,
    /// Printable text.
    Text,
    /// An absolute URL.
    Url,
    /// Taken as it stands; the kind looks into it.
    Raw,
}

/// The settings of a profile, checked.
pub(super) struct Settings(BTreeMap<&'static str, String>);

impl Settings {
    /// With a sample in place of every placeholder, to check a descriptor.
    ///
    /// # Errors
    /// The setting that is unknown, missing or malformed.
    pub(super) fn sample(params: &[Param], given: &BTreeMap<String, String>) -> Result<Self, String> {
        if let Some(unknown) = given.keys().find(|name| !params.iter().any(|param| param.name == **name)) {
            return Err(format!("param `{unknown}` is not known for this kind"));
        }
        let mut config = Attributes::new();
        for text in given.values() {
            for key in text.split("{config.").skip(1).filter_map(|rest| rest.split_once('}')) {
                config.insert(key.0.to_owned(), "x".to_owned());
            }
        }
        // A sample is no URL: where a whole URL is configured there is nothing to check yet.
        let checked = |param: &Param, text: &str| {
            if matches!(param.form, Form::Url) && text.starts_with("{config.") {
                return fill(text, &config, |_| true).map(drop);
            }
            param.filled(text, &config).map(drop)
        };
        for param in params {
            match (given.get(param.name), &param.need) {
                (Some(text), _) => {
                    checked(param, text).map_err(|what| format!("param `{}`: {what}", param.name))?;
                }
                (None, Need::Required) => return Err(format!("param `{}` is required", param.name)),
                (None, Need::Optional | Need::Default(_)) => {}
            }
        }
        let texts = params.iter().filter_map(|param| {
            let text = given.get(param.name).map(String::as_str).or(param.default());
            Some((param.name, text?.to_owned()))
        });
        Ok(Self(texts.collect()))
    }

    /// The settings of a call. An optional one whose placeholder is not set does not count.
    ///
    /// # Errors
    /// The configuration value that is missing or does not fit.
    pub(super) fn fill(
        params: &[Param],
        given: &BTreeMap<String, String>,
        config: &Attributes,
    ) -> Result<Self, String> {
        let mut settings = BTreeMap::new();
        for param in params {
            let given = given.get(param.name).map(String::as_str);
            let is_set =
                |text: &&str| matches!(param.form, Form::Raw) || fill(text, config, |_| true).is_ok();
            let text = match param.need {
                Need::Required => given,
                Need::Optional => given.filter(is_set),
                Need::Default(default) => given.filter(is_set).or(Some(default)),
            };
            if let Some(text) = text {
                settings.insert(param.name, param.filled(text, config)?);
            }
        }
        Ok(Self(settings))
    }

    /// The value of a setting that is required or has a default; else empty.
    pub(super) fn get(&self, name: &str) -> &str {
        self.optional(name).unwrap_or_default()
    }

    /// The value of an optional setting.
    pub(super) fn optional(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Every setting, sorted by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, text)| (*name, text.as_str()))
    }
}

impl Param {
    fn default(&self) -> Option<&'static str> {
        match self.need {
            Need::Default(text) => Some(text),
            Need::Required | Need::Optional => None,
        }
    }

    fn filled(&self, text: &str, config: &Attributes) -> Result<String, String> {
        let text = match self.form {
            Form::Raw => text.to_owned(),
            Form::Word => fill(text, config, is_word)?,
            _ => fill(text, config, is_text)?,
        };
        if text.len() > LENGTH {
            return Err(format!("it is longer than {LENGTH} bytes"));
        }
        match self.form {
            Form::Word if !is_word(&text) => Err("it must be letters, digits, `-` and `_`".to_owned()),
            Form::SecretKey if !is_secret_key(&text) => Err("it must be a key of a Secret".to_owned()),
            Form::Header if HeaderName::from_bytes(text.as_bytes()).is_err() => {
                Err("it must be the name of a header".to_owned())
            }
            Form::Text | Form::Raw if text.contains(char::is_control) => {
                Err("it must be plain text".to_owned())
            }
            Form::Url => check_url(&text).map(|()| text),
            _ => Ok(text),
        }
    }
}

fn check_url(text: &str) -> Result<(), String> {
    let uri: Uri = text.parse().map_err(|_| "it must be a URL")?;
    let scheme = uri.scheme_str().unwrap_or_default();
    if !matches!(scheme, "https" | "http") || uri.host().is_none_or(str::is_empty) {
        return Err("it must be a URL that begins with `https://`".to_owned());
    }
    if uri.authority().is_some_and(|authority| authority.as_str().contains('@')) {
        return Err("it must not hold credentials".to_owned());
    }
    Ok(())
}

fn is_word(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

/// What a Secret's `data` allows.
fn is_secret_key(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    (1..=253).contains(&text.len()) && text.chars().all(plain)
}

/// What a tenant's configuration may put into a setting: nothing that ends a line or a value.
fn is_text(text: &str) -> bool {
    text.len() <= LENGTH && text.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '{' | '}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMS: [Param; 4] = [
        Param { name: "region", need: Need::Required, form: Form::Word },
        Param { name: "scope", need: Need::Default("all"), form: Form::Text },
        Param { name: "tokenUrl", need: Need::Optional, form: Form::Url },
        Param { name: "header", need: Need::Optional, form: Form::Header },
    ];

    fn map(list: &[(&str, &str)]) -> BTreeMap<String, String> {
        list.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[test]
    fn what_is_wrong_in_a_descriptor_is_named() {
        let cases: [(&[(&str, &str)], &str); 7] = [
            (&[], "`region` is required"),
            (&[("region", "{config.x}"), ("zone", "a")], "`zone` is not known"),
            (&[("region", "a/b")], "`region`: it must be letters"),
            (&[("region", "{x}")], "placeholder"),
            (&[("region", "r"), ("tokenUrl", "ftp://a/")], "`tokenUrl`: it must be a URL"),
            (&[("region", "r"), ("tokenUrl", "https://u:p@a.example/")], "credentials"),
            (&[("region", "r"), ("header", "a b")], "name of a header"),
        ];
        for (given, expected) in cases {
            let error = Settings::sample(&PARAMS, &map(given)).err().unwrap();
            assert!(error.contains(expected), "{error}");
        }
        let whole = map(&[("region", "{config.r}"), ("tokenUrl", "{config.url}")]);
        assert!(Settings::sample(&PARAMS, &whole).is_ok());
    }

    #[test]
    fn settings_of_a_call() {
        let given = map(&[("region", "{config.r}"), ("tokenUrl", "{config.url}")]);
        let settings = Settings::fill(&PARAMS, &given, &map(&[("r", "eu-1")])).unwrap();
        assert_eq!(settings.iter().collect::<Vec<_>>(), [("region", "eu-1"), ("scope", "all")]);
        let config = map(&[("r", "eu-1"), ("url", "https://a.example/token")]);
        let settings = Settings::fill(&PARAMS, &given, &config).unwrap();
        assert_eq!(settings.get("tokenUrl"), "https://a.example/token");
        for (key, value) in [("r", "a b"), ("url", "https://a/\"x"), ("url", "not a url")] {
            let mut config = config.clone();
            config.insert(key.to_owned(), value.to_owned());
            assert!(Settings::fill(&PARAMS, &given, &config).is_err(), "{key}={value}");
        }
        assert!(Settings::fill(&PARAMS, &given, &map(&[])).err().unwrap().contains("config.r"));
    }
}
