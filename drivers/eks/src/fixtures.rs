//! What the tests of the operations share. The XML has the shape that moto 5.2.5 and botocore's model
//! give it. Compiled for tests only.

use crate::config::Config;
use kompox_driver_sdk::attributes::Attributes;
use kompox_driver_sdk::form::decode;
use kompox_driver_sdk::testing::Script;
use kompox_driver_sdk::types::{Intent, Target};

pub(crate) const VOLUME: &str = "vol-0a1b2c3d4e5f60718";
pub(crate) const OTHER: &str = "vol-0a1b2c3d4e5f60719";
pub(crate) const SNAPSHOT: &str = "snap-0a1b2c3d4e5f60718";
/// The tags of a volume of [`intent`].
pub(crate) const OURS: &[(&str, &str)] = &[
    ("kompox-disk-uid", "u1"),
    ("kompox.dev/name", "k4x-1"),
    ("Name", "k4x-1"),
    ("ebs.csi.aws.com/cluster", "true"),
];

pub(crate) fn config() -> Config {
    Config { region: "us-west-2".into(), ..Config::default() }
}

pub(crate) fn pairs(list: &[(&str, &str)]) -> Attributes {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn intent() -> Intent {
    Intent { name: "k4x-1".into(), token: "f".repeat(32), tags: pairs(&[("kompox-disk-uid", "u1")]) }
}

pub(crate) fn target(handle: &str) -> Target {
    Target { handle: handle.into(), name: Some("k4x-1".into()), tags: pairs(&[("kompox-disk-uid", "u1")]) }
}

fn tag_set(tags: &[(&str, &str)]) -> String {
    let items =
        tags.iter().map(|(key, value)| format!("<item><key>{key}</key><value>{value}</value></item>"));
    format!("<tagSet>{}</tagSet>", items.collect::<String>())
}

/// The members of a volume of 10 GiB, gp3.
pub(crate) fn volume_fields(id: &str, status: &str, tags: &[(&str, &str)], more: &str) -> String {
    format!(
        "<iops>3000</iops>{}<volumeType>gp3</volumeType><throughput>125</throughput><volumeId>{id}</volumeId>\
         <size>10</size><availabilityZone>us-west-2a</availabilityZone><status>{status}</status>\
         <createTime>2026-11-23T19:42:43.000Z</createTime>{more}<encrypted>false</encrypted>",
        tag_set(tags)
    )
}

/// An attachment of [`VOLUME`].
pub(crate) fn attachment() -> String {
    format!(
        "<attachmentSet><item><volumeId>{VOLUME}</volumeId><instanceId>i-1</instanceId><device>/dev/sdf</device>\
         <status>attached</status></item></attachmentSet>"
    )
}

/// The members of a snapshot of [`VOLUME`].
pub(crate) fn snapshot_fields(id: &str, status: &str, tags: &[(&str, &str)]) -> String {
    let progress = if status == "completed" { "100%" } else { "42%" };
    format!(
        "{}<storageTier>standard</storageTier><snapshotId>{id}</snapshotId><volumeId>{VOLUME}</volumeId>\
         <status>{status}</status><startTime>2026-11-23T19:42:44.000Z</startTime><progress>{progress}</progress>\
         <ownerId>123456789012</ownerId><description>d</description><volumeSize>10</volumeSize>\
         <encrypted>false</encrypted>",
        tag_set(tags)
    )
}

fn describe(action: &str, set: &str, items: &[String], next: &str) -> String {
    let items: String = items.iter().map(|item| format!("<item>{item}</item>")).collect();
    format!("<{action}Response><{set}>{items}</{set}>{next}<requestId>r</requestId></{action}Response>")
}

pub(crate) fn volumes(items: &[String]) -> String {
    describe("DescribeVolumes", "volumeSet", items, "")
}

pub(crate) fn volumes_page(items: &[String], next: &str) -> String {
    describe("DescribeVolumes", "volumeSet", items, &format!("<nextToken>{next}</nextToken>"))
}

pub(crate) fn snapshots(items: &[String]) -> String {
    describe("DescribeSnapshots", "snapshotSet", items, "")
}

pub(crate) fn answer(action: &str, content: &str) -> String {
    format!("<{action}Response>{content}<requestId>r</requestId></{action}Response>")
}

pub(crate) fn error(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>m</Message></Error></Errors>\
         <RequestID>r</RequestID></Response>"
    )
}

/// The actions that were asked, in order.
pub(crate) fn actions(script: &Script) -> Vec<String> {
    let action = |index: usize| form(script, index).into_iter().find(|(name, _)| name == "Action");
    (0..script.requests().len()).filter_map(action).map(|(_, action)| action).collect()
}

/// A request's form, sorted: the order of the parameters has no meaning to AWS.
pub(crate) fn form(script: &Script, index: usize) -> Attributes {
    let mut form = decode(std::str::from_utf8(&script.requests()[index].body).unwrap());
    form.sort();
    form
}

/// Compares a request with the parameters as they stand in the API reference.
#[track_caller]
pub(crate) fn assert_form(script: &Script, index: usize, action: &str, expected: &[(&str, &str)]) {
    let mut expected = pairs(expected);
    expected.extend(pairs(&[("Action", action), ("Version", "2016-11-15")]));
    expected.sort();
    assert_eq!(form(script, index), expected);
}
