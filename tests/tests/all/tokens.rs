//! Registries that send to a token server, as nearly every public one does. The registry is real and decides which
//! token it takes; the token server is the tests' own.

use super::registries::{LIMIT, client, component, fault, plain, reference};
use anyhow::{Context as _, Result, ensure};
use kompox_oci::{Client, Credential, Credentials, Error, Fault, Progress, Puller, Reference, SILENT};
use kompox_tests::{
    registry::{Asked, IDENTITY_TOKEN, Options, READER, Registry, TokenServer, USER},
    stage::Stage,
};
use std::time::Duration;

async fn registry(stage: &Stage, server: &TokenServer) -> Result<Registry> {
    let options = Options { tokens: Some(server.tokens()), ..Options::default() };
    Registry::start(stage.registry().await?, &options).await
}

fn basic(registry: &Registry, (user, password): (&str, &str)) -> Credentials {
    let credential = Credential::Basic { user: user.to_owned(), password: password.to_owned().into() };
    Credentials::single(&registry.host(), credential)
}

fn identity(registry: &Registry, token: &str) -> Credentials {
    Credentials::single(&registry.host(), Credential::IdentityToken(token.to_owned().into()))
}

/// The fault of a push that must fail.
async fn push_fault(client: &Client, to: &Reference, credentials: &Credentials) -> Result<Fault> {
    match client.push(to, &component("other"), credentials, SILENT).await {
        Err(Error::Registry { fault, .. }) => Ok(fault),
        other => anyhow::bail!("{to}: {other:?}"),
    }
}

fn scopes(asked: &[Asked]) -> Vec<&str> {
    asked.iter().filter_map(|asked| asked.parameters.get("scope")).map(String::as_str).collect()
}

pub(super) async fn are_asked_for_with_what_is_to_be_done(stage: &Stage) -> Result<()> {
    let server = TokenServer::start().await?;
    let registry = registry(stage, &server).await?;
    let (client, at) = (plain(&registry)?, reference(&registry, "acme/driver:1")?);
    let (all, read) = (basic(&registry, USER), basic(&registry, READER));
    let pushed = client.push(&at, &component("one"), &all, SILENT).await?;
    let asked = server.asked();
    ensure!(scopes(&asked) == ["repository:acme/driver:pull,push"], "{asked:?}");
    let first = asked.first().context("a question")?;
    ensure!(
        first.parameters.get("service").map(String::as_str) == Some(server.tokens().service),
        "{asked:?}"
    );
    ensure!(first.authorization == Some(format!("{}:{}", USER.0, USER.1)), "{asked:?}");

    let puller = Puller::new(client.clone(), None, LIMIT);
    for credentials in [&all, &read] {
        let resolved = puller.resolve(&at, credentials).await?;
        ensure!(*resolved.digest() == pushed);
        ensure!(puller.component(&resolved, credentials, SILENT).await? == "one");
        let asked = server.asked();
        ensure!(scopes(&asked).iter().all(|scope| *scope == "repository:acme/driver:pull"), "{asked:?}");
    }
    // Who is known and may not is told so, not that the password is wrong.
    ensure!(matches!(push_fault(&client, &at, &read).await?, Fault::Forbidden));
    ensure!(fault(&puller, &reference(&registry, "acme/driver:2")?, &all).await? == "NotFound");
    Ok(())
}

pub(super) async fn are_given_to_everybody_for_what_is_public(stage: &Stage) -> Result<()> {
    let server = TokenServer::start().await?;
    let registry = registry(stage, &server).await?;
    let (client, nobody) = (plain(&registry)?, Credentials::none());
    let (open, closed) =
        (reference(&registry, "public/driver:1")?, reference(&registry, "private/driver:1")?);
    for at in [&open, &closed] {
        client.push(at, &component("one"), &basic(&registry, USER), SILENT).await?;
    }
    drop(server.asked());
    let puller = Puller::new(client.clone(), None, LIMIT);
    puller.resolve(&open, &nobody).await?;
    let asked = server.asked();
    ensure!(asked.iter().all(|asked| asked.authorization.is_none()) && asked.len() == 1, "{asked:?}");
    ensure!(fault(&puller, &closed, &nobody).await? == "Unauthenticated");
    ensure!(matches!(push_fault(&client, &open, &nobody).await?, Fault::Unauthenticated));
    ensure!(fault(&puller, &open, &basic(&registry, (USER.0, "wrong"))).await? == "BadCredentials");
    ensure!(fault(&puller, &closed, &basic(&registry, (USER.0, "wrong"))).await? == "BadCredentials");
    Ok(())
}

