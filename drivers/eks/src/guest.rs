//! The interfaces of the contract on top of the logic, and the component's exports.
//!
//! [`Eks`] holds the transport, so that tests and tools can run the very same operations natively
//! against another one.

use crate::client::Client;
use crate::config::Config;
use crate::{account, disk, modify, plan, snapshot};
use kompox_driver_sdk::call::CallContext;
use kompox_driver_sdk::disk::{DiskPage, DiskPlan, DiskRequest, Volume, VolumeRequest};
use kompox_driver_sdk::disk_modify::DiskChange;
use kompox_driver_sdk::http::Transport;
use kompox_driver_sdk::identity::Account;
use kompox_driver_sdk::snapshot::{SnapshotPage, SnapshotRequest};
use kompox_driver_sdk::types::{Error, Finding, Intent, Outcome, Query, TagChange, Target};

/// The driver's operations for one call: a configuration and a transport.
///
/// Each method is the function of the contract with that name; its rules stand in the WIT files.
pub struct Eks<'a> {
    config: Config,
    transport: &'a mut dyn Transport,
}

impl<'a> Eks<'a> {
    /// Reads the configuration of the call.
    ///
    /// # Errors
    /// `invalid-argument` if the configuration is wrong.
    pub fn new(context: &CallContext, transport: &'a mut dyn Transport) -> Result<Self, Error> {
        Ok(Self { config: Config::from_context(context)?, transport })
    }

    fn client(&mut self) -> Client<'_> {
        Client::new(self.transport, &self.config)
    }

    /// `identity.validate-config`; offline, the configuration was checked when it was read.
    ///
    /// # Errors
    /// If the provider cannot be asked.
    pub fn validate_config(&mut self, online: bool) -> Result<Vec<Finding>, Error> {
        if online { account::validate(&mut self.client()) } else { Ok(Vec::new()) }
    }

    /// `identity.get-account`.
    ///
    /// # Errors
    /// If STS cannot be asked or refuses the credentials.
    pub fn get_account(&mut self) -> Result<Account, Error> {
        account::get(&mut self.client())
    }

    /// `disk.plan`.
    #[must_use]
    pub fn plan(&self, request: &DiskRequest) -> DiskPlan {
        plan::plan(&self.config, request).into_plan()
    }

    /// `disk.create`.
    ///
    /// # Errors
    /// As the contract says; `effect` tells what may be left behind.
    pub fn create(
        &mut self,
        intent: &Intent,
        request: &DiskRequest,
        resume: Option<&str>,
    ) -> Result<Outcome, Error> {
        disk::create(&mut self.client(), intent, request, resume)
    }

    /// `disk.find`.
    ///
    /// # Errors
    /// If the volumes cannot be read; never for a volume that is not there.
    pub fn find(&mut self, query: &Query, page: Option<&str>) -> Result<DiskPage, Error> {
        disk::find(&mut self.client(), query, page)
    }

    /// `disk.set-tags`.
    ///
    /// # Errors
    /// `owner-mismatch`, `not-found`, or what EC2 answers.
    pub fn set_tags(&mut self, target: &Target, change: &TagChange) -> Result<(), Error> {
        disk::set_tags(&mut self.client(), target, change)
    }

    /// `disk.delete`.
    ///
    /// # Errors
    /// `owner-mismatch`, `in-use`, or what EC2 answers.
    pub fn delete(&mut self, target: &Target) -> Result<Outcome, Error> {
        disk::delete(&mut self.client(), target)
    }

    /// `disk.volume-for`.
    ///
    /// # Errors
    /// `invalid-argument` for a handle that is none, or without a zone.
    pub fn volume_for(&self, request: &VolumeRequest) -> Result<Volume, Error> {
        disk::volume_for(&self.config, request)
    }

    /// `disk-modify.modify`.
    ///
    /// # Errors
    /// As the contract says; a cool-down is `throttled`.
    pub fn modify(
        &mut self,
        target: &Target,
        change: &DiskChange,
        resume: Option<&str>,
    ) -> Result<Outcome, Error> {
        modify::modify(&mut self.client(), target, change, resume)
    }

    /// `snapshot.create`.
    ///
    /// # Errors
    /// As the contract says; `effect` tells what may be left behind.
    pub fn create_snapshot(
        &mut self,
        intent: &Intent,
        request: &SnapshotRequest,
        resume: Option<&str>,
    ) -> Result<Outcome, Error> {
        snapshot::create(&mut self.client(), intent, request, resume)
    }

    /// `snapshot.find`.
    ///
    /// # Errors
    /// If the snapshots cannot be read; never for a snapshot that is not there.
    pub fn find_snapshots(&mut self, query: &Query, page: Option<&str>) -> Result<SnapshotPage, Error> {
        snapshot::find(&mut self.client(), query, page)
    }

    /// `snapshot.set-tags`.
    ///
    /// # Errors
    /// `owner-mismatch`, `not-found`, or what EC2 answers.
    pub fn set_snapshot_tags(&mut self, target: &Target, change: &TagChange) -> Result<(), Error> {
        snapshot::set_tags(&mut self.client(), target, change)
    }

    /// `snapshot.delete`.
    ///
    /// # Errors
    /// `owner-mismatch`, `in-use`, or what EC2 answers.
    pub fn delete_snapshot(&mut self, target: &Target) -> Result<Outcome, Error> {
        snapshot::delete(&mut self.client(), target)
    }
}

