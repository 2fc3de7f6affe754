//! Live reads from the API server whose failures name the object. Caches are read elsewhere; nothing is
//! ever destroyed on what a cache says, so destructive steps read here first.

use crate::{
    refusal::Refusal,
    requests::{explain, limited},
    writes::ObjectName,
};
use kompox_core::cloud::Retry;
use kube::{Api, Resource, api::ListParams, core::PartialObjectMeta};
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// Objects per page of [`list`].
const PAGE: u32 = 250;

/// Why a read failed. An object that is not there is not a failure.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// One object.
    #[error("failed to read {object}: {}", explain(source))]
    Get {
        /// The object.
        object: ObjectName,
        /// What the client says.
        source: Box<kube::Error>,
    },
    /// A list.
    #[error("failed to list objects of kind {kind}: {}", explain(source))]
    List {
        /// Their kind.
        kind: String,
        /// What the client says.
        source: Box<kube::Error>,
    },
}

impl Error {
    /// Why, to branch on.
    #[must_use]
    pub fn refusal(&self) -> Refusal {
        match self {
            Self::Get { source, .. } | Self::List { source, .. } => Refusal::of(source),
        }
    }

    /// When the read is worth repeating.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.refusal().retry()
    }
}

/// The object of this name, or `None` when there is none.
///
/// # Errors
/// [`Error::Get`].
pub async fn find<K>(api: &Api<K>, name: &str) -> Result<Option<K>, Error>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    limited(api.get_opt(name)).await.map_err(|source| Error::Get {
        object: ObjectName::new::<K>(api.namespace().map(str::to_owned), name.to_owned()),
        source: Box::new(source),
    })
}

/// The metadata of the object of this name, or `None` when there is none.
///
/// # Errors
/// [`Error::Get`].
pub async fn find_metadata<K>(api: &Api<K>, name: &str) -> Result<Option<PartialObjectMeta<K>>, Error>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    limited(api.get_metadata_opt(name)).await.map_err(|source| Error::Get {
        object: ObjectName::new::<K>(api.namespace().map(str::to_owned), name.to_owned()),
        source: Box::new(source),
    })
}

/// Every object that fits, page by page.
///
/// # Errors
/// [`Error::List`].
pub async fn list<K>(api: &Api<K>, params: &ListParams) -> Result<Vec<K>, Error>
where
    K: Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned,
{
    let mut params = params.clone().limit(PAGE);
    let mut found = Vec::new();
    loop {
        let page = api
            .list(&params)
            .await
            .map_err(|source| Error::List { kind: K::kind(&()).into_owned(), source: Box::new(source) })?;
        params.continue_token = page.metadata.continue_.filter(|token| !token.is_empty());
        found.extend(page.items);
        if params.continue_token.is_none() {
            return Ok(found);
        }
    }
}

/// Whether an object that was looked for is going, or gone already.
pub fn is_going<K: Resource>(object: Option<&K>) -> bool {
    object.is_none_or(|object| object.meta().deletion_timestamp.is_some())
}
