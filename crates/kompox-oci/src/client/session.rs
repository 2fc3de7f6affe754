//! A conversation with one repository of one registry: URLs, retries with credentials, bounds.

use super::{Access, auth, body, failure};
use crate::{
    credentials::Credential,
    digest::Digest,
    error::{Error, Fault, Step},
    reference::Reference,
    registries::Place,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LOCATION},
};
use reqwest::{Response, Url};
use tokio::sync::Mutex;

/// As the distribution specification recommends registries to allow.
pub(crate) const MANIFEST_LIMIT: u64 = 4 << 20;

const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// Told how many bytes of how many are done.
pub(crate) type Meter<'a> = &'a (dyn Fn(u64, u64) + Send + Sync);

/// A tag or a digest.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Target<'a> {
    Tag(&'a str),
    Digest(&'a Digest),
}

impl Target<'_> {
    fn as_str(&self) -> &str {
        match self {
            Self::Tag(tag) => tag,
            Self::Digest(digest) => digest.as_str(),
        }
    }
}

/// A manifest as it came.
#[derive(Clone, Debug)]
pub(crate) struct Manifest {
    pub(crate) digest: Digest,
    pub(crate) bytes: Bytes,
}

/// One repository, one credential, one kind of access.
pub(crate) struct Session {
    connection: reqwest::Client,
    place: Place,
    credential: Option<Credential>,
    access: Access,
    /// What the registry took before.
    authorization: Mutex<Option<HeaderValue>>,
}

impl Session {
    pub(super) fn new(
        connection: reqwest::Client,
        place: Place,
        credential: Option<Credential>,
        access: Access,
    ) -> Self {
        Self { connection, place, credential, access, authorization: Mutex::default() }
    }

    pub(crate) fn reference(&self) -> &Reference {
        &self.place.reference
    }

