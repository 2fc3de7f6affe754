//! `azure-token`: tokens of Microsoft Entra ID, by client secret or by workload identity federation.
//!
//! Secret: `tenantId`, `clientId`, `clientSecret`; without them the operator's own identity. Params:
//! `scope` (default that of Azure Resource Manager), `authority` (default the public cloud; another
//! than Microsoft's own must be one of the driver's endpoints).
//!
//! Source: Microsoft identity platform, "OAuth 2.0 client credentials flow".

use super::{
    Failure, Kind, Signer, Wire,
    cache::{Mint, Minted},
    identity::{self, AZURE_AUTHORITY, AzureIdentity},
    oauth2,
    settings::{Form, Need, Param},
    source::Source,
    unchecked,
    wire::{Chosen, Question, oauth_code},
};
use kompox_core::driver::BoxFuture;
use secrecy::{ExposeSecret as _, SecretString};

pub(super) const KIND: Kind = Kind {
    name: "azure-token",
    params: &[
        Param { name: "scope", need: Need::Default(SCOPE), form: Form::Text },
        Param { name: "authority", need: Need::Default(AZURE_AUTHORITY), form: Form::Url },
    ],
    identifiers: &["tenantId", "clientId"],
    check: unchecked,
    signer,
};

const SCOPE: &str = "https://management.azure.com/.default";
/// The authorities of Microsoft's clouds ("Microsoft Entra authentication and national clouds").
const AUTHORITIES: [&str; 3] =
    [AZURE_AUTHORITY, "https://login.microsoftonline.us", "https://login.partner.microsoftonline.cn"];
const ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What proves who asks.
enum Proof {
    Secret(SecretString),
    /// The service account's token, read when it is needed.
    Federated(AzureIdentity),
}

struct Client {
    url: String,
    chosen: Chosen,
    client_id: String,
    scope: String,
    proof: Proof,
}

fn signer(source: &Source<'_>) -> Result<Signer, Failure> {
    let own = source.identity();
    let client = match own.and_then(|identity| identity.azure.clone()) {
        Some(identity) => Client {
            url: url(&identity.authority, &identity.tenant_id),
            chosen: Chosen::ByHost,
            client_id: identity.client_id.clone(),
            scope: source.settings.get("scope").to_owned(),
            proof: Proof::Federated(identity),
        },
        None => with_secret(source)?,
    };
    Ok(oauth2::bearer(source, client))
}

fn with_secret(source: &Source<'_>) -> Result<Client, Failure> {
    let authority = source.settings.get("authority").trim_end_matches('/');
    let known = AUTHORITIES.contains(&authority);
    Ok(Client {
        url: url(authority, &source.name("tenantId")?),
        chosen: if known { Chosen::ByHost } else { Chosen::ByDriver },
        client_id: source.name("clientId")?,
        scope: source.settings.get("scope").to_owned(),
        proof: Proof::Secret(source.secret("clientSecret")?.clone()),
    })
}

fn url(authority: &str, tenant: &str) -> String {
    format!("{authority}/{tenant}/oauth2/v2.0/token")
}

impl Mint for Client {
    fn mint<'a>(&'a self, wire: &'a Wire<'a>) -> BoxFuture<'a, Result<Minted, Failure>> {
        Box::pin(async move {
            let assertion;
            let proof = match &self.proof {
                Proof::Secret(secret) => vec![("client_secret", secret.expose_secret())],
                Proof::Federated(identity) => {
                    let token = identity::read_file(&identity.token_file).await;
                    assertion = token.map_err(|error| Failure::unavailable(error.to_string()))?;
                    wire.redactor.add(&assertion);
                    vec![("client_assertion_type", ASSERTION), ("client_assertion", &assertion)]
                }
            };
            let fields = [
                ("grant_type", "client_credentials"),
                ("client_id", &self.client_id),
                ("scope", &self.scope),
            ];
            let question = Question::form(&self.url, self.chosen, &[&fields[..], &proof].concat());
            oauth2::token(&wire.ask(&question, oauth_code).await?)
        })
    }
}
