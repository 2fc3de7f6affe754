//! Reads the one fact that a decision asked for.

use super::SnapshotTurn;
use crate::{providers::Resolved, reads, search, turn::Interruption};
use k8s_openapi::{
    api::core::v1::Namespace, apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition,
};
use kompox_core::{
    cloud::Problem,
    driver::{DriverError, Query},
    snapshot::Read,
};
use kompox_crds::v1alpha1::KompoxSnapshot;
use kube::{CustomResourceExt as _, ResourceExt as _};

/// Reads `read` into what the turn observed.
pub(super) async fn read(turn: &mut SnapshotTurn<'_>, read: Read) -> Result<(), Interruption> {
    if read == Read::Surroundings {
        return around(turn).await;
    }
    let resolved = turn.resolved.clone().map_err(Interruption::Problem)?;
    let Resolved { driver, call, .. } = &resolved;
    let failed = |doing: &'static str| {
        move |error: DriverError| Interruption::Problem(Problem::of_driver(&error, doing))
    };
    let find = |query: Query| {
        let resolved = &resolved;
        async move { search::snapshots(resolved, &query).await.map_err(failed("find the snapshot")) }
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
        Read::Surroundings => {}
    }
    Ok(())
}

/// The last look before something is destroyed: everything live, the snapshot itself first.
async fn around(turn: &mut SnapshotTurn<'_>) -> Result<(), Interruption> {
    let context = &turn.shell.context;
    let snapshot = &turn.observed.snapshot;
    let (namespace, name) = (snapshot.namespace().unwrap_or_default(), snapshot.name_any());
    let live = reads::find(&context.namespaced::<KompoxSnapshot>(&namespace), &name).await?;
    let Some(live) = live.filter(|live| live.uid() == snapshot.uid()) else { return Err(Interruption::Gone) };
    let namespace = reads::find(&context.all::<Namespace>(), &namespace).await?;
    let definition =
        reads::find(&context.all::<CustomResourceDefinition>(), KompoxSnapshot::crd_name()).await?;
    turn.observed.snapshot = live;
    turn.observed.deletion_is_collateral =
        Some(reads::is_going(namespace.as_ref()) || reads::is_going(definition.as_ref()));
    Ok(())
}
