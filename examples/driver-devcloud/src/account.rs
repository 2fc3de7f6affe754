//! The rest of the interface `identity`: whose the credentials are, and whether they are good.

use crate::api::Account;
use crate::client::Client;
use kompox_driver_sdk::identity;
use kompox_driver_sdk::types::{Error, ErrorCode, Finding, Severity};

/// `identity.get-account`. The service's own id is part of it: when the endpoint leads to another service, the
/// account is another one, and the host will not take its emptiness for the loss of disks.
///
/// # Errors
/// If the service cannot be asked or refuses the token.
pub fn get(client: &mut Client<'_>) -> Result<identity::Account, Error> {
    let account: Account = client.read("v1/account")?;
    Ok(identity::Account {
        id: Some(format!("{}/{}", account.service, account.id)),
        name: Some(account.id),
        attributes: Vec::new(),
    })
}

/// `identity.validate-config` with `online`: is the token good, and is the default zone one of the service's?
///
/// # Errors
/// If the service cannot be asked.
pub fn validate(client: &mut Client<'_>) -> Result<Vec<Finding>, Error> {
    let account: Account = match client.read("v1/account") {
        Ok(account) => account,
        Err(error) if error.code == ErrorCode::Unauthenticated => {
            return Ok(vec![wrong("CredentialsRefused", "credentials", error.message)]);
        }
        Err(error) => return Err(error),
    };
    let unknown = client.config.zone.as_ref().filter(|zone| !account.zones.contains(zone));
    let message = |zone| format!("there is no zone \"{zone}\", only {}", account.zones.join(", "));
    Ok(unknown.map(|zone| wrong("UnknownZone", "config.zone", message(zone))).into_iter().collect())
}

fn wrong(reason: &str, path: &str, message: String) -> Finding {
    Finding { severity: Severity::Error, reason: reason.to_owned(), message, path: path.to_owned() }
}
