//! A volume as EC2 describes it, and its translation into the contract's values.

use crate::client::Client;
use crate::config::Config;
use crate::describe::VOLUMES;
use crate::tags;
use crate::xml::Element;
use kompox_driver_sdk::attributes::{Attributes, get};
use kompox_driver_sdk::disk::{Attachments, DiskInfo, DiskState, Source};
use kompox_driver_sdk::size::from_gib;
use kompox_driver_sdk::types::Error;

/// `Volume` of the EC2 API: <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Volume {
    /// `vol-…`
    pub(crate) id: String,
    /// creating, available, in-use, deleting, deleted, error.
    pub(crate) status: String,
    /// In GiB.
    pub(crate) size: u64,
    pub(crate) zone: Option<String>,
    pub(crate) sku: String,
    pub(crate) iops: Option<u64>,
    /// In MiB/s.
    pub(crate) throughput: Option<u64>,
    pub(crate) encrypted: bool,
    pub(crate) kms_key: Option<String>,
    snapshot: Option<String>,
    source_volume: Option<String>,
    /// Instances that hold it, also while attaching and detaching.
    pub(crate) instances: Vec<String>,
    pub(crate) tags: Attributes,
    created: Option<String>,
}

impl Volume {
    /// `None` if the element has no id.
    pub(crate) fn read(element: &Element) -> Option<Self> {
        let owned = |name: &str| element.text(name).map(str::to_owned);
        let holds = |item: &&Element| item.text("status") != Some("detached");
        let instances = element.items("attachmentSet").filter(holds);
        let holder = |item: &Element| {
            item.text("instanceId").or_else(|| item.text("associatedResource")).map(str::to_owned)
        };
        Some(Self {
            id: owned("volumeId")?,
            status: owned("status").unwrap_or_default(),
            size: element.number("size").unwrap_or_default(),
            zone: owned("availabilityZone"),
            sku: owned("volumeType").unwrap_or_default(),
            iops: element.number("iops"),
            throughput: element.number("throughput"),
            encrypted: element.text("encrypted") == Some("true"),
            kms_key: owned("kmsKeyId"),
            snapshot: owned("snapshotId"),
            source_volume: owned("sourceVolumeId"),
            instances: instances.map(|item| holder(item).unwrap_or_else(|| "unknown".into())).collect(),
            tags: tags::read(element),
            created: owned("createTime"),
        })
    }

    /// The volume of that id, if there is one.
    pub(crate) fn get(client: &mut Client<'_>, id: &str) -> Result<Option<Self>, Error> {
        Ok(VOLUMES.get(client, id)?.as_ref().and_then(Self::read).filter(|volume| volume.status != "deleted"))
    }

    /// Whether something holds it, by either of the two signs.
    pub(crate) fn is_attached(&self) -> bool {
        self.status == "in-use" || !self.instances.is_empty()
    }

    fn state(&self) -> DiskState {
        match self.status.as_str() {
            "creating" => DiskState::Creating,
            "available" | "in-use" => DiskState::Ready,
            "deleting" => DiskState::Deleting,
            "error" => DiskState::Failed,
            _ => DiskState::Unknown,
        }
    }

    fn attachments(&self) -> Attachments {
        if !self.is_attached() {
            return Attachments::Detached;
        }
        let zone = self.zone.as_deref().unwrap_or_default();
        let id = |instance: &String| {
            if instance.starts_with("i-") {
                format!("aws:///{zone}/{instance}")
            } else {
                format!("other:{instance}")
            }
        };
        let mut ids: Vec<String> = self.instances.iter().map(id).collect();
        if ids.is_empty() {
            ids.push("other:unknown".into());
        }
        Attachments::Attached(ids)
    }

    /// As the host sees it.
    pub(crate) fn into_info(self, config: &Config) -> DiskInfo {
        DiskInfo {
            name: tags::name(&self.tags).map(str::to_owned),
            state: self.state(),
            size_bytes: from_gib(self.size),
            attachments: self.attachments(),
            tags: tags::visible(&self.tags),
            message: (self.status == "error").then(|| FAILED_MESSAGE.to_owned()),
            attributes: self.attributes(config),
            source: source(self.snapshot, self.source_volume),
            handle: self.id,
            zone: self.zone,
            created_at: self.created,
            features: Vec::new(),
        }
    }

