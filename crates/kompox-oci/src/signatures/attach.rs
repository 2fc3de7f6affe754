//! Puts a signature beside a manifest, in the form it has: one more layer behind the tag, or one more referrer.

use super::{BUNDLE, SIMPLE_SIGNING, behind, referrers_tag, signature_tag};
use crate::{
    client::{Access, Client, Session, Target},
    credentials::Credentials,
    digest::Digest,
    error::{Error, Fault, Step},
    image::{INDEX, Image, MANIFEST, descriptor},
    reference::Reference,
};
use bytes::Bytes;
use kompox_signature::Evidence;
use serde_json::{Value, json};

const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const IMAGE_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

impl Client {
    /// Adds a signature of the manifest `subject` in the repository of `reference`. What is there stays.
    ///
    /// # Errors
    /// What the registry says.
    pub async fn attach(
        &self,
        reference: &Reference,
        subject: &Digest,
        evidence: &Evidence,
        credentials: &Credentials,
    ) -> Result<Digest, Error> {
        let session = self.origin(reference, credentials, Access::Push)?;
        let attached = match evidence {
            Evidence::SimpleSigning { payload, annotations } => {
                let mut layer = descriptor(SIMPLE_SIGNING, payload);
                set(&mut layer, "annotations", json!(annotations));
                layer_behind_tag(&session, subject, layer, Bytes::from(payload.clone())).await
            }
            Evidence::Bundle(bundle) => referrer(&session, subject, Bytes::from(bundle.clone())).await,
        };
        attached.map_err(session.failed(Step::Push))
    }
}

async fn layer_behind_tag(
    session: &Session,
    subject: &Digest,
    layer: Value,
    payload: Bytes,
) -> Result<Digest, Fault> {
    let tag = signature_tag(subject);
    let known = match behind(session, &tag).await? {
        Some(manifest) => list(&manifest, "layers")?,
        None => Vec::new(),
    };
    let others = known.into_iter().filter(|known| *known != layer);
    let layers: Vec<Value> = others.chain([layer.clone()]).collect();
    let ids: Vec<&Value> = layers.iter().filter_map(|layer| layer.get("digest")).collect();
    let config = json!({
        "architecture": "", "os": "", "config": {}, "rootfs": { "type": "layers", "diff_ids": ids },
    });
    let config = Bytes::from(config.to_string());
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": descriptor(IMAGE_CONFIG, &config),
        "layers": layers,
    });
    let image = image(&manifest, vec![payload, config]);
    upload(session, &image).await?;
    put(session, Target::Tag(&tag), &image).await?;
    Ok(image.digest())
}

async fn referrer(session: &Session, subject: &Digest, bundle: Bytes) -> Result<Digest, Fault> {
    let signed = session.manifest(Target::Digest(subject)).await?;
    let empty = Bytes::from_static(b"{}");
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": BUNDLE,
        "config": descriptor(EMPTY, &empty),
        "layers": [descriptor(BUNDLE, &bundle)],
        "subject": descriptor(&media_type(&signed.bytes), &signed.bytes),
    });
    let image = image(&manifest, vec![bundle, empty]);
    let digest = image.digest();
    upload(session, &image).await?;
    put(session, Target::Digest(&digest), &image).await?;
    Ok(digest)
}

async fn upload(session: &Session, image: &Image) -> Result<(), Fault> {
    for blob in &image.blobs {
        session.upload(blob, &|_, _| {}).await?;
    }
    Ok(())
}

/// Stores the manifest of an image whose blobs are there. What names a subject is entered in its list of referrers, where the registry does not do it.
pub(crate) async fn put(session: &Session, target: Target<'_>, image: &Image) -> Result<(), Fault> {
    let listed = session.put_manifest(target, &image.media_type, &image.manifest).await?;
    let manifest = object(&image.manifest)?;
    let subject = manifest.pointer("/subject/digest").and_then(Value::as_str);
    match subject.and_then(|subject| subject.parse::<Digest>().ok()) {
        Some(subject) if !listed => enter(session, &subject, image, &manifest).await,
        _ => Ok(()),
    }
}

/// Enters an image in the list that stands behind a tag (OCI distribution, "referrers tag schema").
async fn enter(session: &Session, subject: &Digest, image: &Image, manifest: &Value) -> Result<(), Fault> {
    let tag = referrers_tag(subject);
    let known = match behind(session, &tag).await? {
        Some(index) => list(&index, "manifests")?,
        None => Vec::new(),
    };
    let mut entry = descriptor(MANIFEST, &image.manifest);
    set(&mut entry, "artifactType", manifest.get("artifactType").cloned().unwrap_or_else(|| json!(BUNDLE)));
    let others = known.into_iter().filter(|known| known.get("digest") != entry.get("digest"));
    let manifests: Vec<Value> = others.chain([entry.clone()]).collect();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests });
    session.put_manifest(Target::Tag(&tag), INDEX, &Bytes::from(index.to_string())).await.map(drop)
}

fn image(manifest: &Value, blobs: Vec<Bytes>) -> Image {
    Image { manifest: manifest.to_string().into(), media_type: MANIFEST.to_owned(), blobs }
}

fn object(manifest: &[u8]) -> Result<Value, Fault> {
    serde_json::from_slice(manifest).map_err(|error| Fault::Protocol(error.to_string()))
}

fn list(manifest: &[u8], member: &str) -> Result<Vec<Value>, Fault> {
    Ok(object(manifest)?.get(member).and_then(Value::as_array).cloned().unwrap_or_default())
}

fn media_type(manifest: &[u8]) -> String {
    let named = object(manifest).ok().and_then(|value| Some(value.get("mediaType")?.as_str()?.to_owned()));
    named.unwrap_or_else(|| MANIFEST.to_owned())
}

fn set(object: &mut Value, member: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(member.to_owned(), value);
    }
}
