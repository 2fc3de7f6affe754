//! Which nodes a development cluster gets: the options, and the choice between a real node and simulated ones.

use clap::{Args, ValueEnum};
use kompox_devcluster::kubelet::{CsiDriverSpec, NodeSpec};
use kompox_devcluster::{RealNode, Storage, node};

use crate::dev::{disks, supervisor::Nodes};
use crate::failure::Failure;

/// Most nodes that can be simulated.
const MOST_NODES: u32 = 254;
/// Simulated nodes without devcloud look like ones of AWS, for whoever works on that driver.
const AWS_ZONES: [&str; 3] = ["us-west-2a", "us-west-2b", "us-west-2c"];
/// A cluster with devcloud is nobody's but the developer's.
const DEVELOPMENT_ZONES: [&str; 3] = ["dev-a", "dev-b", "dev-c"];

/// How pods are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum Engine {
    /// Real where this machine can, simulated otherwise
    #[default]
    Auto,
    /// One node with containerd and a kubelet, in namespaces of its own
    Real,
    /// No containers run
    Simulated,
}

/// The nodes.
#[derive(Clone, Debug, Args)]
pub(super) struct NodeArguments {
    /// How pods are run
    #[arg(long, value_enum, default_value_t, value_name = "ENGINE")]
    node: Engine,
    /// Number of nodes; with a real one, the others are simulated and tainted [default: 1 real or 3 simulated]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=i64::from(MOST_NODES)))]
    nodes: Option<u32>,
    /// Zones, over which the nodes are spread in turn [default: dev-a,dev-b,dev-c; for simulated nodes without
    /// disks us-west-2a,us-west-2b,us-west-2c]
    #[arg(long, value_delimiter = ',', value_name = "ZONE,…")]
    zones: Vec<String>,
    /// Let the real node fetch images through this machine; without, only those that were loaded can run
    #[arg(long)]
    pull: bool,
    /// Leave out devcloud, the block storage for development; simulated nodes then look like ones of AWS, with a
    /// simulated CSI driver of EBS
    #[arg(long)]
    without_disks: bool,
}

/// The outcome of the choice.
#[derive(Debug)]
pub(super) struct Choice {
    /// The nodes to start.
    pub(super) nodes: Nodes,
    /// Which engine it is and why, in one line.
    pub(super) reason: String,
    /// Options that lead to the same choice again, whatever changes meanwhile.
    pub(super) arguments: Vec<String>,
}

impl NodeArguments {
    /// Decides; looks at this machine unless the nodes are to be simulated.
    ///
    /// # Errors
    /// When a zone is no zone, or there is to be a real node and there cannot be one.
    pub(super) async fn choose(&self) -> Result<Choice, Failure> {
        let invalid = |zone: &&String| !crate::naming::is_label(zone, 63);
        if let Some(zone) = self.zones.iter().find(invalid) {
            let message = format!("'{zone}' must be a zone such as us-west-2a");
            return Err(Failure::Option { option: "zones", message });
        }
        if self.node == Engine::Simulated {
            return Ok(self.simulated("simulated nodes, as asked: no containers run".into()));
        }
        match (node::requirements().await, self.node) {
            (Ok(()), _) => Ok(self.real()),
            (Err(missing), Engine::Real) => Err(Failure::Dev(missing.to_string())),
            (Err(missing), _) => Ok(self.simulated(format!("simulated nodes, no containers run: {missing}"))),
        }
    }

    fn real(&self) -> Choice {
        let zones = self.zones_or(&DEVELOPMENT_ZONES);
        let count = self.nodes.unwrap_or(1);
        let mut specifications = spread(count, &zones, "dev");
        let first = specifications.remove(0);
        let mut real = RealNode::new("real-1", first.region, first.zone);
        real.pull = self.pull;
        let reason = match count {
            1 => "a real node: containers run".to_owned(),
            _ => format!("a real node: containers run; {} simulated beside it", count - 1),
        };
        let (storage, of_disks) = self.storage();
        let nodes = Nodes { real: Some(real), simulated: specifications, csi_drivers: Vec::new(), storage };
        Choice { nodes, reason: reason + of_disks, arguments: self.again("real", count, &zones) }
    }

    /// Disks, and what to say of them.
    fn storage(&self) -> (Option<Storage>, &'static str) {
        if self.without_disks {
            return (None, "; no disks, as asked");
        }
        if disks::component().is_none() {
            let how = "; no disks: example-drivers/devcloud.wasm is not beside this program (`cargo xtask drivers`)";
            return (None, how);
        }
        (Some(Storage::default()), "; disks of devcloud, for development only")
    }