    fn attributes(&self, config: &Config) -> Attributes {
        let number = |value: Option<u64>| value.map(|value| value.to_string());
        let csi_driver = config.csi_driver(get(&self.tags, tags::CSI_KEY));
        let known = [
            ("providerState", Some(self.status.clone())),
            ("sku", Some(self.sku.clone())),
            ("iops", number(self.iops)),
            ("throughput", number(self.throughput)),
            ("encrypted", Some(self.encrypted.to_string())),
            ("kmsKey", self.kms_key.clone()),
            ("csiDriver", Some(csi_driver.to_owned())),
        ];
        let filled = known.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?)));
        filled.filter(|(_, value)| !value.is_empty()).collect()
    }
}

/// EC2 keeps no reason; a key that cannot be used is by far the most frequent one.
pub(crate) const FAILED_MESSAGE: &str =
    "EC2 could not make the volume; often the KMS key is disabled or may not be used";

/// AWS fills `snapshotId` with a snapshot of its own for copies, so the volume comes first.
fn source(snapshot: Option<String>, volume: Option<String>) -> Option<Source> {
    match (volume, snapshot) {
        (Some(volume), _) => Some(Source::Disk(volume)),
        (None, Some(snapshot)) => Some(Source::Snapshot(snapshot)),
        (None, None) => Some(Source::Empty),
    }
}

#[cfg(test)]
mod tests {
    use super::Volume;
    use crate::config::Config;
    use crate::xml::Element;
    use kompox_driver_sdk::attributes::get;
    use kompox_driver_sdk::disk::{Attachments, DiskState, Source};

    fn read(fields: &str) -> Volume {
        let text = format!("<item><volumeId>vol-1</volumeId><size>10</size>{fields}</item>");
        Volume::read(&Element::parse(text.as_bytes()).unwrap()).unwrap()
    }

    #[test]
    fn states_are_translated() {
        for (status, expected) in [
            ("creating", DiskState::Creating),
            ("available", DiskState::Ready),
            ("in-use", DiskState::Ready),
            ("deleting", DiskState::Deleting),
            ("error", DiskState::Failed),
            ("novel", DiskState::Unknown),
        ] {
            let info = read(&format!("<status>{status}</status>")).into_info(&Config::default());
            assert_eq!(info.state, expected, "{status}");
            assert_eq!(info.message.is_some(), status == "error");
        }
    }

    #[test]
    fn attaching_and_detaching_count_as_attached() {
        let zone = "<availabilityZone>us-west-2a</availabilityZone>";
        let item = |status: &str| {
            format!(
                "{zone}<attachmentSet><item><instanceId>i-1</instanceId><status>{status}</status></item></attachmentSet>"
            )
        };
        let node = || Attachments::Attached(vec!["aws:///us-west-2a/i-1".into()]);
        for (fields, expected) in [
            (zone.to_owned(), Attachments::Detached),
            (item("attaching"), node()),
            (item("attached"), node()),
            (item("detaching"), node()),
            (item("busy"), node()),
            (item("detached"), Attachments::Detached),
            (format!("{zone}<status>in-use</status>"), Attachments::Attached(vec!["other:unknown".into()])),
            (
                "<attachmentSet><item><associatedResource>arn:x</associatedResource></item></attachmentSet>"
                    .into(),
                Attachments::Attached(vec!["other:arn:x".into()]),
            ),
        ] {
            assert_eq!(read(&fields).into_info(&Config::default()).attachments, expected, "{fields}");
        }
    }

    #[test]
    fn sources_and_attributes_are_read() {
        let fields = "<snapshotId>snap-1</snapshotId><volumeType>gp3</volumeType><iops>3000</iops>\
            <throughput>125</throughput><encrypted>true</encrypted><kmsKeyId>arn:k</kmsKeyId><status>available</status>\
            <tagSet><item><key>kompox.dev/csi-driver</key><value>ebs.csi.eks.amazonaws.com</value></item></tagSet>";
        let info = read(fields).into_info(&Config::default());
        assert_eq!(info.source, Some(Source::Snapshot("snap-1".into())));
        for (key, value) in [
            ("sku", Some("gp3")),
            ("iops", Some("3000")),
            ("throughput", Some("125")),
            ("encrypted", Some("true")),
            ("kmsKey", Some("arn:k")),
            ("providerState", Some("available")),
            ("csiDriver", Some("ebs.csi.eks.amazonaws.com")),
            ("url", None),
        ] {
            assert_eq!(get(&info.attributes, key), value, "{key}");
        }
        let copy = read("<snapshotId>snap-1</snapshotId><sourceVolumeId>vol-0</sourceVolumeId>");
        assert_eq!(copy.into_info(&Config::default()).source, Some(Source::Disk("vol-0".into())));
        assert_eq!(read("<snapshotId/>").into_info(&Config::default()).source, Some(Source::Empty));
    }
}
