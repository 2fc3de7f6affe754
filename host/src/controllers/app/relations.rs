//! Which apps a change of another object concerns. Only metadata is seen; nothing is read.

use super::externals::Externals;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, PersistentVolume, Secret};
use kompox_core::{app::references, naming};
use kompox_crds::{
    KompoxApp, KompoxDisk,
    names::labels::{APP, DISK},
};
use kube::{
    Resource, ResourceExt as _,
    core::{ObjectMeta, PartialObjectMeta},
    runtime::reflector::{ObjectRef, Store},
};

/// Selects what the operator makes.
pub(super) const MANAGED: &str = "app.kubernetes.io/managed-by=kompox";

type Apps = Vec<ObjectRef<KompoxApp>>;

/// Apps that refer to a ConfigMap, in their spec or in their Compose files.
pub(super) fn of_config_map(
    map: &PartialObjectMeta<ConfigMap>,
    store: &Store<KompoxApp>,
    externals: &Externals,
) -> Apps {
    let name = map.name_any();
    matching(&map.metadata, store, |app| {
        references(app).config_maps.contains(&name) || externals.name_config_map(app, &name)
    })
}

/// Apps that refer to a Secret, in their spec or in their Compose files, and the app for which it was made.
pub(super) fn of_secret(
    secret: &PartialObjectMeta<Secret>,
    store: &Store<KompoxApp>,
    externals: &Externals,
) -> Apps {
    let name = secret.name_any();
    let mut apps = of_labelled(secret, store);
    apps.extend(matching(&secret.metadata, store, |app| {
        references(app).secrets.contains(&name) || externals.name_secret(app, &name)
    }));
    apps
}

/// All apps of a namespace: what it lets pods do may have changed.
pub(super) fn of_namespace(namespace: &PartialObjectMeta<Namespace>, store: &Store<KompoxApp>) -> Apps {
    let place = ObjectMeta { namespace: Some(namespace.name_any()), ..ObjectMeta::default() };
    matching(&place, store, |_| true)
}

/// Apps that mount a disk, or live on it.
pub(super) fn of_disk(disk: &PartialObjectMeta<KompoxDisk>, store: &Store<KompoxApp>) -> Apps {
    users_of_disk(&disk.metadata, &disk.name_any(), store)
}

/// Apps that use the disk of a volume; the volume names it in an annotation.
pub(super) fn of_volume(volume: &PartialObjectMeta<PersistentVolume>, store: &Store<KompoxApp>) -> Apps {
    let Some((namespace, disk)) = volume.annotations().get(DISK).and_then(|name| name.split_once('/')) else {
        return Apps::new();
    };
    let place = ObjectMeta { namespace: Some(namespace.to_owned()), ..ObjectMeta::default() };
    users_of_disk(&place, disk, store)
}

/// The app that an object's label names.
pub(super) fn of_labelled<K: Resource>(child: &PartialObjectMeta<K>, store: &Store<KompoxApp>) -> Apps {
    let Some(label) = child.metadata.labels.as_ref().and_then(|labels| labels.get(APP)) else {
        return Apps::new();
    };
    matching(&child.metadata, store, |app| naming::bounded(&app.name_any(), naming::MAX_LABEL) == *label)
}

fn users_of_disk(place: &ObjectMeta, disk: &str, store: &Store<KompoxApp>) -> Apps {
    matching(place, store, |app| {
        let lives_on = app.status.iter().flat_map(|status| &status.volumes);
        references(app).disks.contains(disk)
            || lives_on.filter_map(|volume| volume.disk.as_deref()).any(|name| name == disk)
    })
}

/// The apps of the object's namespace that fit.
fn matching(place: &ObjectMeta, store: &Store<KompoxApp>, fits: impl Fn(&KompoxApp) -> bool) -> Apps {
    store
        .state()
        .iter()
        .filter(|app| app.metadata.namespace == place.namespace && fits(app))
        .map(|app| ObjectRef::from_obj(&**app))
        .collect()
}
