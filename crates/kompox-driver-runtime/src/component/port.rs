//! The port's trait over a component: which function is called with what. Nothing is decided here.

use super::LoadedDriver;
use crate::{
    bindings::{
        exports::kompox::driver::{disk, disk_modify, identity, snapshot},
        kompox::driver::types as wit,
    },
    convert::Reader,
    operation::Operation,
};
use kompox_core::driver::{
    Account, BoxFuture, Call, Descriptor, Detection, DiskChange, DiskPage, DiskPlan, DiskRequest, Driver,
    DriverError, DriverResult, Facts, Finding, Intent, Outcome, Query, SnapshotPage, SnapshotRequest,
    TagChange, Target, Volume, VolumeRequest,
};

/// An answer without a value.
#[expect(clippy::unnecessary_wraps, reason = "has the shape of the readers")]
fn nothing(_reader: &Reader, (): ()) -> Result<(), crate::convert::Malformed> {
    Ok(())
}

fn unsupported<'a, T: 'a + Send>(interface: &'static str) -> BoxFuture<'a, DriverResult<T>> {
    Box::pin(async move { Err(DriverError::unsupported(interface)) })
}

impl Driver for LoadedDriver {
    fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    fn digest(&self) -> &str {
        &self.digest
    }

    fn has_snapshots(&self) -> bool {
        self.exports.snapshot.is_some()
    }

    fn has_disk_modify(&self) -> bool {
        self.exports.disk_modify.is_some()
    }

    fn detect<'a>(&'a self, call: &'a Call, facts: &'a Facts) -> BoxFuture<'a, DriverResult<Vec<Detection>>> {
        let facts = identity::Facts::from(facts);
        Box::pin(self.serve(
            call,
            Operation::Detect,
            move |mut guest| {
                Box::pin(async move { guest.identity()?.call_detect(guest.store, &facts).await.map(Ok) })
            },
            Reader::detections,
        ))
    }

    fn validate_config<'a>(
        &'a self,
        call: &'a Call,
        online: bool,
    ) -> BoxFuture<'a, DriverResult<Vec<Finding>>> {
        let operation = if online { Operation::ValidateOnline } else { Operation::ValidateOffline };
        Box::pin(self.serve(
            call,
            operation,
            move |mut guest| {
                Box::pin(async move { guest.identity()?.call_validate_config(guest.store, online).await })
            },
            Reader::findings,
        ))
    }

    fn get_account<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, DriverResult<Account>> {
        Box::pin(self.serve(
            call,
            Operation::GetAccount,
            |mut guest| Box::pin(async move { guest.identity()?.call_get_account(guest.store).await }),
            Reader::account,
        ))
    }

    fn plan<'a>(&'a self, call: &'a Call, request: &'a DiskRequest) -> BoxFuture<'a, DriverResult<DiskPlan>> {
        let request = disk::DiskRequest::from(request);
        Box::pin(self.serve(
            call,
            Operation::Plan,
            move |mut guest| Box::pin(async move { guest.disk()?.call_plan(guest.store, &request).await }),
            Reader::disk_plan,
        ))
    }

    fn create_disk<'a>(
        &'a self,
        call: &'a Call,
        intent: &'a Intent,
        request: &'a DiskRequest,
        resume: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<Outcome>> {
        let (intent, request) = (wit::Intent::from(intent), disk::DiskRequest::from(request));
        let resume = resume.map(str::to_owned);
        Box::pin(self.serve(
            call,
            Operation::CreateDisk,
            move |mut guest| {
                Box::pin(async move {
                    guest.disk()?.call_create(guest.store, &intent, &request, resume.as_deref()).await
                })
            },
            Reader::outcome,
        ))
    }

    fn find_disks<'a>(
        &'a self,
        call: &'a Call,
        query: &'a Query,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<DiskPage>> {
        let (query, page) = (wit::Query::from(query), page.map(str::to_owned));
        Box::pin(self.serve(
            call,
            Operation::FindDisks,
            move |mut guest| {
                Box::pin(async move { guest.disk()?.call_find(guest.store, &query, page.as_deref()).await })
            },
            Reader::disk_page,
        ))
    }

    fn set_disk_tags<'a>(
        &'a self,
        call: &'a Call,
        target: &'a Target,
        change: &'a TagChange,
    ) -> BoxFuture<'a, DriverResult<()>> {
        let (target, change) = (wit::Target::from(target), wit::TagChange::from(change));
        Box::pin(self.serve(
            call,
            Operation::SetDiskTags,
            move |mut guest| {
                Box::pin(async move { guest.disk()?.call_set_tags(guest.store, &target, &change).await })
            },
            nothing,
        ))
    }

    fn delete_disk<'a>(
        &'a self,
        call: &'a Call,
        target: &'a Target,
        resume: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<Outcome>> {
        let (target, resume) = (wit::Target::from(target), resume.map(str::to_owned));
        Box::pin(self.serve(
            call,
            Operation::DeleteDisk,
            move |mut guest| {
                Box::pin(
                    async move { guest.disk()?.call_delete(guest.store, &target, resume.as_deref()).await },
                )
            },
            Reader::outcome,
        ))
    }

    fn volume_for<'a>(
        &'a self,
        call: &'a Call,
        request: &'a VolumeRequest,
    ) -> BoxFuture<'a, DriverResult<Volume>> {
        let request = disk::VolumeRequest::from(request);
        Box::pin(self.serve(
            call,
            Operation::VolumeFor,
            move |mut guest| {
                Box::pin(async move { guest.disk()?.call_volume_for(guest.store, &request).await })
            },
            Reader::volume,
        ))
    }

    fn modify_disk<'a>(
        &'a self,
        call: &'a Call,
        target: &'a Target,
        change: &'a DiskChange,
        resume: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<Outcome>> {
        if !self.has_disk_modify() {
            return unsupported("disk-modify");
        }
        let (target, change) = (wit::Target::from(target), disk_modify::DiskChange::from(change));
        let resume = resume.map(str::to_owned);
        Box::pin(self.serve(
            call,
            Operation::ModifyDisk,
            move |mut guest| {
                Box::pin(async move {
                    guest.disk_modify()?.call_modify(guest.store, &target, &change, resume.as_deref()).await
                })
            },
            Reader::outcome,
        ))
    }

    fn create_snapshot<'a>(
        &'a self,
        call: &'a Call,
        intent: &'a Intent,
        request: &'a SnapshotRequest,
        resume: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<Outcome>> {
        if !self.has_snapshots() {
            return unsupported("snapshot");
        }
        let (intent, request) = (wit::Intent::from(intent), snapshot::SnapshotRequest::from(request));
        let resume = resume.map(str::to_owned);
        Box::pin(self.serve(
            call,
            Operation::CreateSnapshot,
            move |mut guest| {
                Box::pin(async move {
                    guest.snapshot()?.call_create(guest.store, &intent, &request, resume.as_deref()).await
                })
            },
            Reader::outcome,
        ))
    }

    fn find_snapshots<'a>(
        &'a self,
        call: &'a Call,
        query: &'a Query,
        page: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<SnapshotPage>> {
        if !self.has_snapshots() {
            return unsupported("snapshot");
        }
        let (query, page) = (wit::Query::from(query), page.map(str::to_owned));
        Box::pin(self.serve(
            call,
            Operation::FindSnapshots,
            move |mut guest| {
                Box::pin(
                    async move { guest.snapshot()?.call_find(guest.store, &query, page.as_deref()).await },
                )
            },
            Reader::snapshot_page,
        ))
    }

    fn set_snapshot_tags<'a>(
        &'a self,
        call: &'a Call,
        target: &'a Target,
        change: &'a TagChange,
    ) -> BoxFuture<'a, DriverResult<()>> {
        if !self.has_snapshots() {
            return unsupported("snapshot");
        }
        let (target, change) = (wit::Target::from(target), wit::TagChange::from(change));
        Box::pin(self.serve(
            call,
            Operation::SetSnapshotTags,
            move |mut guest| {
                Box::pin(async move { guest.snapshot()?.call_set_tags(guest.store, &target, &change).await })
            },
            nothing,
        ))
    }

    fn delete_snapshot<'a>(
        &'a self,
        call: &'a Call,
        target: &'a Target,
        resume: Option<&'a str>,
    ) -> BoxFuture<'a, DriverResult<Outcome>> {
        if !self.has_snapshots() {
            return unsupported("snapshot");
        }
        let (target, resume) = (wit::Target::from(target), resume.map(str::to_owned));
        Box::pin(self.serve(
            call,
            Operation::DeleteSnapshot,
            move |mut guest| {
                Box::pin(async move {
                    guest.snapshot()?.call_delete(guest.store, &target, resume.as_deref()).await
                })
            },
            Reader::outcome,
        ))
    }
}
