//! The external attacher of the simulated CSI drivers: VolumeAttachments become attached and
//! detached after a delay. It attaches nothing anywhere: a cloud double is not told.

use super::{Delays, MANAGER, pods::Retry};
use k8s_openapi::api::storage::v1::VolumeAttachment;
use kube::{
    Api, Client, ResourceExt as _,
    api::{Patch, PatchParams},
    runtime::controller::Action,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

/// What the attacher works with.
pub(super) struct Attacher {
    pub(super) client: Client,
    pub(super) drivers: BTreeSet<String>,
    pub(super) delays: Delays,
    /// When each change (by uid and direction) was first seen as wanted.
    pub(super) wanted: Mutex<BTreeMap<(String, Direction), Instant>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Direction {
    Attach,
    Detach,
}

/// One attachment, one step.
pub(super) async fn reconcile(
    attachment: Arc<VolumeAttachment>,
    attacher: Arc<Attacher>,
) -> Result<Action, Retry> {
    if !attacher.drivers.contains(&attachment.spec.attacher) {
        return Ok(Action::await_change());
    }
    let attached = attachment.status.as_ref().is_some_and(|status| status.attached);
    let held = attachment.finalizers().contains(&finalizer(&attachment));
    match (attachment.metadata.deletion_timestamp.is_some(), held, attached) {
        (true, true, _) => attacher.change(&attachment, Direction::Detach).await,
        (false, false, _) => attacher.hold(&attachment).await,
        (false, true, false) => attacher.change(&attachment, Direction::Attach).await,
        (true, false, _) | (false, true, true) => Ok(Action::await_change()),
    }
}

impl Attacher {
    /// A finalizer first, as the real one does: an attached volume must not vanish unnoticed.
    async fn hold(&self, attachment: &VolumeAttachment) -> Result<Action, Retry> {
        let mut finalizers = attachment.finalizers().to_vec();
        finalizers.push(finalizer(attachment));
        self.set_finalizers(attachment, &finalizers).await?;
        Ok(Action::await_change())
    }

    async fn change(&self, attachment: &VolumeAttachment, direction: Direction) -> Result<Action, Retry> {
        let delay = match direction {
            Direction::Attach => self.delays.attach,
            Direction::Detach => self.delays.detach,
        };
        let key = (attachment.uid().unwrap_or_default(), direction);
        let since = *self.wanted().entry(key.clone()).or_insert_with(Instant::now);
        if let Some(rest) = delay.checked_sub(since.elapsed()).filter(|rest| !rest.is_zero()) {
            return Ok(Action::requeue(rest));
        }
        match direction {
            Direction::Attach => self.attach(attachment).await?,
            Direction::Detach => {
                let finalizer = finalizer(attachment);
                let rest: Vec<_> =
                    attachment.finalizers().iter().filter(|f| **f != finalizer).cloned().collect();
                self.set_finalizers(attachment, &rest).await?;
            }
        }
        self.wanted().remove(&key);
        Ok(Action::await_change())
    }

    async fn attach(&self, attachment: &VolumeAttachment) -> Result<(), Retry> {
        let patch = json!({ "metadata": { "uid": attachment.uid() }, "status": { "attached": true } });
        let api: Api<VolumeAttachment> = Api::all(self.client.clone());
        let result =
            api.patch_status(&attachment.name_any(), &PatchParams::default(), &Patch::Merge(patch)).await;
        Retry::unless_gone(result).map(drop)
    }

    /// With the resourceVersion: another writer's finalizer must not get lost.
    async fn set_finalizers(
        &self,
        attachment: &VolumeAttachment,
        finalizers: &[String],
    ) -> Result<(), Retry> {
        let patch = json!({ "metadata": { "uid": attachment.uid(),
            "resourceVersion": attachment.resource_version(), "finalizers": finalizers } });
        let api: Api<VolumeAttachment> = Api::all(self.client.clone());
        let params = PatchParams { field_manager: Some(MANAGER.into()), ..PatchParams::default() };
        let result = api.patch_metadata(&attachment.name_any(), &params, &Patch::Merge(patch)).await;
        Retry::unless_gone(result).map(drop)
    }

    fn wanted(&self) -> std::sync::MutexGuard<'_, BTreeMap<(String, Direction), Instant>> {
        self.wanted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As the real external-attacher names it.
fn finalizer(attachment: &VolumeAttachment) -> String {
    format!("external-attacher/{}", attachment.spec.attacher.replace('.', "-"))
}
