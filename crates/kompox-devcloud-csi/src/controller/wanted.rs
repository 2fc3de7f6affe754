//! What a CreateVolume asks for, and whether a volume is that. Pure.

use crate::ZONE_KEY;
use crate::capability::usage;
use crate::proto::csi::{
    CapacityRange, CreateVolumeRequest, Topology, TopologyRequirement, VolumeContentSource,
    volume_content_source,
};
use crate::status::required;
use kompox_devcloud::api::{Account, Backing, NewVolume, Source, Tags, Volume};
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::fmt::Write as _;
use tonic::Status;

const MIB: u64 = 1 << 20;
/// devcloud's smallest volume.
const MIN_SIZE: u64 = 16 * MIB;
/// Size of a volume for which none is asked.
const DEFAULT_SIZE: u64 = 1 << 30;
/// StorageClass parameter: `image` or `directory`.
const BACKING: &str = "backing";
/// What the sidecars add with `--extra-create-metadata`; it becomes tags.
pub(super) const METADATA: &str = "csi.storage.k8s.io/";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    name: String,
    /// None: the source's.
    size: Option<u64>,
    limit: Option<u64>,
    /// Any of these, the first ones rather; all if empty.
    zones: Vec<String>,
    backing: Option<Backing>,
    source: Option<Source>,
    tags: Tags,
}

impl Wanted {
    pub(super) fn new(request: CreateVolumeRequest) -> Result<Self, Status> {
        let name = name(&request.name)?;
        if request.volume_capabilities.is_empty() {
            return Err(Status::invalid_argument("volume_capabilities are missing"));
        }
        request.volume_capabilities.iter().try_for_each(|wanted| usage(Some(wanted)).map(drop))?;
        if !request.mutable_parameters.is_empty() {
            return Err(Status::invalid_argument("mutable_parameters are not offered"));
        }
        let source = request.volume_content_source.map(source).transpose()?;
        let (size, limit) = sizes(request.capacity_range.as_ref(), source.is_some())?;
        let (backing, tags) = parameters(&request.parameters)?;
        let zones = request.accessibility_requirements.map(zones).transpose()?.unwrap_or_default();
        Ok(Self { name, size, limit, zones, backing, source, tags })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The request to the service: in the first zone that it has. The name is the token: CSI knows no other.
    pub(super) fn request(&self, account: &Account) -> Result<NewVolume, Status> {
        let zone = self.zones.iter().find(|zone| account.zones.contains(zone));
        if zone.is_none() && !self.zones.is_empty() {
            let (wanted, offered) = (self.zones.join(", "), account.zones.join(", "));
            return Err(Status::resource_exhausted(format!(
                "devcloud has the zones {offered}, not {wanted}"
            )));
        }
        Ok(NewVolume {
            name: self.name.clone(),
            client_token: self.name.clone(),
            size_bytes: self.size,
            zone: zone.cloned(),
            backing: self.backing,
            source: self.source.clone(),
            tags: self.tags.clone(),
        })
    }

    /// Whether a volume of this name is what is asked for, whatever was asked when it was made.
    pub(super) fn is(&self, volume: &Volume) -> bool {
        let size = volume.size_bytes;
        self.size.is_none_or(|least| least <= size)
            && self.limit.is_none_or(|most| size <= most)
            && (self.zones.is_empty() || self.zones.contains(&volume.zone))
            && self.backing.is_none_or(|backing| backing == volume.backing)
            && self.source == volume.source
    }
}

/// The service's name for a name of CSI, which may be any text: a digest where the service does not take it.
pub(super) fn name(text: &str) -> Result<String, Status> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if required("name", text)?.len() <= 128 && text.bytes().all(allowed) {
        return Ok(text.to_owned());
    }
    let mut name = String::from("csi-");
    for byte in Sha256::digest(text) {
        // Writing to a String cannot fail.
        let _ = write!(name, "{byte:02x}");
    }
    Ok(name)
}

/// The size to ask for, in whole MiB, and the largest one that is accepted.
pub(super) fn sizes(
    range: Option<&CapacityRange>,
    sourced: bool,
) -> Result<(Option<u64>, Option<u64>), Status> {
    let range = range.copied().unwrap_or_default();
    let positive = |field: &str, value: i64| match u64::try_from(value) {
        Ok(value) => Ok((value > 0).then_some(value)),
        Err(_) => Err(Status::invalid_argument(format!("{field} must not be negative"))),
    };
    let required = positive("required_bytes", range.required_bytes)?;
    let limit = positive("limit_bytes", range.limit_bytes)?;
    let size = match (required, limit) {
        (Some(required), _) => Some(required.max(MIN_SIZE).next_multiple_of(MIB)),
        (None, Some(_)) if sourced => {
            return Err(Status::out_of_range("limit_bytes with a source needs required_bytes too"));
        }
        (None, Some(limit)) => Some(DEFAULT_SIZE.min(limit - limit % MIB).max(MIN_SIZE)),
        (None, None) => (!sourced).then_some(DEFAULT_SIZE),
    };
    if let (Some(size), Some(limit)) = (size, limit)
        && size > limit
    {
        let text = format!("volumes have whole MiB, at least 16: {size} bytes is above the limit of {limit}");
        return Err(Status::out_of_range(text));
    }
    Ok((size, limit))
}

fn source(source: VolumeContentSource) -> Result<Source, Status> {
    let (field, source) = match source.r#type {
        Some(volume_content_source::Type::Snapshot(from)) => {
            ("snapshot_id", Source::Snapshot(from.snapshot_id))
        }
        Some(volume_content_source::Type::Volume(from)) => ("volume_id", Source::Volume(from.volume_id)),
        None => return Err(Status::invalid_argument("volume_content_source is empty")),
    };
    let (Source::Snapshot(id) | Source::Volume(id)) = &source;
    required(field, id)?;
    Ok(source)
}

/// The preferred zones, then the others, each once.
fn zones(requirement: TopologyRequirement) -> Result<Vec<String>, Status> {
    let mut zones: Vec<String> = Vec::new();
    for topology in requirement.preferred.into_iter().chain(requirement.requisite) {
        let zone = zone(topology)?;
        if !zones.contains(&zone) {
            zones.push(zone);
        }
    }
    Ok(zones)
}

/// The zone that a topology names.
pub(super) fn zone(mut topology: Topology) -> Result<String, Status> {
    topology.segments.remove(ZONE_KEY).ok_or_else(|| {
        Status::invalid_argument(format!(
            "the topology names no {ZONE_KEY}, by which devcloud's nodes are told apart"
        ))
    })
}

fn parameters(parameters: &HashMap<String, String>) -> Result<(Option<Backing>, Tags), Status> {
    let mut tags = Tags::new();
    let mut backing = None;
    for (key, value) in parameters {
        match (key.as_str(), value.as_str()) {
            (BACKING, "image") => backing = Some(Backing::Image),
            (BACKING, "directory") => backing = Some(Backing::Directory),
            (BACKING, _) => {
                return Err(Status::invalid_argument("the parameter backing is image or directory"));
            }
            (key, value) if key.starts_with(METADATA) => {
                tags.insert(key.to_owned(), value.to_owned());
            }
            (key, _) => {
                return Err(Status::invalid_argument(format!(
                    "the parameter {key} is unknown: there is only backing"
                )));
            }
        }
    }
    Ok((backing, tags))
}

#[cfg(test)]
mod tests;
