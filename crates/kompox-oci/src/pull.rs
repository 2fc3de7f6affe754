//! From a reference to the bytes of a component: manifest, config, layer, each by the digest that names it. What is
//! in the store is not asked for again.

mod source;
mod whole;

use crate::{
    artifact::{self, Artifact, Document},
    client::{Client, Session, Target},
    credentials::Credentials,
    digest::Digest,
    error::{Error, Fault, Step},
    progress::{OnProgress, Progress},
    reference::Reference,
    store::{self, Resolution, Store},
};
use bytes::Bytes;
pub(crate) use source::Source;
use std::pin::Pin;

/// Pulls drivers.
#[derive(Clone, Debug)]
pub struct Puller {
    pub(crate) client: Client,
    pub(crate) store: Option<Store>,
    limit: u64,
}

/// An artifact whose manifest is known to describe a driver; its blobs may not be here yet.
#[derive(Clone, Debug)]
pub struct Resolved {
    reference: Reference,
    digest: Digest,
    artifact: Artifact,
}

impl Resolved {
    /// The reference that was asked for.
    #[must_use]
    pub fn reference(&self) -> &Reference {
        &self.reference
    }

    /// The digest of the manifest, or of the index, that the reference names: what signatures are about. The blobs
    /// are named by what has this digest.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.digest
    }

    /// Bytes to pull.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.artifact.layer.size.saturating_add(self.artifact.config.size)
    }
}

impl Puller {
    /// A puller of components of `limit` bytes at most. With a store what was pulled is kept.
    #[must_use]
    pub fn new(client: Client, store: Option<Store>, limit: u64) -> Self {
        Self { client, store, limit }
    }

    /// What is known of a reference without asking a registry: it is pinned, or was looked up before, and its
    /// manifest is in the store. `None`: the registry must be asked.
    ///
    /// # Errors
    /// The store cannot be read, or what it holds is no driver.
    pub async fn stored(&self, reference: &Reference) -> Result<Option<Resolved>, Error> {
        let Some(store) = &self.store else { return Ok(None) };
        let pinned = reference.digest();
        let recorded = || store.resolution(reference).map_err(failed(reference));
        let digest = match pinned {
            Some(digest) => Some(digest),
            None => recorded()?.map(|record| record.digest),
        };
        let Some(digest) = digest else { return Ok(None) };
        self.read(&Source::stored(store), reference, digest).await
    }

    /// Asks the registry what a reference names, mirrors first, and reads the manifest.
    ///
    /// # Errors
    /// What the registry itself says, where no mirror has it; or why what is there is no driver.
    pub async fn resolve(&self, reference: &Reference, credentials: &Credentials) -> Result<Resolved, Error> {
        let sessions = self.client.sources(reference, credentials)?;
        let resolved = first(&sessions, |session| {
            Box::pin(async move {
                let digest = self.look_up(reference, session).await?;
                let source = Source::registry(session, self.store.as_ref());
                let read = self.read(&source, reference, digest).await?;
                read.ok_or_else(|| session.failed(Step::Manifest)(Fault::NotFound))
            })
        })
        .await?;
        self.record(&resolved)?;
        Ok(resolved)
    }

    /// The component, from the store or else from the registry; every blob has the digest that names it.
    ///
    /// # Errors
    /// What the registry says, or why the blobs are no component.
    pub async fn component(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        progress: OnProgress<'_>,
    ) -> Result<Bytes, Error> {
        if let Some(stored) = self.stored_component(resolved).await? {
            return Ok(stored);
        }
        let sessions = self.client.sources(&resolved.reference, credentials)?;
        first(&sessions, |session| {
            Box::pin(async move {
                let source = Source::registry(session, self.store.as_ref());
                let component = self.unpacked(&source, resolved, progress).await?;
                component.ok_or_else(|| session.failed(Step::Blob)(Fault::NotFound))
            })
        })
        .await
    }

    /// The component, if all its blobs are in the store.
    ///
    /// # Errors
    /// The store cannot be read, or the blobs are no component.
    pub async fn stored_component(&self, resolved: &Resolved) -> Result<Option<Bytes>, Error> {
        let Some(store) = &self.store else { return Ok(None) };
        self.unpacked(&Source::stored(store), resolved, crate::progress::SILENT).await
    }

