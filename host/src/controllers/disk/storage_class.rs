//! The StorageClass that the volumes of a driver name.

use super::{DiskTurn, Shell};
use crate::turn::Interruption;
use kompox_core::disk;
use kompox_crds::names::field_managers;
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// StorageClasses that this process has applied already, by driver.
#[derive(Debug, Default)]
pub(super) struct Classes(Mutex<BTreeSet<String>>);

/// Applies the class of the disk's driver, once per process.
pub(super) async fn ensure(turn: &DiskTurn<'_>) -> Result<(), Interruption> {
    let Shell { context, classes, .. } = turn.shell;
    let provider = turn.observed.provider.clone().map_err(Interruption::Problem)?;
    if classes.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&provider.driver) {
        return Ok(());
    }
    let class = disk::storage_class(&provider.driver);
    context.writes.apply(&context.all(), &class, field_managers::DISK).await?;
    classes.0.lock().unwrap_or_else(PoisonError::into_inner).insert(provider.driver);
    Ok(())
}
