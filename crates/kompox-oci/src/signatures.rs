//! Signatures of a manifest as registries hold them, in both forms that cosign writes: behind a tag made of the
//! digest, and as referrers, whose list is served by the registry or stands behind a tag of its own.
//!
//! Nothing is verified here. Whoever may push can add signatures, so a bounded number of bounded ones is read, and
//! one that cannot be read does not hide the others.

mod attach;

pub(crate) use attach::put;

use crate::{
    artifact::{Blob, blob},
    client::{Session, Target},
    credentials::Credentials,
    digest::Digest,
    error::{Error, Fault, Step},
    image::Image,
    pull::{Puller, Resolved, Source, failed},
};
use bytes::Bytes;
use kompox_signature::Evidence;
pub(crate) use kompox_signature::{BUNDLE_MEDIA_TYPE as BUNDLE, SIMPLE_SIGNING_MEDIA_TYPE as SIMPLE_SIGNING};
use oci_spec::image::{ImageIndex, ImageManifest, MediaType};

/// Most manifests with signatures, and most layers of one.
const MAX_COUNT: usize = 32;
/// Most pages of a list of referrers.
const MAX_PAGES: usize = 16;
/// Most bytes of a signature.
const MAX_BYTES: u64 = kompox_signature::MAX_EVIDENCE_BYTES as u64;

/// The tag of the first form.
pub(crate) fn signature_tag(subject: &Digest) -> String {
    format!("sha256-{}.sig", subject.hex())
}

/// The tag of the list of referrers, where the registry does not serve it.
pub(crate) fn referrers_tag(subject: &Digest) -> String {
    format!("sha256-{}", subject.hex())
}

impl Puller {
    /// The signatures of what was resolved, from the first place that has some; they are kept in the store.
    ///
    /// # Errors
    /// What the registry says. That there are none is no error.
    pub async fn signatures(
        &self,
        resolved: &Resolved,
        credentials: &Credentials,
    ) -> Result<Vec<Image>, Error> {
        let mut images = Vec::new();
        let sessions = self.client.sources(resolved.reference(), credentials)?;
        for (index, session) in sessions.iter().enumerate() {
            let found = self.signatures_at(session, resolved).await;
            match found {
                Ok(found) if !found.is_empty() => {
                    images = found;
                    break;
                }
                Ok(_) => {}
                Err(error) if index + 1 == sessions.len() => return Err(error),
                Err(error) => tracing::warn!(%error, "a mirror was passed over"),
            }
        }
        if let Some(store) = &self.store {
            let reference = resolved.reference();
            let record = store.resolution(reference).map_err(failed(reference))?;
            if let Some(mut record) = record.filter(|record| record.digest == *resolved.digest()) {
                record.signatures = images.iter().map(Image::digest).collect();
                store.set_resolution(reference, &record).map_err(failed(reference))?;
            }
        }
        Ok(images)
    }

    /// The signatures that were read when the registry was asked last.
    ///
    /// # Errors
    /// The store cannot be read.
    pub async fn stored_signatures(&self, resolved: &Resolved) -> Result<Vec<Image>, Error> {
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        let reference = resolved.reference();
        let record = store.resolution(reference).map_err(failed(reference))?;
        let known = record.filter(|record| record.digest == *resolved.digest());
        let source = Source::stored(store);
        let mut images = Vec::new();
        for digest in known.into_iter().flat_map(|record| record.signatures).take(MAX_COUNT) {
            if let Some(manifest) = source.manifest(reference, &digest).await? {
                images.extend(whole(&source, resolved, manifest).await?);
            }
        }
        Ok(images)
    }

    async fn signatures_at(&self, session: &Session, resolved: &Resolved) -> Result<Vec<Image>, Error> {
        let source = Source::registry(session, self.store.as_ref());
        let failed = session.failed(Step::Signatures);
        let subject = resolved.digest();
        let mut images = Vec::new();
        if let Some(manifest) = behind(session, &signature_tag(subject)).await.map_err(&failed)? {
            let kept = source.manifest(resolved.reference(), &Digest::of(&manifest)).await?;
            images.extend(whole(&source, resolved, kept.unwrap_or(manifest)).await?);
        }
        for digest in listed(session, subject).await.map_err(&failed)? {
            match source.manifest(resolved.reference(), &digest).await {
                Ok(Some(manifest)) => images.extend(whole(&source, resolved, manifest).await?),
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "a signature is listed and cannot be read"),
            }
        }
        images.truncate(MAX_COUNT);
        Ok(images)
    }
}

