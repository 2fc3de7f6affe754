//! Tests of the driver's tags.

use super::{Kinship, check, filter_value, kinship, of_new, requests, visible};
use crate::config::{CSI_ADDON, CSI_AUTO_MODE, Config};
use kompox_driver_sdk::attributes::Attributes;
use kompox_driver_sdk::types::{ErrorCode, Intent, TagChange, Target};

fn pairs(list: &[(&str, &str)]) -> Attributes {
    list.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn intent() -> Intent {
    let tags = pairs(&[("kompox-managed", "true"), ("kompox-disk-uid", "u1")]);
    Intent { name: "k4x-1".into(), token: "f".repeat(32), tags }
}

fn config() -> Config {
    Config { region: "us-west-2".into(), cluster_name: Some("prod".into()), ..Config::default() }
}

#[test]
fn a_new_object_bears_both_kinds_of_tags_and_shows_the_hosts() {
    let tags = of_new(&intent(), &config(), CSI_ADDON).unwrap();
    let expected = [
        ("kompox-managed", "true"),
        ("kompox-disk-uid", "u1"),
        ("kompox.dev/name", "k4x-1"),
        ("Name", "k4x-1"),
        ("ebs.csi.aws.com/cluster", "true"),
        ("ebs.csi.aws.com/cluster-name", "prod"),
    ];
    assert_eq!(tags, pairs(&expected));
    assert_eq!(visible(&tags), pairs(&[("kompox-managed", "true"), ("kompox-disk-uid", "u1")]));
    let auto = of_new(&intent(), &config(), CSI_AUTO_MODE).unwrap();
    assert!(auto.ends_with(&pairs(&[
        ("kompox.dev/csi-driver", "ebs.csi.eks.amazonaws.com"),
        ("eks:eks-cluster-name", "prod")
    ])));
}

#[test]
fn a_name_that_someone_else_set_is_shown() {
    let tags = pairs(&[("kompox.dev/name", "k4x-1"), ("Name", "db"), ("aws:x", "y"), ("AWS:z", "y")]);
    assert_eq!(visible(&tags), pairs(&[("Name", "db")]));
    assert_eq!(visible(&pairs(&[("Name", "db")])), pairs(&[("Name", "db")]));
}

#[test]
fn a_target_must_match_in_name_and_tags() {
    let tags = of_new(&intent(), &config(), CSI_ADDON).unwrap();
    let target = |name: Option<&str>, tags: &[(&str, &str)]| Target {
        handle: "vol-1".into(),
        name: name.map(str::to_owned),
        tags: pairs(tags),
    };
    for (target, tags, reason) in [
        (target(None, &[]), &tags, None),
        (target(Some("k4x-1"), &[("kompox-disk-uid", "u1")]), &tags, None),
        (target(Some("k4x-2"), &[]), &tags, Some("NameMismatch")),
        (target(Some("k4x-1"), &[]), &Attributes::new(), Some("NameMismatch")),
        (target(None, &[("kompox-disk-uid", "u2")]), &tags, Some("TagMismatch")),
        (target(None, &[("kompox-app", "a")]), &tags, Some("TagMismatch")),
    ] {
        let error = check(&target, tags).err();
        assert_eq!(error.as_ref().map(|error| error.reason.as_str()), reason, "{target:?}");
        assert!(error.is_none_or(|error| error.code == ErrorCode::OwnerMismatch));
    }
}

#[test]
fn kinship_tells_missing_from_differing() {
    for (tags, expected) in [
        (vec![("kompox-managed", "true"), ("kompox-disk-uid", "u1"), ("x", "y")], Kinship::Same),
        (vec![("kompox-managed", "true")], Kinship::Incomplete),
        (vec![], Kinship::Incomplete),
        (vec![("kompox-disk-uid", "u2")], Kinship::Other),
    ] {
        assert_eq!(kinship(&intent(), &pairs(&tags)), expected, "{tags:?}");
    }
}

#[test]
fn only_real_changes_are_requested() {
    let tags = pairs(&[("a", "1"), ("b", "2")]);
    let change = |set: &[(&str, &str)], remove: &[&str]| TagChange {
        set: pairs(set),
        remove: remove.iter().map(|key| (*key).to_owned()).collect(),
    };
    let got = requests("vol-1", &tags, &change(&[("a", "1"), ("b", "3"), ("c", "4")], &["a", "z"])).unwrap();
    let encoded: Vec<_> = got.iter().map(|(action, form)| (*action, form.encode())).collect();
    let set = "ResourceId.1=vol-1&Tag.1.Key=b&Tag.1.Value=3&Tag.2.Key=c&Tag.2.Value=4".to_owned();
    let remove = "ResourceId.1=vol-1&Tag.1.Key=a".to_owned();
    assert_eq!(encoded, [("CreateTags", set), ("DeleteTags", remove)]);
    assert!(requests("vol-1", &tags, &change(&[("a", "1")], &["z"])).unwrap().is_empty());
    for (set, remove) in
        [(vec![("aws:x", "1")], vec![]), (vec![], vec!["kompox.dev/name"]), (vec![("", "1")], vec![])]
    {
        assert_eq!(requests("vol-1", &tags, &change(&set, &remove)).unwrap_err().reason, "InvalidTag");
    }
}

#[test]
fn wildcards_are_escaped() {
    assert_eq!(filter_value(r"a*b?c\d-e"), r"a\*b\?c\\d-e");
}
