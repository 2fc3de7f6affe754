//! Registries behind a real proxy.

use super::registries::{LIMIT, component, reference};
use anyhow::{Result, bail, ensure};
use kompox_oci::{Client, Credentials, Error, Fault, Proxies, Puller, Reference, Registries, SILENT};
use kompox_tests::{
    http_proxy::{self, HttpProxy},
    registry::{Options, Registry},
    stage::Stage,
};

const PASSWORD: (&str, &str) = ("porter", "sesame");

/// One registry with TLS and one without, and how both are reached.
struct Place {
    secure: Registry,
    open: Registry,
    registries: Registries,
}

impl Place {
    async fn new(stage: &Stage) -> Result<Self> {
        let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()])?;
        let tls = Some((made.cert.pem(), made.signing_key.serialize_pem()));
        let secure = Registry::start(stage.registry().await?, &Options { tls, ..Options::default() }).await?;
        let open = Registry::start(stage.registry().await?, &Options::default()).await?;
        let registries = serde_json::json!({ "registries": [
            { "prefix": secure.host(), "ca": made.cert.pem() },
            { "prefix": open.host(), "plainHttp": true },
        ]});
        Ok(Self { secure, open, registries: serde_json::from_value(registries)? })
    }

    /// A client in an environment with these variables.
    fn client(&self, variables: &[(&str, &str)]) -> Client {
        let read = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Client::new(self.registries.clone(), Proxies::from_variables(read))
    }

    fn references(&self) -> Result<[Reference; 2]> {
        Ok([reference(&self.secure, "acme/driver:1")?, reference(&self.open, "acme/driver:1")?])
    }
}

async fn round(client: &Client, at: &Reference) -> Result<(), Error> {
    client.push(at, &component("one"), &Credentials::none(), SILENT).await?;
    let puller = Puller::new(client.clone(), None, LIMIT);
    let resolved = puller.resolve(at, &Credentials::none()).await?;
    puller.component(&resolved, &Credentials::none(), SILENT).await.map(drop)
}

/// What the fault of a round says that must fail at the proxy.
async fn barred(client: &Client, at: &Reference) -> Result<String> {
    match round(client, at).await {
        Err(Error::Registry { fault: Fault::Proxy(why), .. }) => Ok(why),
        other => bail!("{at}: {other:?}"),
    }
}

pub(super) async fn lead_to_registries_unless_these_are_excepted(stage: &Stage) -> Result<()> {
    if !HttpProxy::available("proxies::lead_to_registries_unless_these_are_excepted").await? {
        return Ok(());
    }
    let place = Place::new(stage).await?;
    let proxy = HttpProxy::start(http_proxy::Options::default()).await?;
    let url = format!("http://{}", proxy.host());
    let [secure, open] = place.references()?;
    let through = place.client(&[("HTTPS_PROXY", &url), ("HTTP_PROXY", &url)]);
    round(&through, &secure).await?;
    ensure!(proxy.tunnels() > 0, "there was no tunnel");
    let before = proxy.requests();
    round(&through, &open).await?;
    ensure!(proxy.requests() > before, "plain HTTP went past the proxy");

    let before = proxy.requests();
    let excepted = [("HTTPS_PROXY", &*url), ("HTTP_PROXY", &*url), ("NO_PROXY", "localhost,127.0.0.0/8")];
    let past = place.client(&excepted);
    round(&past, &secure).await?;
    round(&past, &open).await?;
    // The variable of the one scheme is not for the other.
    round(&place.client(&[("HTTPS_PROXY", &url)]), &open).await?;
    ensure!(proxy.requests() == before, "what is excepted went through the proxy");
    Ok(())
}

pub(super) async fn that_bar_the_way_are_told_from_registries(stage: &Stage) -> Result<()> {
    if !HttpProxy::available("proxies::that_bar_the_way_are_told_from_registries").await? {
        return Ok(());
    }
    let place = Place::new(stage).await?;
    let references = place.references()?;
    let both = |url: &str| place.client(&[("HTTPS_PROXY", url), ("HTTP_PROXY", url)]);
    let proxy = HttpProxy::start(http_proxy::Options { password: Some(PASSWORD), only: None }).await?;
    let (user, password) = PASSWORD;
    let host = proxy.host();
    for at in &references {
        round(&both(&format!("http://{user}:{password}@{host}")), at).await?;
        let why = barred(&both(&format!("http://{host}")), at).await?;
        ensure!(why.contains("407") || why.contains("authorization required"), "{why}");
    }
    // A tunnel that is refused is the proxy's doing; without one, its answer could be the registry's.
    let [secure, _] = &references;
    let why = barred(&both(&format!("http://{user}:wrong@{host}")), secure).await?;
    ensure!(why.contains("unsuccessful") && !why.contains("wrong"), "{why}");
    let url = format!("http://{}", proxy.host());
    proxy.stop().await?;
    for at in &references {
        let why = barred(&both(&url), at).await?;
        ensure!(why.contains("connection refused"), "{why}");
    }
    let strict = HttpProxy::start(http_proxy::Options { password: None, only: Some("ghcr.io") }).await?;
    let why = barred(&both(&format!("http://{}", strict.host())), secure).await?;
    ensure!(why.contains("unsuccessful"), "{why}");
    Ok(())
}