    fn simulated(&self, reason: String) -> Choice {
        let (storage, of_disks) = self.storage();
        let count = self.nodes.unwrap_or(3);
        let (zones, region, csi_drivers) = match storage {
            Some(_) => (self.zones_or(&DEVELOPMENT_ZONES), "dev", Vec::new()),
            None => (self.zones_or(&AWS_ZONES), "", vec![CsiDriverSpec::aws_ebs()]),
        };
        let mut simulated = spread(count, &zones, region);
        if storage.is_none() {
            for (number, node) in (1..).zip(&mut simulated) {
                // As the AWS cloud provider sets them.
                node.provider_id = format!("aws:///{}/i-{number:017x}", node.zone);
            }
        }
        let nodes = Nodes { real: None, simulated, csi_drivers, storage };
        Choice { nodes, reason: reason + of_disks, arguments: self.again("simulated", count, &zones) }
    }

    fn zones_or(&self, default: &[&str]) -> Vec<String> {
        if self.zones.is_empty() {
            default.iter().map(ToString::to_string).collect()
        } else {
            self.zones.clone()
        }
    }

    fn again(&self, engine: &str, count: u32, zones: &[String]) -> Vec<String> {
        let mut arguments: Vec<String> =
            ["--node", engine, "--nodes", &count.to_string(), "--zones", &zones.join(",")]
                .map(str::to_owned)
                .into();
        arguments.extend(self.pull.then(|| "--pull".to_owned()));
        arguments.extend(self.without_disks.then(|| "--without-disks".to_owned()));
        arguments
    }
}

/// Nodes `node-1` and so on. AWS' zones are their region and a letter; others belong to `region`, or to one of
/// their own name.
fn spread(count: u32, zones: &[String], region: &str) -> Vec<NodeSpec> {
    let node = |(number, zone): (u32, &String)| {
        let base = zone.trim_end_matches(|c: char| c.is_ascii_lowercase());
        let region = match (region, base.ends_with(|c: char| c.is_ascii_digit())) {
            ("", true) => base,
            ("", false) => zone,
            (region, _) => region,
        };
        NodeSpec::new(format!("node-{number}"), region, zone)
    };
    (1..=count).zip(zones.iter().cycle()).map(node).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arguments(node: Engine, nodes: Option<u32>, zones: &[&str]) -> NodeArguments {
        let zones = zones.iter().map(ToString::to_string).collect();
        NodeArguments { node, nodes, zones, pull: false, without_disks: true }
    }

    #[test]
    fn simulated_nodes_are_spread_over_the_zones() {
        let nodes =
            arguments(Engine::Simulated, Some(3), &["us-west-2a", "us-west-2b"]).simulated(String::new());
        let nodes = nodes.nodes.simulated;
        let zones: Vec<_> = nodes.iter().map(|node| (node.region.as_str(), node.zone.as_str())).collect();
        assert_eq!(
            zones,
            [("us-west-2", "us-west-2a"), ("us-west-2", "us-west-2b"), ("us-west-2", "us-west-2a")]
        );
        assert_eq!(nodes[2].provider_id, "aws:///us-west-2a/i-00000000000000003");
        assert_eq!(spread(1, &["lab".to_owned()], "")[0].region, "lab");
    }

    #[test]
    fn a_real_node_comes_first_and_the_others_are_simulated_beside_it() {
        let choice = arguments(Engine::Real, Some(3), &[]).real();
        let real = choice.nodes.real.unwrap();
        assert_eq!(
            (real.name.as_str(), real.region.as_str(), real.zone.as_str()),
            ("real-1", "dev", "dev-a")
        );
        let names: Vec<_> = choice.nodes.simulated.iter().map(|node| (&*node.name, &*node.zone)).collect();
        assert_eq!(names, [("node-2", "dev-b"), ("node-3", "dev-c")]);
        assert_eq!(
            choice.arguments,
            ["--node", "real", "--nodes", "3", "--zones", "dev-a,dev-b,dev-c", "--without-disks"]
        );
        assert_eq!(arguments(Engine::Real, None, &[]).real().nodes.simulated, []);
    }

    #[tokio::test]
    async fn a_zone_is_a_label() {
        assert!(arguments(Engine::Simulated, None, &["A B"]).choose().await.is_err());
    }
}
