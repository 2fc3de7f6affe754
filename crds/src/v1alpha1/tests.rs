//! Defaults: Rust's and the schema's agree, so that an object made here equals one the server filled.

use super::*;
use serde::de::DeserializeOwned;
use serde_json::json;
use std::fmt::Debug;

#[track_caller]
fn default_is_empty_object<T: Debug + Default + DeserializeOwned + PartialEq>() {
    let read: T = serde_json::from_value(json!({})).expect("every member is optional");
    assert_eq!(read, T::default());
}

#[test]
fn rust_and_schema_defaults_agree() {
    default_is_empty_object::<KompoxDiskSpec>();
    default_is_empty_object::<KompoxDiskStatus>();
    default_is_empty_object::<KompoxSnapshotSpec>();
    default_is_empty_object::<KompoxSnapshotStatus>();
    default_is_empty_object::<KompoxAppStatus>();
    default_is_empty_object::<KompoxDriverSpec>();
    default_is_empty_object::<KompoxDriverStatus>();
    default_is_empty_object::<ProviderSpec>();
    default_is_empty_object::<app::Deployment>();
    default_is_empty_object::<app::DiskSwitch>();
    default_is_empty_object::<app::Files>();
    default_is_empty_object::<app::Ingress>();
    default_is_empty_object::<app::InheritedMetadata>();
    default_is_empty_object::<app::NetworkPolicy>();
    default_is_empty_object::<disk::DiskSource>();
    default_is_empty_object::<driver::Grants>();
    default_is_empty_object::<driver::Limits>();
}

/// A parent's default must be its full default: the server fills `{}` up, offline evaluation does not.
#[test]
fn nested_defaults_are_full() {
    let app: KompoxAppSpec =
        serde_json::from_value(json!({ "compose": { "configMapRef": { "name": "c" } } })).expect("valid");
    let full = serde_json::to_value(app).expect("serializable");
    assert_eq!(
        full,
        json!({
            "compose": { "configMapRef": { "name": "c", "key": "compose.yml" }, "serviceNames": "Reject" },
            "diskSwitch": {
                "drainTimeoutSeconds": 600, "onDrainTimeout": "Wait", "previousDisk": "Keep", "snapshotBefore": "Never"
            },
            "ingress": { "mode": "Ingress" },
            "deployment": { "podLayout": "PerService" },
            "networkPolicy": { "mode": "Isolated" },
            "replicas": 1,
        })
    );
}

/// The founding decision's samples: their `status` is decoded too, so its members may never be renamed.
#[test]
fn the_sample_objects_deserialize_unmodified() {
    let disk: KompoxDisk =
        serde_saphyr::from_str(include_str!("../../tests/cel/adr/kompoxdisk.yaml")).expect("valid");
    assert_eq!(disk.spec.size.expect("given").0, "10Gi");
    assert_eq!(disk.spec.zone.as_deref(), Some("1"));
    let status = disk.status.expect("given");
    assert_eq!((status.handle.as_deref(), status.pv_name.as_deref()), (Some(""), Some("")));
    assert!(status.unknown.is_empty(), "{:?}", status.unknown);

    let snapshot: KompoxSnapshot =
        serde_saphyr::from_str(include_str!("../../tests/cel/adr/kompoxsnapshot.yaml")).expect("valid");
    assert_eq!(snapshot.spec.disk_ref, Some(LocalRef::to("default")));
    assert_eq!(snapshot.status.expect("given").snapshot_handle.as_deref(), Some(""));

    let app: KompoxApp =
        serde_saphyr::from_str(include_str!("../../tests/cel/adr/kompoxapp.yaml")).expect("valid");
    assert_eq!(app.spec.compose.config_map_ref.key, "compose.yml");
    assert_eq!(app.spec.ingress.class_name.as_deref(), Some("traefik"));
    assert_eq!(app.spec.ingress.rules[0].hosts, ["gitea.example.com"]);
    assert_eq!(app.spec.volumes[0].disk_ref, Some(LocalRef::to("default")));
    assert!(app.status.expect("given").unknown.is_empty());
}

#[test]
fn options_compare_as_strings() {
    let options: Options = serde_json::from_value(json!({ "iops": 3000, "sku": "gp3" })).expect("valid");
    let quoted: Options = serde_json::from_value(json!({ "iops": "3000", "sku": "gp3" })).expect("valid");
    assert_eq!(options_to_strings(&options), options_to_strings(&quoted));
    assert_eq!(options_to_strings(&options)["iops"], "3000");
}

#[test]
fn unknown_status_members_survive_a_round_trip() {
    let text = json!({ "handle": "h", "fromTheFuture": { "a": [1, 2] } });
    let disk: KompoxDiskStatus = serde_json::from_value(text.clone()).expect("valid");
    assert_eq!(serde_json::to_value(disk).expect("serializable"), text);
    let text = json!({ "urls": ["https://a"], "fromTheFuture": true });
    let app: KompoxAppStatus = serde_json::from_value(text.clone()).expect("valid");
    assert_eq!(serde_json::to_value(app).expect("serializable"), text);
}

#[test]
fn only_auto_is_auto() {
    assert!(ProviderSpec::default().is_auto());
    assert!(!ProviderSpec { type_: "eks".to_owned(), ..ProviderSpec::default() }.is_auto());
}
