//! JSON in and out, with the contract's errors.

use crate::http::Response;
use crate::types::{Error, ErrorCode};
use serde::de::DeserializeOwned;

/// Reads the configuration of the call (`call-context.config`) into the driver's own type.
///
/// # Errors
/// `invalid-argument` that says where the configuration is wrong.
pub fn config<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    let text = if text.trim().is_empty() { "{}" } else { text };
    serde_json::from_str(text).map_err(|error| {
        Error::invalid("config", "InvalidConfig", format!("the configuration is wrong: {error}"))
    })
}

/// Reads a provider's JSON answer.
///
/// # Errors
/// `internal` with effect `unknown`: the provider answered, but not in the form that the driver knows.
pub fn body<T: DeserializeOwned>(response: &Response) -> Result<T, Error> {
    serde_json::from_slice(&response.body).map_err(|error| {
        Error::unreadable(format!("the provider's answer is not the expected JSON: {error}"))
            .detail("httpStatus", response.status.to_string())
    })
}

/// Reads a `resume` token that the driver made as JSON.
///
/// # Errors
/// `invalid-argument`: the token is of another driver or version.
pub fn resume<T: DeserializeOwned>(text: &str) -> Result<T, Error> {
    serde_json::from_str(text).map_err(|_| {
        Error::new(ErrorCode::InvalidArgument, "InvalidResume", "the resume token is not one of this driver")
    })
}

#[cfg(test)]
mod tests {
    use super::{body, config, resume};
    use crate::http::Response;
    use crate::types::{Effect, ErrorCode};
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Region {
        region: Option<String>,
    }

    #[test]
    fn an_empty_configuration_is_an_empty_object() {
        assert_eq!(config::<Region>(" ").unwrap(), Region { region: None });
        let error = config::<Region>(r#"{"region": 1}"#).unwrap_err();
        assert_eq!(error.code, ErrorCode::InvalidArgument);
        assert!(error.message.contains("invalid type"), "{}", error.message);
    }

    #[test]
    fn an_unreadable_answer_has_an_unknown_effect() {
        let response = Response { status: 200, headers: vec![], body: b"<html>".to_vec() };
        let error = body::<Region>(&response).unwrap_err();
        assert_eq!((error.code, error.effect), (ErrorCode::Internal, Effect::Unknown));
        assert_eq!(resume::<Region>("x").unwrap_err().reason, "InvalidResume");
    }
}
