//! The one way to write to the API server. Every write names its field manager, is counted, and fails
//! with an error that names the operation, the object and the [`Refusal`].
//!
//! Which of the ways is right:
//! - [`Writes::apply`] for objects that are ours: server-side apply, forced, so drift is put right.
//! - [`Writes::create_or_verify`] where an object that exists already may be somebody else's.
//! - [`Writes::replace`] and [`Writes::update_status`] where nothing may have changed since the read:
//!   a PUT with `resourceVersion`. Locks and write-ahead intents are written so.
//! - metadata and deletion carry `uid` and `resourceVersion` as preconditions: a stale cache gives
//!   [`Refusal::Stale`] and a namesake is never touched.
//!
//! Deciding what to write is not done here.

mod error;
#[cfg(test)]
mod tests;

pub use error::{Error, ObjectName, Operation};

use crate::{
    freshness::Freshness,
    metrics::{Metrics, Verb},
    refusal::Refusal,
    requests::limited,
};
use kube::{
    Api, Resource, ResourceExt as _,
    api::{DeleteParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy},
    core::object::HasStatus,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

/// A kind known at compile time that can be read and written.
pub trait Kind: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned {}

impl<K: Resource<DynamicType = ()> + Clone + Debug + Serialize + DeserializeOwned> Kind for K {}

/// What [`Writes::create_or_verify`] found.
#[derive(Clone, Debug)]
pub enum Creation<K> {
    /// It was made just now.
    Made(K),
    /// It was there and is ours.
    Found(K),
}

impl<K> Creation<K> {
    /// The object, however it came to be.
    pub fn into_object(self) -> K {
        match self {
            Self::Made(object) | Self::Found(object) => object,
        }
    }
}

/// What [`Writes::delete`] came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The server accepted it; finalizers may still hold the object.
    Requested,
    /// There was no such object any more.
    Absent,
}

/// Writes to the API server and counts them.
#[derive(Clone, Debug)]
pub struct Writes {
    metrics: Arc<Metrics>,
    freshness: Arc<Freshness>,
}

impl Writes {
    /// Writes that are counted in `metrics` and noted in `freshness`.
    #[must_use]
    pub fn new(metrics: Arc<Metrics>, freshness: Arc<Freshness>) -> Self {
        Self { metrics, freshness }
    }

    /// Server-side apply: the object gets exactly these fields under `manager`; fields that `manager`
    /// owned and that are absent now are removed. An identical apply changes nothing.
    ///
    /// On an absent object a `resourceVersion` alone does not prevent creation; a `uid` does.
    ///
    /// # Errors
    /// [`Operation::Apply`].
    pub async fn apply<K: Kind>(&self, api: &Api<K>, object: &K, manager: &'static str) -> Result<K, Error> {
        let params = PatchParams::apply(manager).force();
        let answer = limited(api.patch(&object.name_any(), &params, &Patch::Apply(object))).await;
        self.settle(Operation::Apply, ObjectName::of(object), answer)
    }

