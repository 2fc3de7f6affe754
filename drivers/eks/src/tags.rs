//! The driver's own tags beside the host's, and the check of a target against both.
//!
//! The host's keys have no dots or slashes, so keys below a DNS name never meet them.

use crate::config::{CSI_AUTO_MODE, Config};
use crate::xml::Element;
use kompox_driver_sdk::attributes::{self, Attributes, get};
use kompox_driver_sdk::form::Form;
use kompox_driver_sdk::tags::TagRules;
use kompox_driver_sdk::types::{Error, ErrorCode, Intent, TagChange, Target};

/// Holds the intent's name; `find` by name filters by it.
pub(crate) const NAME_KEY: &str = "kompox.dev/name";
/// Remembers `options.csiDriver`, which EBS has no field for.
pub(crate) const CSI_KEY: &str = "kompox.dev/csi-driver";
/// What the AWS console shows as the name.
const CONSOLE_KEY: &str = "Name";
/// The managed policies of the EBS CSI driver let it attach, grow and delete only what bears this tag:
/// <https://github.com/kubernetes-sigs/aws-ebs-csi-driver/blob/master/docs/install.md>.
const CSI_CLUSTER_KEY: &str = "ebs.csi.aws.com/cluster";
const CSI_CLUSTER_NAME_KEY: &str = "ebs.csi.aws.com/cluster-name";
/// The same for the CSI driver of EKS Auto Mode, after `AmazonEKSBlockStoragePolicy`.
const AUTO_MODE_KEY: &str = "eks:eks-cluster-name";

/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>
const RULES: TagRules = TagRules {
    key_length: 128,
    value_length: 256,
    key_allows: |_| true,
    value_allows: |_| true,
    escape: None,
    reserved: &["aws:", "kompox.dev/", "ebs.csi.aws.com/", "eks:"],
};

/// All tags of a new object: the host's, and the driver's own.
pub(crate) fn of_new(intent: &Intent, config: &Config, csi_driver: &str) -> Result<Attributes, Error> {
    let mut tags = Attributes::new();
    for (key, value) in &intent.tags {
        tags.push(RULES.encode(key, value)?);
    }
    tags.push((NAME_KEY.into(), intent.name.clone()));
    if get(&tags, CONSOLE_KEY).is_none() {
        tags.push((CONSOLE_KEY.into(), intent.name.clone()));
    }
    tags.push((CSI_CLUSTER_KEY.into(), "true".into()));
    if let Some(cluster) = &config.cluster_name {
        tags.push((CSI_CLUSTER_NAME_KEY.into(), cluster.clone()));
    }
    if csi_driver == CSI_AUTO_MODE {
        tags.push((CSI_KEY.into(), csi_driver.into()));
        tags.extend(config.cluster_name.iter().map(|cluster| (AUTO_MODE_KEY.into(), cluster.clone())));
    }
    Ok(tags)
}

/// Adds `tags` as the one tag specification of a create request.
pub(crate) fn specify(mut form: Form, resource_type: &str, tags: &[(String, String)]) -> Form {
    form.push("TagSpecification.1.ResourceType", resource_type);
    for (index, (key, value)) in (1..).zip(tags) {
        form.push(format!("TagSpecification.1.Tag.{index}.Key"), key.as_str());
        form.push(format!("TagSpecification.1.Tag.{index}.Value"), value.as_str());
    }
    form
}

/// All tags of an answer's element.
pub(crate) fn read(element: &Element) -> Attributes {
    element
        .items("tagSet")
        .map(|item| (item.raw_text("key").to_owned(), item.raw_text("value").to_owned()))
        .collect()
}

/// The intent's name.
pub(crate) fn name(tags: &[(String, String)]) -> Option<&str> {
    get(tags, NAME_KEY)
}

/// What the host sees: all but the driver's and AWS' own. `Name` is shown if someone else set it.
pub(crate) fn visible(tags: &[(String, String)]) -> Attributes {
    let own_name = name(tags);
    tags.iter()
        .filter(|(key, _)| !RULES.reserved.iter().any(|prefix| key.to_ascii_lowercase().starts_with(prefix)))
        .filter(|(key, value)| !(key == CONSOLE_KEY && Some(value.as_str()) == own_name))
        .map(|(key, value)| RULES.decode(key, value))
        .collect()
}

/// Checks that an object is the one that the host means.
pub(crate) fn check(target: &Target, tags: &[(String, String)]) -> Result<(), Error> {
    let found = name(tags);
    if let Some(wanted) = target.name.as_deref().filter(|wanted| found != Some(wanted)) {
        let message =
            format!("{} bears the name \"{}\", not \"{wanted}\"", target.handle, found.unwrap_or(""));
        return Err(Error::new(ErrorCode::OwnerMismatch, "NameMismatch", message).detail("field", "name"));
    }
    let visible = visible(tags);
    let differing = target.tags.iter().find(|(key, value)| get(&visible, key) != Some(value));
    let Some((key, value)) = differing else { return Ok(()) };
    let found = get(&visible, key).map_or_else(|| "no such tag".to_owned(), |found| format!("\"{found}\""));
    let message = format!("{} has for tag {key} {found}, not \"{value}\"", target.handle);
    Err(Error::new(ErrorCode::OwnerMismatch, "TagMismatch", message).detail("field", format!("tags.{key}")))
}

/// How an object that bears the intent's name is related to the intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinship {
    /// All tags of the intent are there.
    Same,
    /// None differs, but some are missing: it is completed.
    Incomplete,
    /// One differs: it belongs to somebody else.
    Other,
}

/// Compares the host's tags of an intent with those of an object.
pub(crate) fn kinship(intent: &Intent, tags: &[(String, String)]) -> Kinship {
    let visible = visible(tags);
    let differs = |(key, value): &(String, String)| get(&visible, key).is_some_and(|found| found != value);
    if intent.tags.iter().any(differs) {
        Kinship::Other
    } else if attributes::contains(&visible, &intent.tags) {
        Kinship::Same
    } else {
        Kinship::Incomplete
    }
}

/// The requests that make a change: what to set and which keys to remove, less what is so already.
pub(crate) fn requests(
    handle: &str,
    tags: &[(String, String)],
    change: &TagChange,
) -> Result<Vec<(&'static str, Form)>, Error> {
    let mut set = Form::new().with("ResourceId.1", handle);
    let mut count = 0;
    for (key, value) in &change.set {
        let (key, value) = RULES.encode(key, value)?;
        if get(tags, &key) != Some(value.as_str()) {
            count += 1;
            set.push(format!("Tag.{count}.Key"), key);
            set.push(format!("Tag.{count}.Value"), value);
        }
    }
    let mut remove = Form::new().with("ResourceId.1", handle);
    let mut gone = 0;
    for key in &change.remove {
        let (key, _) = RULES.encode(key, "")?;
        if get(tags, &key).is_some() {
            gone += 1;
            remove.push(format!("Tag.{gone}.Key"), key);
        }
    }
    let requests = [("CreateTags", set, count), ("DeleteTags", remove, gone)];
    Ok(requests
        .into_iter()
        .filter(|(_, _, count)| *count > 0)
        .map(|(action, form, _)| (action, form))
        .collect())
}

/// A value in a filter, in which `*`, `?` and `\` have a meaning.
pub(crate) fn filter_value(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, '*' | '?' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

#[cfg(test)]
mod tests;
