//! An artifact as it lies in the registry, for carrying it elsewhere: nothing is unpacked.

use super::{Puller, Resolved, Source, first};
use crate::{
    artifact::{self, ArtifactError, Document},
    credentials::Credentials,
    error::{Error, Fault, Step},
    image::{Image, MANIFEST},
    progress::{OnProgress, Progress},
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    media_type: Option<String>,
}

impl Puller {
    /// Manifest, layer and config, each with the digest that names it.
    ///
    /// # Errors
    /// What the registry says, or that the reference names an index: an image in it has a digest of its own.
    pub async fn image(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
        progress: OnProgress<'_>,
    ) -> Result<Image, Error> {
        let sessions = self.client.sources(&resolved.reference, credentials)?;
        first(&sessions, |session| {
            Box::pin(async move {
                let source = Source::registry(session, self.store.as_ref());
                let image = self.whole(&source, resolved, progress).await?;
                image.ok_or_else(|| session.failed(Step::Blob)(Fault::NotFound))
            })
        })
        .await
    }

    async fn whole(
        &self,
        source: &Source<'_>,
        resolved: &Resolved,
        progress: OnProgress<'_>,
    ) -> Result<Option<Image>, Error> {
        let Resolved { reference, digest, artifact } = resolved;
        let refused = |source| Error::Artifact { reference: reference.to_string(), source };
        let Some(manifest) = source.manifest(reference, digest).await? else { return Ok(None) };
        if let Document::Index(chosen) = artifact::read(&manifest, self.limit).map_err(refused)? {
            return Err(refused(ArtifactError::Index(chosen)));
        }
        let meter = |done, total| progress(Progress { done, total });
        let Some(layer) = source.blob(reference, &artifact.layer, &meter).await? else { return Ok(None) };
        let Some(config) = source.blob(reference, &artifact.config, &|_, _| {}).await? else {
            return Ok(None);
        };
        let typed: Typed = serde_json::from_slice(&manifest)
            .map_err(|error| refused(ArtifactError::Manifest(error.to_string())))?;
        let media_type = typed.media_type.unwrap_or_else(|| MANIFEST.to_owned());
        Ok(Some(Image { manifest, media_type, blobs: vec![layer, config] }))
    }
}