/// The exports; a fresh instance of the component serves each call.
#[cfg(target_family = "wasm")]
mod component {
    use super::Eks;
    use kompox_driver_sdk::http::WasiTransport;
    use kompox_driver_sdk::types::{Error, Finding, Intent, Outcome, Query, TagChange, Target};
    use kompox_driver_sdk::{call, disk, disk_modify, identity, snapshot};

    struct Component;

    fn with<T>(run: impl FnOnce(&mut Eks<'_>) -> Result<T, Error>) -> Result<T, Error> {
        run(&mut Eks::new(&call::context(), &mut WasiTransport)?)
    }

    impl identity::Guest for Component {
        fn describe() -> String {
            crate::DESCRIPTOR.to_owned()
        }

        fn detect(facts: identity::Facts) -> Vec<identity::Detection> {
            crate::detect::detect(&facts)
        }

        fn validate_config(online: bool) -> Result<Vec<Finding>, Error> {
            with(|driver| driver.validate_config(online))
        }

        fn get_account() -> Result<identity::Account, Error> {
            with(|driver| driver.get_account())
        }
    }

    impl disk::Guest for Component {
        fn plan(request: disk::DiskRequest) -> Result<disk::DiskPlan, Error> {
            with(|driver| Ok(driver.plan(&request)))
        }

        fn create(
            intent: Intent,
            request: disk::DiskRequest,
            resume: Option<String>,
        ) -> Result<Outcome, Error> {
            with(|driver| driver.create(&intent, &request, resume.as_deref()))
        }

        fn find(query: Query, page: Option<String>) -> Result<disk::DiskPage, Error> {
            with(|driver| driver.find(&query, page.as_deref()))
        }

        fn set_tags(target: Target, change: TagChange) -> Result<(), Error> {
            with(|driver| driver.set_tags(&target, &change))
        }

        fn delete(target: Target, _resume: Option<String>) -> Result<Outcome, Error> {
            with(|driver| driver.delete(&target))
        }

        fn volume_for(request: disk::VolumeRequest) -> Result<disk::Volume, Error> {
            with(|driver| driver.volume_for(&request))
        }
    }

    impl disk_modify::Guest for Component {
        fn modify(
            target: Target,
            change: disk_modify::DiskChange,
            resume: Option<String>,
        ) -> Result<Outcome, Error> {
            with(|driver| driver.modify(&target, &change, resume.as_deref()))
        }
    }

    impl snapshot::Guest for Component {
        fn create(
            intent: Intent,
            request: snapshot::SnapshotRequest,
            resume: Option<String>,
        ) -> Result<Outcome, Error> {
            with(|driver| driver.create_snapshot(&intent, &request, resume.as_deref()))
        }

        fn find(query: Query, page: Option<String>) -> Result<snapshot::SnapshotPage, Error> {
            with(|driver| driver.find_snapshots(&query, page.as_deref()))
        }

        fn set_tags(target: Target, change: TagChange) -> Result<(), Error> {
            with(|driver| driver.set_snapshot_tags(&target, &change))
        }

        fn delete(target: Target, _resume: Option<String>) -> Result<Outcome, Error> {
            with(|driver| driver.delete_snapshot(&target))
        }
    }

    kompox_driver_sdk::export!(Component: identity, disk, disk_modify, snapshot);
}
