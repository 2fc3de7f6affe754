//! The node's only connection: a virtual cable to the host, and the routes at both ends.
//!
//! Nothing on it leads further: the node has no default route, and addresses of Services and pods that
//! do not exist end inside the node. With a default route, a Service's address that is not programmed
//! yet would leak to the host's gateway.

use super::{
    Error, NodeState,
    addresses::Addresses,
    machine::{run, system},
};
use crate::{control_plane::SERVICE_RANGE, process::ProcessId};
use sha2::{Digest as _, Sha256};
use std::path::Path;

/// Name of the node's end of the cable.
const NODE_END: &str = "eth0";
/// A bridge without ports, on which packets to Services end unless kube-proxy sends them elsewhere. It
/// must be a route that exists: the kernel looks one up before kube-proxy's rules see a packet.
const SERVICES: &str = "services";

/// Makes the cable of the first free number and gives the host its end. A directory gets the same
/// number again if that is free.
pub(super) async fn connect(first: &ProcessId, directory: &Path) -> Result<Addresses, Error> {
    for addresses in Addresses::from(preferred(directory)) {
        // The name is the claim: the kernel gives it to one only.
        if !create(first, addresses).await? {
            continue;
        }
        if is_free(addresses).await? {
            attach(addresses).await?;
            return Ok(addresses);
        }
        delete(&addresses.cable()).await;
    }
    Err(Error::NoAddresses)
}

/// Addresses and routes at the node's end.
pub(super) async fn configure(node: &NodeState, addresses: Addresses) -> Result<(), Error> {
    let (address, pods) = (format!("{}/30", addresses.node()), addresses.pod_range());
    let source = addresses.node().to_string();
    for arguments in [
        vec!["link", "set", "lo", "up"],
        vec!["address", "add", &address, "dev", NODE_END],
        vec!["link", "set", NODE_END, "up"],
        // Each pod has a route of its own, which is more specific.
        vec!["route", "add", "unreachable", &pods],
        vec!["link", "add", SERVICES, "type", "bridge"],
        vec!["link", "set", SERVICES, "up"],
        vec!["route", "add", SERVICE_RANGE, "dev", SERVICES, "src", &source],
    ] {
        let mut command = node.enter("ip")?;
        run("set up the node's network", command.args(arguments)).await?;
    }
    // The node is the router between its pods.
    let mut command = node.enter("sh")?;
    command.args(["-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
    run("let the node route between pods", &mut command).await.map(drop)
}

/// Removes a cable; the kernel does so too, a moment after the node has ended.
pub(super) async fn delete(cable: &str) {
    let _ = ip(&["link", "delete", cable]).await;
}

/// False if the name is taken.
async fn create(first: &ProcessId, addresses: Addresses) -> Result<bool, Error> {
    let (cable, pid) = (addresses.cable(), first.pid.to_string());
    let made = ip(&["link", "add", &cable, "type", "veth", "peer", "name", NODE_END, "netns", &pid]).await;
    match made {
        Ok(_) => Ok(true),
        Err(Error::Command { output, .. }) if output.contains("File exists") => Ok(false),
        Err(error) => Err(error),
    }
}

/// Whether no route but the default one leads to the addresses, or to a part of them.
async fn is_free(addresses: Addresses) -> Result<bool, Error> {
    for range in [addresses.cable_range(), addresses.pod_range()] {
        for which in ["match", "root"] {
            let routes = ip(&["-4", "route", "show", "table", "all", which, &range]).await?;
            if routes.lines().any(|route| !route.starts_with("default")) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

async fn attach(addresses: Addresses) -> Result<(), Error> {
    let (cable, address) = (addresses.cable(), format!("{}/30", addresses.host()));
    let (pods, node) = (addresses.pod_range(), addresses.node().to_string());
    ip(&["address", "add", &address, "dev", &cable]).await?;
    ip(&["link", "set", &cable, "up"]).await?;
    // So that programs of the host reach pods, as those of a cluster's other machines would.
    ip(&["route", "add", &pods, "via", &node, "dev", &cable]).await.map(drop)
}

async fn ip(arguments: &[&str]) -> Result<String, Error> {
    run("set up the host's end of the node's network", system("ip").args(arguments)).await
}

fn preferred(directory: &Path) -> u8 {
    let digest = Sha256::digest(directory.as_os_str().as_encoded_bytes());
    digest.first().copied().unwrap_or_default()
}
