//! The kubelet's side of the registration.

use crate::support::{NODE, Setup, ZONE, channel};
use anyhow::{Context as _, Result};
use kompox_devcloud_csi::proto::csi::{
    GetPluginInfoRequest, NodeGetInfoRequest, ProbeRequest, identity_client::IdentityClient,
    node_client::NodeClient,
};
use kompox_devcloud_csi::proto::registration::{
    InfoRequest, RegistrationStatus, registration_client::RegistrationClient,
};
use kompox_devcloud_csi::{DRIVER, ZONE_KEY};

#[tokio::test]
async fn the_kubelet_finds_the_driver_in_its_registry_and_asks_it_who_it_is() -> Result<()> {
    let mut setup = Setup::start().await?;
    // A second start, as after a kill: the kubelet finds a new socket under the same name.
    setup.kill_driver()?;
    setup.start_driver().await?;
    let registry = setup.path("kubelet/plugins_registry").join("kubelet@devcloud.csi.kompox.dev-reg.sock");
    let mut registration = RegistrationClient::new(channel(&registry).await?);
    let info = registration.get_info(InfoRequest {}).await?.into_inner();
    assert_eq!((info.r#type.as_str(), info.name.as_str()), ("CSIPlugin", DRIVER));
    assert_eq!(info.supported_versions, ["1.0.0"]);
    registration
        .notify_registration_status(RegistrationStatus { plugin_registered: true, error: String::new() })
        .await?;

    let driver = channel(info.endpoint.as_ref()).await?;
    let mut identity = IdentityClient::new(driver.clone());
    assert_eq!(identity.get_plugin_info(GetPluginInfoRequest {}).await?.into_inner().name, DRIVER);
    assert_eq!(identity.probe(ProbeRequest {}).await?.into_inner().ready, Some(true));
    let node = NodeClient::new(driver).node_get_info(NodeGetInfoRequest {}).await?.into_inner();
    assert_eq!(node.node_id, format!("{ZONE}/{NODE}"));
    let zone = node.accessible_topology.context("no topology")?;
    assert_eq!(zone.segments.get(ZONE_KEY).map(String::as_str), Some(ZONE));
    Ok(())
}

#[tokio::test]
async fn without_its_service_the_driver_is_not_ready() -> Result<()> {
    let mut setup = Setup::start().await?;
    let mut identity = IdentityClient::new(setup.channel().await?);
    setup.stop_service().await;
    assert_eq!(identity.probe(ProbeRequest {}).await?.into_inner().ready, Some(false));
    Ok(())
}
