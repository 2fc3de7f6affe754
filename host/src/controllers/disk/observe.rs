//! Reads the one fact that a decision asked for.

use super::{DiskTurn, Shell, dereference};
use crate::{providers::Resolved, reads, search, turn::Interruption};
use k8s_openapi::{
    api::{
        core::v1::{Namespace, PersistentVolume, PersistentVolumeClaim},
        storage::v1::VolumeAttachment,
    },
    apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kompox_core::{
    cloud::Problem,
    disk::{Read, Surroundings, volume_name},
    driver::{DriverError, Query},
};
use kompox_crds::v1alpha1::KompoxDisk;
use kube::{CustomResourceExt as _, ResourceExt as _, api::ListParams, runtime::reflector::ObjectRef};

/// Reads `read` into what the turn observed.
pub(super) async fn read(turn: &mut DiskTurn<'_>, read: Read) -> Result<(), Interruption> {
    match read {
        Read::Surroundings => around(turn).await,
        Read::PersistentVolume(name) => persistent_volume(turn, &name).await,
        Read::Rival(handle) => {
            turn.observed.rival = Some(dereference::rival(turn.shell, &turn.observed.disk, &handle));
            Ok(())
        }
        Read::Holder { driver, handle } => {
            let found = dereference::holder(turn.shell, &turn.observed.disk, &driver, &handle);
            turn.observed.holder = Some(found);
            Ok(())
        }
        cloud => ask(turn, cloud).await,
    }
}

/// Asks the driver.
async fn ask(turn: &mut DiskTurn<'_>, read: Read) -> Result<(), Interruption> {
    let resolved = turn.resolved.clone().map_err(Interruption::Problem)?;
    let Resolved { driver, call, .. } = &resolved;
    let failed = |doing: &'static str| {
        move |error: DriverError| Interruption::Problem(Problem::of_driver(&error, doing))
    };
    let find = |query: Query| {
        let resolved = &resolved;
        async move { search::disks(resolved, &query).await.map_err(failed("find the disk")) }
    };
    let observed = &mut turn.observed;
    match read {
        Read::Account => {
            observed.account = Some(driver.get_account(call).await.map_err(failed("ask for the account"))?);
        }
        Read::EvidenceAccount => {
            observed.evidence.account =
                Some(driver.get_account(call).await.map_err(failed("ask for the account"))?);
        }
        Read::Plan(request) => {
            observed.plan = Some(driver.plan(call, &request).await.map_err(failed("plan the disk"))?);
        }
        Read::Volume(request) => {
            observed.volume =
                Some(driver.volume_for(call, &request).await.map_err(failed("describe the volume"))?);
        }
        Read::ByName(name) => {
            observed.looks.by_name = Some(find(Query { name: Some(name), ..Query::default() }).await?);
        }
        Read::ByTags => {
            let tags = observed.owner().tags();
            observed.looks.by_tags = Some(find(Query { tags, ..Query::default() }).await?);
        }
        Read::ByHandle(handle) => {
            observed.by_handle = Some(find(Query { handles: vec![handle], ..Query::default() }).await?);
        }
        Read::Evidence(handle) => {
            let sighting = find(Query { handles: vec![handle], ..Query::default() }).await?;
            observed.evidence.looks.push(sighting);
        }
        Read::Surroundings | Read::PersistentVolume(_) | Read::Rival(_) | Read::Holder { .. } => {}
    }
    Ok(())
}

/// From the cache while nothing is destroyed: a volume that it misses is found when it is created again.
async fn persistent_volume(turn: &mut DiskTurn<'_>, name: &str) -> Result<(), Interruption> {
    let deleting = turn.observed.disk.metadata.deletion_timestamp.is_some();
    let volume = match deleting {
        true => reads::find(&turn.shell.context.all::<PersistentVolume>(), name).await?,
        false => turn.shell.volumes.get(&ObjectRef::new(name)).map(|volume| (*volume).clone()),
    };
    turn.observed.persistent_volume = Some(volume);
    Ok(())
}

/// The last look before something is destroyed: everything live, the disk itself first.
async fn around(turn: &mut DiskTurn<'_>) -> Result<(), Interruption> {
    let shell = turn.shell;
    let (namespace, name) =
        (turn.observed.disk.namespace().unwrap_or_default(), turn.observed.disk.name_any());
    let live = reads::find(&shell.context.namespaced::<KompoxDisk>(&namespace), &name).await?;
    match live {
        Some(live) if live.uid() == turn.observed.disk.uid() => turn.observed.disk = live,
        _ => return Err(Interruption::Gone),
    }
    let namespace = reads::find(&shell.context.all::<Namespace>(), &namespace).await?;
    let definition =
        reads::find(&shell.context.all::<CustomResourceDefinition>(), KompoxDisk::crd_name()).await?;
    let uid = turn.observed.disk.uid().unwrap_or_default();
    turn.observed.surroundings = Some(Surroundings {
        namespace_terminating: reads::is_going(namespace.as_ref()),
        definition_terminating: reads::is_going(definition.as_ref()),
        claimed_by: claimed_by(shell, &volume_name(&uid)).await?,
        attached_to: attached_to(shell, &volume_name(&uid)).await?,
    });
    Ok(())
}

/// The claim that holds the volume, if it still exists under the uid that the volume names.
async fn claimed_by(shell: &Shell, volume: &str) -> Result<Option<String>, reads::Error> {
    let volume = reads::find(&shell.context.all::<PersistentVolume>(), volume).await?;
    let claim = volume.and_then(|volume| volume.spec?.claim_ref);
    let Some((claim, name)) = claim.and_then(|claim| claim.name.clone().map(|name| (claim, name))) else {
        return Ok(None);
    };
    let namespace = claim.namespace.unwrap_or_default();
    let found = reads::find(&shell.context.namespaced::<PersistentVolumeClaim>(&namespace), &name).await?;
    Ok(found.filter(|found| found.uid() == claim.uid).map(|_| format!("{namespace}/{name}")))
}

/// Nodes to which the cluster has the volume attached, or is about to.
async fn attached_to(shell: &Shell, volume: &str) -> Result<Vec<String>, reads::Error> {
    let all = reads::list(&shell.context.all::<VolumeAttachment>(), &ListParams::default()).await?;
    let of_volume =
        all.into_iter().filter(|a| a.spec.source.persistent_volume_name.as_deref() == Some(volume));
    Ok(of_volume.map(|attachment| attachment.spec.node_name).collect())
}