pub(super) async fn are_exchanged_for_an_identity_token(stage: &Stage) -> Result<()> {
    let server = TokenServer::start().await?;
    let registry = registry(stage, &server).await?;
    let (client, at) = (plain(&registry)?, reference(&registry, "acme/driver:1")?);
    // As `docker login` leaves it beside an empty password.
    let config = serde_json::json!({ "auths": { registry.host(): {
        "auth": "MDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwOg==", "identitytoken": IDENTITY_TOKEN,
    }}});
    let good = Credentials::from_docker_config(config.to_string().as_bytes())?;
    client.push(&at, &component("one"), &good, SILENT).await?;
    let asked = server.asked();
    let first = asked.first().context("a question")?;
    let parameter = |name: &str| first.parameters.get(name).map(String::as_str);
    ensure!(
        parameter("grant_type") == Some("refresh_token")
            && parameter("service") == Some(server.tokens().service)
    );
    ensure!(first.authorization.is_none() && parameter("client_id").is_some(), "{first:?}");
    let puller = Puller::new(client, None, LIMIT);
    puller.resolve(&at, &good).await?;
    ensure!(fault(&puller, &at, &identity(&registry, "revoked")).await? == "BadCredentials");
    Ok(())
}

pub(super) async fn are_asked_for_again_when_they_have_expired(stage: &Stage) -> Result<()> {
    /// Long enough that the first request comes in time on a loaded machine.
    const VALID: Duration = Duration::from_secs(4);
    let server = TokenServer::start().await?;
    let registry = registry(stage, &server).await?;
    let (client, at) = (plain(&registry)?, reference(&registry, "acme/driver:1")?);
    let credentials = basic(&registry, USER);
    server.next_tokens_last(VALID);
    let expired = std::sync::Once::new();
    // An upload has begun, and takes longer than its token is good.
    let slow = |_: Progress| {
        expired.call_once(|| {
            std::thread::sleep(VALID + Duration::from_secs(1));
            server.next_tokens_last(Duration::from_secs(300));
        });
    };
    client.push(&at, &component("one"), &credentials, &slow).await?;
    ensure!(expired.is_completed(), "nothing was slow");
    let asked = server.asked();
    ensure!(asked.len() == 2 && scopes(&asked).iter().all(|scope| scope.ends_with("pull,push")), "{asked:?}");
    let puller = Puller::new(client, None, LIMIT);
    ensure!(puller.resolve(&at, &credentials).await.is_ok());
    Ok(())
}

pub(super) async fn never_cost_the_credentials_of_another_host(stage: &Stage) -> Result<()> {
    let (server, stranger) = (TokenServer::start().await?, TokenServer::start().await?);
    let registry = registry(stage, &server).await?;
    let (client, at) = (plain(&registry)?, reference(&registry, "acme/driver:1")?);
    let puller = Puller::new(client, None, LIMIT);
    // A registry may name whom it likes as its token server: what is known for that host is not for it.
    let config = serde_json::json!({ "auths": {
        server.host(): { "username": USER.0, "password": USER.1 },
        "registry.example": { "identitytoken": IDENTITY_TOKEN },
    }});
    let others = Credentials::from_docker_config(config.to_string().as_bytes())?;
    ensure!(fault(&puller, &at, &others).await? == "Unauthenticated");
    let asked = server.asked();
    ensure!(asked.len() == 1 && asked.iter().all(|asked| asked.authorization.is_none()), "{asked:?}");

    // Nor is what is known for the registry for whom its token server names.
    server.sends_on_to(stranger.realm());
    for credentials in [basic(&registry, USER), identity(&registry, IDENTITY_TOKEN)] {
        let said = fault(&puller, &at, &credentials).await?;
        ensure!(said.contains("redirects to another server"), "{said}");
    }
    ensure!(server.asked().len() == 2, "the token server was not asked");
    ensure!(stranger.asked().is_empty(), "another server was asked");

    // Without TLS between us and the token server, a registry that has TLS gets no password.
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
    let tls = Some((made.cert.pem(), made.signing_key.serialize_pem()));
    let options = Options { tokens: Some(server.tokens()), tls, ..Options::default() };
    let secure = Registry::start(stage.registry().await?, &options).await?;
    let trusting = client_of(&secure, &made.cert.pem())?;
    let puller = Puller::new(trusting, None, LIMIT);
    let said = fault(&puller, &reference(&secure, "acme/driver:1")?, &basic(&secure, USER)).await?;
    ensure!(said.contains("a token server without TLS"), "{said}");
    ensure!(server.asked().is_empty(), "the password was sent without TLS");
    Ok(())
}

fn client_of(registry: &Registry, ca: &str) -> Result<Client> {
    client(&serde_json::json!([{ "prefix": registry.host(), "ca": ca }]))
}
