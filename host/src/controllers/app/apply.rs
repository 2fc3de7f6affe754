//! Applying: server-side apply of what is wanted, deletion of what is no longer wanted. Nothing of
//! another owner is ever written.

use super::dereference::Owned;
use crate::{
    context::Context,
    controllers::Error,
    reads,
    writes::{self, Kind, ObjectName},
};
use k8s_openapi::NamespaceResourceScope;
use kompox_core::{
    app::{AppIdentity, AppResources, waves::Admission},
    hash::FieldHasher,
    resources::{Applied, Prepared, is_contained},
};
use kompox_crds::names::{field_managers, labels::SERVICE};
use kube::{Resource, ResourceExt};
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
};

/// Annotation with the hash of an object as it was last applied: it tells what containment cannot, that
/// a member was taken away.
const APPLIED_HASH: &str = "kompox.dev/applied-hash";

/// Applies and prunes. Workloads that are held back stay as they are, absent ones absent.
pub(super) async fn run(
    prepared: AppResources<Prepared>,
    owned: &Owned,
    admissions: &BTreeMap<String, Admission>,
    context: &Context,
    app: &AppIdentity,
) -> Result<AppResources<Applied>, Error> {
    let held: BTreeSet<&str> = admissions
        .iter()
        .filter(|(_, admission)| **admission != Admission::Apply)
        .map(|(service, _)| service.as_str())
        .collect();
    let nothing = BTreeSet::new();
    let apply = Apply { context, app };
    // Without `..`: a new kind of object must be applied here too. What others mount, resolve or are
    // guarded by comes first.
    let AppResources {
        secrets,
        services,
        network_policies,
        stateful_sets,
        deployments,
        daemon_sets,
        jobs,
        ingresses,
        state: _,
    } = prepared;
    Ok(AppResources {
        secrets: apply.kind(secrets, &owned.secrets, &nothing).await?,
        services: apply.kind(services, &owned.services, &nothing).await?,
        network_policies: apply.kind(network_policies, &owned.network_policies, &nothing).await?,
        stateful_sets: apply.kind(stateful_sets, &owned.stateful_sets, &held).await?,
        deployments: apply.kind(deployments, &owned.deployments, &held).await?,
        daemon_sets: apply.kind(daemon_sets, &owned.daemon_sets, &held).await?,
        jobs: apply.kind(jobs, &owned.jobs, &held).await?,
        ingresses: apply.kind(ingresses, &owned.ingresses, &nothing).await?,
        state: PhantomData,
    })
}

struct Apply<'a> {
    context: &'a Context,
    app: &'a AppIdentity,
}

impl Apply<'_> {
    /// All objects of one kind. Objects of `held` services are neither written nor deleted.
    async fn kind<K>(&self, wanted: Vec<K>, owned: &[K], held: &BTreeSet<&str>) -> Result<Vec<K>, Error>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        let names: BTreeSet<String> = wanted.iter().map(ResourceExt::name_any).collect();
        let mut applied = Vec::new();
        for object in wanted {
            let live = owned.iter().find(|live| live.name_any() == object.name_any());
            if is_held(&object, held) {
                applied.extend(live.cloned());
            } else {
                applied.push(self.object(object, live).await?);
            }
        }
        let unwanted = |live: &&K| {
            !names.contains(&live.name_any())
                && !is_held(*live, held)
                && live.meta().deletion_timestamp.is_none()
        };
        for live in owned.iter().filter(unwanted) {
            self.context.writes.delete(&self.context.namespaced(&self.app.namespace), live).await?;
        }
        Ok(applied)
    }

    async fn object<K>(&self, mut object: K, live: Option<&K>) -> Result<K, Error>
    where
        K: Kind + Resource<Scope = NamespaceResourceScope>,
    {
        let api = self.context.namespaced::<K>(&self.app.namespace);
        let hash = FieldHasher::default().field(json(&object).to_string()).short();
        object.annotations_mut().insert(APPLIED_HASH.to_owned(), hash);
        match live {
            Some(live) if is_contained(&json(&object), &json(live)) => return Ok(live.clone()),
            Some(_) => {}
            // The name may belong to somebody else, whose object is not ours to change.
            None if reads::find(&api, &object.name_any()).await?.is_some() => {
                let object = ObjectName::of(&object);
                return Err(Error::Write(writes::Error::NotOurs { object }));
            }
            None => {}
        }
        Ok(self.context.writes.apply(&api, &object, field_managers::APP).await?)
    }
}

fn is_held<K: Resource>(object: &K, held: &BTreeSet<&str>) -> bool {
    object.labels().get(SERVICE).is_some_and(|service| held.contains(service.as_str()))
}

/// Kubernetes' own types always serialise; an empty value only makes an apply of what is there already.
fn json(object: &impl Serialize) -> Value {
    serde_json::to_value(object).unwrap_or_default()
}