    /// The error of a step in this repository.
    pub(crate) fn failed(&self, step: Step) -> impl Fn(Fault) -> Error + '_ {
        move |fault| Error::Registry { step, reference: self.place.reference.to_string(), fault }
    }

    /// The manifest, checked against the digest if it was asked for by one.
    pub(crate) async fn manifest(&self, target: Target<'_>) -> Result<Manifest, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(MANIFEST_TYPES));
        let url = self.url(&format!("manifests/{}", target.as_str()))?;
        let response = self.send(Method::GET, url, headers, None).await?;
        let bytes =
            body::read(failure::expect(response, &[StatusCode::OK]).await?, "the manifest", MANIFEST_LIMIT)
                .await?;
        let digest = Digest::of(&bytes);
        match target {
            Target::Digest(expected) if *expected != digest => {
                Err(Fault::Digest { expected: expected.clone(), found: digest })
            }
            _ => Ok(Manifest { digest, bytes }),
        }
    }

    /// The digest that a tag stands for, without its manifest. `None`: the registry does not say without it.
    pub(crate) async fn head(&self, tag: &str) -> Result<Option<Digest>, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(MANIFEST_TYPES));
        let url = self.url(&format!("manifests/{tag}"))?;
        let response = self.send(Method::HEAD, url, headers, None).await?;
        let response = failure::expect(response, &[StatusCode::OK]).await?;
        Ok(header(&response, &CONTENT_DIGEST).and_then(|digest| digest.parse().ok()))
    }

    /// The blob, which must have `size` bytes and this digest.
    pub(crate) async fn blob(&self, digest: &Digest, size: u64, meter: Meter<'_>) -> Result<Bytes, Fault> {
        let url = self.url(&format!("blobs/{digest}"))?;
        let response = self.send(Method::GET, url, HeaderMap::new(), None).await?;
        let response = failure::expect(response, &[StatusCode::OK]).await?;
        body::read_exactly(response, digest, size, meter).await
    }

    /// The index of what refers to a manifest; `None`: the registry does not know such indexes.
    pub(crate) async fn referrers(&self, subject: &Digest) -> Result<Option<Bytes>, Fault> {
        let url = self.url(&format!("referrers/{subject}"))?;
        let response = self.send(Method::GET, url, HeaderMap::new(), None).await?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let response = failure::expect(response, &[StatusCode::OK]).await?;
        body::read(response, "the index of referrers", MANIFEST_LIMIT).await.map(Some)
    }

    /// Uploads a blob in one piece, if the registry does not have it already.
    pub(crate) async fn upload(&self, blob: &Bytes, meter: Meter<'_>) -> Result<(), Fault> {
        let digest = Digest::of(blob);
        let size = blob.len() as u64;
        let url = self.url(&format!("blobs/{digest}"))?;
        let known = self.send(Method::HEAD, url, HeaderMap::new(), None).await?;
        if known.status() == StatusCode::OK {
            meter(size, size);
            return Ok(());
        }
        let begun = self.send(Method::POST, self.url("blobs/uploads/")?, length(0), None).await?;
        let begun = failure::expect(begun, &[StatusCode::ACCEPTED]).await?;
        let mut location = self.location(&begun)?;
        location.query_pairs_mut().append_pair("digest", digest.as_str());
        let mut headers = length(size);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        meter(0, size);
        let done = self.send(Method::PUT, location, headers, Some(blob.clone())).await?;
        failure::expect(done, &[StatusCode::CREATED]).await?;
        meter(size, size);
        Ok(())
    }

    /// Stores a manifest. `true`: the registry lists it under its subject by itself.
    pub(crate) async fn put_manifest(
        &self,
        target: Target<'_>,
        media_type: &str,
        bytes: &Bytes,
    ) -> Result<bool, Fault> {
        let mut headers = length(bytes.len() as u64);
        let type_ = HeaderValue::from_str(media_type).map_err(|error| Fault::Protocol(error.to_string()))?;
        headers.insert(CONTENT_TYPE, type_);
        let url = self.url(&format!("manifests/{}", target.as_str()))?;
        let response = self.send(Method::PUT, url, headers, Some(bytes.clone())).await?;
        let response = failure::expect(response, &[StatusCode::CREATED]).await?;
        Ok(response.headers().contains_key("oci-subject"))
    }

    /// Sends a request, a second time with credentials if the registry asks for them.
    async fn send(
        &self,
        method: Method,
        url: Url,
        headers: HeaderMap,
        body: Option<Bytes>,
    ) -> Result<Response, Fault> {
        let attempt = |authorization: Option<HeaderValue>| {
            let mut request = self.connection.request(method.clone(), url.clone()).headers(headers.clone());
            // A location that the registry names elsewhere gets no credentials.
            if let Some(authorization) = authorization.filter(|_| self.is_here(&url)) {
                request = request.header(AUTHORIZATION, authorization);
            }
            if let Some(body) = &body {
                request = request.body(body.clone());
            }
            request.send()
        };
        let known = self.authorization.lock().await.clone();
        let response = attempt(known).await.map_err(|error| failure::of(&error))?;
        if response.status() != StatusCode::UNAUTHORIZED || !self.is_here(&url) {
            return Ok(response);
        }
        let question = auth::Question {
            connection: &self.connection,
            credential: self.credential.as_ref(),
            repository: self.place.reference.repository(),
            access: self.access,
            plain_http: self.place.plain_http,
        };
        let authorization = question.answer(response.headers()).await?;
        *self.authorization.lock().await = Some(authorization.clone());
        let response = attempt(Some(authorization)).await.map_err(|error| failure::of(&error))?;
        match (response.status(), &self.credential) {
            (StatusCode::UNAUTHORIZED, Some(_)) => Err(Fault::BadCredentials),
            (StatusCode::UNAUTHORIZED, None) => Err(Fault::Unauthenticated),
            _ => Ok(response),
        }
    }

    fn base(&self) -> String {
        let scheme = if self.place.plain_http { "http" } else { "https" };
        format!("{scheme}://{}", self.place.reference.api_host())
    }

    fn url(&self, rest: &str) -> Result<Url, Fault> {
        let text = format!("{}/v2/{}/{rest}", self.base(), self.place.reference.repository());
        Url::parse(&text).map_err(|error| Fault::Configuration(format!("`{text}` is no address: {error}")))
    }

    fn location(&self, response: &Response) -> Result<Url, Fault> {
        let missing = || Fault::Protocol("it names no location for the upload".to_owned());
        let location = header(response, &LOCATION).ok_or_else(missing)?;
        let base = Url::parse(&self.base()).map_err(|error| Fault::Configuration(error.to_string()))?;
        base.join(&location).map_err(|error| Fault::Protocol(error.to_string()))
    }

    fn is_here(&self, url: &Url) -> bool {
        Url::parse(&self.base()).is_ok_and(|base| base.origin() == url.origin())
    }
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn length(bytes: u64) -> HeaderMap {
    [(CONTENT_LENGTH, HeaderValue::from(bytes))].into_iter().collect()
}