    /// Creates the object, or reads the one that has its name and asks `is_ours` about it.
    ///
    /// # Errors
    /// [`Operation::Create`]; [`Error::NotOurs`] when `is_ours` says no.
    pub async fn create_or_verify<K: Kind>(
        &self,
        api: &Api<K>,
        object: &K,
        manager: &'static str,
        is_ours: impl Fn(&K) -> bool,
    ) -> Result<Creation<K>, Error> {
        let name = ObjectName::of(object);
        let params = PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() };
        let answer = limited(api.create(&params, object)).await;
        match self.settle(Operation::Create, name.clone(), answer) {
            Ok(made) => return Ok(Creation::Made(made)),
            Err(error) if error.refusal() == Some(&Refusal::AlreadyExists) => {}
            Err(error) => return Err(error),
        }
        let found = limited(api.get(&object.name_any()))
            .await
            .map_err(|source| Error::request(Operation::Verify, name.clone(), source))?;
        if is_ours(&found) { Ok(Creation::Found(found)) } else { Err(Error::NotOurs { object: name }) }
    }

    /// Replaces the object if it is still the one that was read: `object` must carry the
    /// `resourceVersion` of that read.
    ///
    /// # Errors
    /// [`Operation::Replace`]; [`Error::NotRead`] without `resourceVersion`.
    pub async fn replace<K: Kind>(
        &self,
        api: &Api<K>,
        object: &K,
        manager: &'static str,
    ) -> Result<K, Error> {
        read_identity(object)?;
        let params = PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() };
        let answer = limited(api.replace(&object.name_any(), &params, object)).await;
        self.settle(Operation::Replace, ObjectName::of(object), answer)
    }

    /// Replaces the status of `read` if the object is still the one that was read. Writes nothing, and
    /// returns the object as read, when `status` is what it has.
    ///
    /// # Errors
    /// [`Operation::ReplaceStatus`]; [`Error::NotRead`] without `resourceVersion`.
    pub async fn update_status<K>(
        &self,
        api: &Api<K>,
        read: &K,
        status: K::Status,
        manager: &'static str,
    ) -> Result<K, Error>
    where
        K: Kind + HasStatus,
        K::Status: PartialEq,
    {
        if read.status() == Some(&status) {
            return Ok(read.clone());
        }
        read_identity(read)?;
        let mut object = read.clone();
        *object.status_mut() = Some(status);
        let params = PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() };
        let answer = limited(api.replace_status(&object.name_any(), &params, &object)).await;
        self.settle(Operation::ReplaceStatus, ObjectName::of(read), answer)
    }

    /// Adds `finalizer` to the object that was read. Writes nothing when it is there.
    ///
    /// # Errors
    /// [`Operation::AddFinalizer`]; [`Error::NotRead`].
    pub async fn add_finalizer<K: Kind>(
        &self,
        api: &Api<K>,
        read: &K,
        finalizer: &'static str,
        manager: &'static str,
    ) -> Result<K, Error> {
        if has_finalizer(read, finalizer) {
            return Ok(read.clone());
        }
        let finalizers: Vec<_> = read.finalizers().iter().map(String::as_str).chain([finalizer]).collect();
        let change = json!({ "finalizers": finalizers });
        self.change_metadata(Operation::AddFinalizer, api, read, change, manager).await
    }

    /// Removes `finalizer` from the object that was read, and no other. An object that is gone already
    /// is as good.
    ///
    /// # Errors
    /// [`Operation::RemoveFinalizer`]; [`Error::NotRead`].
    pub async fn remove_finalizer<K: Kind>(
        &self,
        api: &Api<K>,
        read: &K,
        finalizer: &'static str,
        manager: &'static str,
    ) -> Result<(), Error> {
        if !has_finalizer(read, finalizer) {
            return Ok(());
        }
        let rest: Vec<_> = read.finalizers().iter().filter(|name| *name != finalizer).collect();
        let change = json!({ "finalizers": rest });
        match self.change_metadata(Operation::RemoveFinalizer, api, read, change, manager).await {
            Err(error) if error.refusal() == Some(&Refusal::Gone) => Ok(()),
            other => other.map(drop),
        }
    }

    /// Sets annotations of the object that was read; `None` removes one. Others are left alone. Writes
    /// nothing when they are so already.
    ///
    /// # Errors
    /// [`Operation::Annotate`]; [`Error::NotRead`].
    pub async fn annotate<K: Kind>(
        &self,
        api: &Api<K>,
        read: &K,
        annotations: &BTreeMap<&str, Option<&str>>,
        manager: &'static str,
    ) -> Result<K, Error> {
        let is_so =
            |(key, value): (&&str, &Option<&str>)| read.annotations().get(*key).map(String::as_str) == *value;
        if annotations.iter().all(is_so) {
            return Ok(read.clone());
        }
        let change = json!({ "annotations": annotations });
        self.change_metadata(Operation::Annotate, api, read, change, manager).await
    }

    /// Deletes the very object that was read, in the version that was read; its dependents follow in
    /// the background.
    ///
    /// # Errors
    /// [`Operation::Delete`]; [`Error::NotRead`].
    pub async fn delete<K: Kind>(&self, api: &Api<K>, read: &K) -> Result<Deletion, Error> {
        let (uid, version) = read_identity(read)?;
        let preconditions =
            Preconditions { uid: Some(uid.to_owned()), resource_version: Some(version.to_owned()) };
        let params = DeleteParams {
            propagation_policy: Some(PropagationPolicy::Background),
            ..DeleteParams::default()
        };
        let answer = limited(api.delete(&read.name_any(), &params.preconditions(preconditions))).await;
        let name = ObjectName::of(read);
        match self.count(Operation::Delete, &name, answer) {
            Ok(_) => Ok(Deletion::Requested),
            Err(source) if Refusal::of(&source) == Refusal::Gone => Ok(Deletion::Absent),
            Err(source) => Err(Error::request(Operation::Delete, name, source)),
        }
    }

    /// A merge patch of `metadata` under the identity that was read. A list is replaced as a whole,
    /// which is safe because the version is a precondition.
    async fn change_metadata<K: Kind>(
        &self,
        operation: Operation,
        api: &Api<K>,
        read: &K,
        change: Value,
        manager: &'static str,
    ) -> Result<K, Error> {
        let (uid, version) = read_identity(read)?;
        let mut metadata = json!({ "uid": uid, "resourceVersion": version });
        merge(&mut metadata, change);
        let params = PatchParams { field_manager: Some(manager.to_owned()), ..PatchParams::default() };
        let patch = Patch::Merge(json!({ "metadata": metadata }));
        let answer = limited(api.patch(&read.name_any(), &params, &patch)).await;
        self.settle(operation, ObjectName::of(read), answer)
    }

    /// Counts the write, notes the version it gave, and names its failure.
    fn settle<K: Kind>(
        &self,
        operation: Operation,
        name: ObjectName,
        answer: kube::Result<K>,
    ) -> Result<K, Error> {
        let written =
            self.count(operation, &name, answer).map_err(|source| Error::request(operation, name, source))?;
        // Only objects of our own kinds are reconciled from a cache that may lag behind.
        if K::group(&()) == kompox_crds::names::GROUP {
            self.freshness.wrote(&written);
        }
        Ok(written)
    }

    fn count<T>(&self, operation: Operation, name: &ObjectName, answer: kube::Result<T>) -> kube::Result<T> {
        if let Some(verb) = operation.verb() {
            let refusal = answer.as_ref().err().map(Refusal::of);
            self.metrics.api_write(name.kind(), verb, refusal.as_ref());
        }
        answer
    }
}

