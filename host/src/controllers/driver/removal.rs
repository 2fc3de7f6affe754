//! Takes away the drivers whose KompoxDriver is gone. A watch of names of its own: a deletion during an
//! interruption shows only in what the next list lacks.

use super::Shell;
use crate::shutdown::Shutdown;
use futures::{StreamExt as _, future};
use kompox_crds::v1alpha1::KompoxDriver;
use kube::{
    Api, ResourceExt as _,
    core::PartialObjectMeta,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use std::{collections::BTreeSet, sync::Arc};

/// Runs until `shutdown`.
pub(super) async fn watch(shell: Arc<Shell>, shutdown: Shutdown) {
    let api: Api<PartialObjectMeta<KompoxDriver>> = Api::all(shell.context.client.clone());
    let mut listed = BTreeSet::new();
    watcher(api, shell.selected())
        .backoff(crate::watches::backoff())
        .take_until(shutdown.requested())
        .for_each(|event| {
            for name in gone(event, &mut listed, || shell.catalog.owners()) {
                tracing::info!(driver = name, "KompoxDriver gone; its driver is not used any more");
                shell.remove(&name);
            }
            future::ready(())
        })
        .await;
}

/// The owners that are gone by this event. `listed` collects a list that is under way.
fn gone<K: kube::Resource>(
    event: watcher::Result<Event<K>>,
    listed: &mut BTreeSet<String>,
    owners: impl Fn() -> BTreeSet<String>,
) -> Vec<String> {
    match event {
        Ok(Event::Init) => listed.clear(),
        Ok(Event::InitApply(object)) => {
            listed.insert(object.name_any());
        }
        Ok(Event::InitDone) => return owners().difference(listed).cloned().collect(),
        Ok(Event::Delete(object)) => return vec![object.name_any()],
        // An interruption is logged by the controller's own watch, which has the same server.
        Ok(Event::Apply(_)) | Err(_) => {}
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_new_list_lacks_is_gone_as_what_is_deleted() {
        let named = |name: &str| KompoxDriver::new(name, Default::default());
        let owners = || BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let mut listed = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        for event in [Event::Init, Event::InitApply(named("b")), Event::Apply(named("c"))] {
            assert!(gone(Ok(event), &mut listed, owners).is_empty());
        }
        assert_eq!(gone(Ok(Event::<KompoxDriver>::InitDone), &mut listed, owners), ["a"]);
        assert_eq!(gone(Ok(Event::Delete(named("b"))), &mut listed, owners), ["b"]);
    }
}
