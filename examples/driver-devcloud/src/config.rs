//! `spec.provider.config`; its schema is in `descriptor.json`, and the host has checked it.

use kompox_driver_sdk::{json, types::Error};
use serde::Deserialize;

/// The configuration of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Config {
    /// `http://HOST:PORT/`, with the final slash.
    pub endpoint: String,
    /// Zone of disks that name none.
    pub zone: Option<String>,
}

impl Config {
    /// Reads the JSON of the call's context.
    ///
    /// # Errors
    /// `invalid-argument` if it is not as the schema says.
    pub fn read(text: &str) -> Result<Self, Error> {
        let config: Self = json::config(text)?;
        if !config.endpoint.ends_with('/') {
            let message = "config.endpoint must be http://HOST:PORT/ with the final slash";
            return Err(Error::invalid("config.endpoint", "InvalidEndpoint", message));
        }
        Ok(config)
    }
}