/// Whether the object bears `finalizer`.
pub fn has_finalizer<K: Resource>(object: &K, finalizer: &str) -> bool {
    object.finalizers().iter().any(|name| name == finalizer)
}

/// `uid` and `resourceVersion`: what makes a write one to this very object in this very version.
fn read_identity<K: Kind>(object: &K) -> Result<(&str, &str), Error> {
    let meta = object.meta();
    meta.uid
        .as_deref()
        .zip(meta.resource_version.as_deref())
        .ok_or_else(|| Error::NotRead { object: ObjectName::of(object) })
}

/// Adds the members of `change` to `metadata`; both are objects.
fn merge(metadata: &mut Value, change: Value) {
    if let (Value::Object(metadata), Value::Object(change)) = (metadata, change) {
        metadata.extend(change);
    }
}

impl Operation {
    fn verb(self) -> Option<Verb> {
        match self {
            Self::Apply => Some(Verb::Apply),
            Self::Create => Some(Verb::Create),
            Self::Verify => None,
            Self::Replace => Some(Verb::Replace),
            Self::ReplaceStatus => Some(Verb::ReplaceStatus),
            Self::AddFinalizer | Self::RemoveFinalizer | Self::Annotate => Some(Verb::Patch),
            Self::Delete => Some(Verb::Delete),
        }
    }
}