/// The manifest behind a tag, if there is one.
async fn behind(session: &Session, tag: &str) -> Result<Option<Bytes>, Fault> {
    match session.manifest(Target::Tag(tag)).await {
        Ok(manifest) => Ok(Some(manifest.bytes)),
        Err(Fault::NotFound) => Ok(None),
        Err(other) => Err(other),
    }
}

/// The bundles that refer to a manifest.
async fn listed(session: &Session, subject: &Digest) -> Result<Vec<Digest>, Fault> {
    let Some(mut page) = session.page(session.referrers(subject, BUNDLE)?).await? else {
        let index = behind(session, &referrers_tag(subject)).await?;
        return index.map_or(Ok(Vec::new()), |index| bundles(&index));
    };
    let mut found = bundles(&page.index)?;
    for _ in 1..MAX_PAGES {
        let Some(next) = page.next.filter(|_| found.len() < MAX_COUNT) else { break };
        let Some(more) = session.page(next).await? else { break };
        found.extend(bundles(&more.index)?);
        page = more;
    }
    found.truncate(MAX_COUNT);
    Ok(found)
}

/// The bundles in a list of referrers.
fn bundles(index: &[u8]) -> Result<Vec<Digest>, Fault> {
    let index = ImageIndex::from_reader(index)
        .map_err(|error| Fault::Protocol(format!("its list of referrers cannot be read: {error}")))?;
    let bundles = index
        .manifests()
        .iter()
        .filter(|entry| entry.artifact_type().as_ref().is_some_and(|type_| type_.to_string() == BUNDLE));
    Ok(bundles.filter_map(|entry| blob(entry).ok()).map(|blob| blob.digest).take(MAX_COUNT).collect())
}

/// A manifest with its blobs; `None` if it is not one of signatures.
async fn whole(source: &Source<'_>, resolved: &Resolved, manifest: Bytes) -> Result<Option<Image>, Error> {
    let Some(named) = blobs(&manifest) else { return Ok(None) };
    let mut blobs = Vec::new();
    for blob in named {
        match source.blob(resolved.reference(), &blob, &|_, _| {}).await? {
            Some(bytes) => blobs.push(bytes),
            None => return Ok(None),
        }
    }
    Ok(Some(Image { media_type: MediaType::ImageManifest.to_string(), manifest, blobs }))
}

/// What a manifest of signatures names: its layers, then its config.
fn blobs(manifest: &[u8]) -> Option<Vec<Blob>> {
    let manifest = ImageManifest::from_reader(manifest).ok()?;
    let layers = manifest.layers().iter().chain([manifest.config()]);
    let blobs: Vec<Blob> = layers.map(blob).collect::<Result<_, _>>().ok()?;
    let fits = blobs.len() <= MAX_COUNT && blobs.iter().all(|blob| blob.size <= MAX_BYTES);
    fits.then_some(blobs)
}

impl Image {
    /// The signatures in it, in the order of its layers.
    #[must_use]
    pub fn evidence(&self) -> Vec<Evidence> {
        let Ok(manifest) = ImageManifest::from_reader(&self.manifest[..]) else { return Vec::new() };
        let layers = manifest.layers().iter().zip(&self.blobs);
        let evidence = layers.filter_map(|(layer, bytes)| match layer.media_type().to_string().as_str() {
            SIMPLE_SIGNING => Some(Evidence::SimpleSigning {
                payload: bytes.to_vec(),
                annotations: layer.annotations().clone().unwrap_or_default().into_iter().collect(),
            }),
            BUNDLE => Some(Evidence::Bundle(bytes.to_vec())),
            _ => None,
        });
        evidence.collect()
    }
}
