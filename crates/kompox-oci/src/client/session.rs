//! A conversation with one repository of one registry: URLs, retries with credentials, bounds.

use super::{
    Access, auth,
    body::{self, Meter},
    connection::Connection,
    failure,
};
use crate::{
    credentials::Credential,
    digest::Digest,
    error::{Error, Fault, Step},
    image::INDEX,
    reference::Reference,
    registries::Place,
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, LINK, LOCATION},
};
use reqwest::{Response, Url};
use tokio::sync::Mutex;

/// As the distribution specification recommends registries to allow.
pub(crate) const MANIFEST_LIMIT: u64 = 4 << 20;

const MANIFEST_TYPES: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, \
     application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

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

/// A page of a list of referrers.
pub(crate) struct Page {
    /// An image index.
    pub(crate) index: Bytes,
    /// Where the next one is.
    pub(crate) next: Option<Url>,
}

/// One repository, one credential, one kind of access.
pub(crate) struct Session {
    connection: Connection,
    place: Place,
    credential: Option<Credential>,
    access: Access,
    /// What the registry took before.
    authorization: Mutex<Option<HeaderValue>>,
}

impl Session {
    pub(super) fn new(
        connection: Connection,
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

    /// Where the registry lists what refers to a manifest and is of this type.
    pub(crate) fn referrers(&self, subject: &Digest, artifact_type: &str) -> Result<Url, Fault> {
        let mut url = self.url(&format!("referrers/{subject}"))?;
        url.query_pairs_mut().append_pair("artifactType", artifact_type);
        Ok(url)
    }

    /// One page of such a list; `None`: the registry does not know such lists. It may leave the type out of account.
    pub(crate) async fn page(&self, url: Url) -> Result<Option<Page>, Fault> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static(INDEX));
        let response = self.send(Method::GET, url.clone(), headers, None).await?;
        match response.status() {
            // The specification has the first of these; older registries answer with the others.
            StatusCode::NOT_FOUND
            | StatusCode::BAD_REQUEST
            | StatusCode::METHOD_NOT_ALLOWED
            | StatusCode::NOT_ACCEPTABLE => return Ok(None),
            // What takes every address for a web page.
            StatusCode::OK
                if !header(&response, &CONTENT_TYPE).is_some_and(|type_| type_.starts_with(INDEX)) =>
            {
                return Ok(None);
            }
            _ => {}
        }
        let response = failure::expect(response, &[StatusCode::OK]).await?;
        let next = self.next(&url, response.headers())?;
        let index = body::read(response, "the index of referrers", MANIFEST_LIMIT).await?;
        Ok(Some(Page { index, next }))
    }

    /// The address of the next page (RFC 8288), which is the same registry's.
    fn next(&self, url: &Url, headers: &HeaderMap) -> Result<Option<Url>, Fault> {
        let links = headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok());
        let Some(target) = links.flat_map(|value| value.split(',')).find_map(next_target) else {
            return Ok(None);
        };
        let next = url.join(target).map_err(|error| Fault::Protocol(error.to_string()))?;
        if self.is_here(&next) {
            Ok(Some(next))
        } else {
            Err(Fault::Protocol("its list of referrers goes on at another registry".to_owned()))
        }
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
            let request = self.connection.to_registry(method.clone(), url.clone());
            let mut request = request.headers(headers.clone());
            // A location that the registry names elsewhere gets no credentials.
            if let Some(authorization) = authorization.filter(|_| self.is_here(&url)) {
                request = request.header(AUTHORIZATION, authorization);
            }
            if let Some(body) = &body {
                request = request.body(body.clone());
            }
            self.connection.send(request)
        };
        let known = self.authorization.lock().await.clone();
        let response = attempt(known).await?;
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
        let response = attempt(Some(authorization)).await?;
        match (response.status(), &self.credential) {
            (StatusCode::UNAUTHORIZED, Some(_)) if auth::lacks_scope(response.headers()) => {
                Err(Fault::Forbidden)
            }
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

/// What a link of the relation `next` leads to.
fn next_target(link: &str) -> Option<&str> {
    let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
    let is_next = |parameter: &str| {
        let (name, value) = parameter.split_once('=').unwrap_or_default();
        name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"').eq_ignore_ascii_case("next")
    };
    parameters.split(';').any(is_next).then_some(target)
}

fn header(response: &Response, name: &HeaderName) -> Option<String> {
    response.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn length(bytes: u64) -> HeaderMap {
    [(CONTENT_LENGTH, HeaderValue::from(bytes))].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::next_target;

    #[test]
    fn the_next_page_is_the_one_that_the_link_calls_so() {
        for (link, target) in [
            ("</v2/a/referrers/sha256:0?page=2>; rel=\"next\"", Some("/v2/a/referrers/sha256:0?page=2")),
            (" <?n=2> ;title=x; REL = Next", Some("?n=2")),
            ("</v2/a>; rel=prev", None),
            ("</v2/a>", None),
            ("/v2/a; rel=next", None),
            ("</v2/a; rel=next", None),
        ] {
            assert_eq!(next_target(link), target, "{link}");
        }
    }
}