    /// The digest that the registry gives for a reference.
    async fn look_up(&self, reference: &Reference, session: &Session) -> Result<Digest, Error> {
        if let Some(digest) = reference.digest() {
            return Ok(digest);
        }
        let failed = session.failed(Step::Resolve);
        let tag = session.reference().identifier().to_owned();
        if let Some(digest) = session.head(&tag).await.map_err(&failed)? {
            return Ok(digest);
        }
        session.manifest(Target::Tag(&tag)).await.map(|manifest| manifest.digest).map_err(&failed)
    }

    /// Reads manifests down to the one that describes a driver.
    async fn read(
        &self,
        source: &Source<'_>,
        reference: &Reference,
        digest: Digest,
    ) -> Result<Option<Resolved>, Error> {
        let refused = |source| Error::Artifact { reference: reference.to_string(), source };
        let mut next = digest.clone();
        for _ in 0..2 {
            let Some(manifest) = source.manifest(reference, &next).await? else { return Ok(None) };
            match artifact::read(&manifest, self.limit).map_err(refused)? {
                Document::Artifact(artifact) => {
                    return Ok(Some(Resolved { reference: reference.clone(), digest, artifact }));
                }
                Document::Index(chosen) => next = chosen,
            }
        }
        Err(refused(artifact::ArtifactError::Nested))
    }

    async fn unpacked(
        &self,
        source: &Source<'_>,
        resolved: &Resolved,
        progress: OnProgress<'_>,
    ) -> Result<Option<Bytes>, Error> {
        let Resolved { reference, artifact, .. } = resolved;
        let refused = |source| Error::Artifact { reference: reference.to_string(), source };
        let Some(config) = source.blob(reference, &artifact.config, &|_, _| {}).await? else {
            return Ok(None);
        };
        let archive = artifact::check_config(artifact, &config).map_err(refused)?;
        let meter = |done, total| progress(Progress { done, total });
        let Some(layer) = source.blob(reference, &artifact.layer, &meter).await? else { return Ok(None) };
        let (form, limit) = (artifact.form, self.limit);
        let unpacked =
            tokio::task::spawn_blocking(move || artifact::unpack(form, &layer, archive.as_ref(), limit));
        let unpacked = unpacked
            .await
            .map_err(|error| refused(artifact::ArtifactError::Packing(std::io::Error::other(error))))?;
        unpacked.map(Some).map_err(refused)
    }

    fn record(&self, resolved: &Resolved) -> Result<(), Error> {
        let Some(store) = &self.store else { return Ok(()) };
        let Resolved { reference, digest, .. } = resolved;
        let before = store.resolution(reference).map_err(failed(reference))?;
        let same = before.filter(|record| record.digest == *digest);
        let resolution = Resolution {
            reference: reference.to_string(),
            digest: digest.clone(),
            resolved_at: store::now().as_secs(),
            signatures: same.map(|record| record.signatures).unwrap_or_default(),
        };
        store.set_resolution(reference, &resolution).map_err(failed(reference))
    }
}

pub(crate) fn failed(reference: &Reference) -> impl Fn(store::StoreError) -> Error + '_ {
    |source| Error::Store { reference: reference.to_string(), source }
}

/// A question to one place.
type Asking<'a, T> = Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

/// The first session that succeeds; the error is that of the last one, the registry itself. A mirror that gives
/// other bytes, or something that is no driver, is passed over like one that does not answer.
async fn first<'a, T>(
    sessions: &'a [Session],
    ask: impl Fn(&'a Session) -> Asking<'a, T> + Send,
) -> Result<T, Error> {
    let Some((origin, mirrors)) = sessions.split_last() else {
        return Err(Error::Registry {
            step: Step::Connect,
            reference: String::new(),
            fault: Fault::Configuration("there is no registry to ask".to_owned()),
        });
    };
    for mirror in mirrors {
        match ask(mirror).await {
            Ok(found) => return Ok(found),
            Err(error) => tracing::warn!(%error, "a mirror was passed over"),
        }
    }
    ask(origin).await
}
