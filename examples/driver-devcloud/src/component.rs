//! The exports of the component. A fresh instance serves each call: nothing is kept from one to the next.

use crate::client::Client;
use crate::config::Config;
use crate::{account, detect, disk, modify, plan, snapshot};
use kompox_driver_sdk::http::WasiTransport;
use kompox_driver_sdk::types::{Error, Finding, Intent, Outcome, Query, TagChange, Target};
use kompox_driver_sdk::{call, disk as disks, disk_modify, identity, snapshot as snapshots};

struct Component;

/// The configuration of the call.
fn config() -> Result<Config, Error> {
    Config::read(&call::context().config)
}

/// Runs an operation with a client for the configured service.
fn with<T>(run: impl FnOnce(&mut Client<'_>) -> Result<T, Error>) -> Result<T, Error> {
    run(&mut Client::new(&mut WasiTransport, &config()?))
}

impl identity::Guest for Component {
    fn describe() -> String {
        crate::DESCRIPTOR.to_owned()
    }

    fn detect(facts: identity::Facts) -> Vec<identity::Detection> {
        detect::detect(&facts)
    }

    fn validate_config(online: bool) -> Result<Vec<Finding>, Error> {
        if online { with(account::validate) } else { config().map(|_| Vec::new()) }
    }

    fn get_account() -> Result<identity::Account, Error> {
        with(account::get)
    }
}

impl disks::Guest for Component {
    fn plan(request: disks::DiskRequest) -> Result<disks::DiskPlan, Error> {
        Ok(plan::plan(&config()?, &request))
    }

    fn create(intent: Intent, request: disks::DiskRequest, resume: Option<String>) -> Result<Outcome, Error> {
        with(|client| disk::create(client, &intent, &request, resume.as_deref()))
    }

    fn find(query: Query, page: Option<String>) -> Result<disks::DiskPage, Error> {
        with(|client| disk::find(client, &query, page.as_deref()))
    }

    fn set_tags(target: Target, change: TagChange) -> Result<(), Error> {
        with(|client| disk::set_tags(client, &target, &change))
    }

    fn delete(target: Target, _resume: Option<String>) -> Result<Outcome, Error> {
        with(|client| disk::delete(client, &target))
    }

    fn volume_for(request: disks::VolumeRequest) -> Result<disks::Volume, Error> {
        disk::volume_for(&request)
    }
}

impl disk_modify::Guest for Component {
    fn modify(
        target: Target,
        change: disk_modify::DiskChange,
        _resume: Option<String>,
    ) -> Result<Outcome, Error> {
        with(|client| modify::modify(client, &target, &change))
    }
}

impl snapshots::Guest for Component {
    fn create(
        intent: Intent,
        request: snapshots::SnapshotRequest,
        resume: Option<String>,
    ) -> Result<Outcome, Error> {
        with(|client| snapshot::create(client, &intent, &request, resume.as_deref()))
    }

    fn find(query: Query, page: Option<String>) -> Result<snapshots::SnapshotPage, Error> {
        with(|client| snapshot::find(client, &query, page.as_deref()))
    }

    fn set_tags(target: Target, change: TagChange) -> Result<(), Error> {
        with(|client| snapshot::set_tags(client, &target, &change))
    }

    fn delete(target: Target, _resume: Option<String>) -> Result<Outcome, Error> {
        with(|client| snapshot::delete(client, &target))
    }
}

kompox_driver_sdk::export!(Component: identity, disk, disk_modify, snapshot);
