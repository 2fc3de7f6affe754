//! Secrets, read live and kept for some seconds: a thousand objects that share one credential read it
//! once, and a changed one is forgotten by the watch.

use crate::reads;
use k8s_openapi::api::core::v1::Secret;
use kompox_core::driver::Credentials;
use kube::{Api, Client};
use secrecy::SecretString;
use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// How long a Secret may be used without being read again.
const KEPT: Duration = Duration::from_secs(10);
/// Secrets kept at most.
const CAPACITY: usize = 4096;

type Entries = HashMap<(String, String), (Instant, Credentials)>;

/// The Secrets read in the last seconds.
#[derive(Default)]
pub(super) struct CredentialCache(Mutex<Entries>);

impl CredentialCache {
    /// The entries of a Secret, or `None` when there is none of this name.
    pub(super) async fn read(
        &self,
        client: &Client,
        namespace: &str,
        name: &str,
    ) -> Result<Option<Credentials>, reads::Error> {
        if let Some(kept) = self.kept(namespace, name) {
            return Ok(Some(kept));
        }
        let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let Some(secret) = reads::find(&secrets, name).await? else { return Ok(None) };
        let credentials = entries(secret);
        let mut kept = self.entries();
        kept.retain(|_, (since, _)| since.elapsed() < KEPT);
        if kept.len() < CAPACITY {
            kept.insert((namespace.to_owned(), name.to_owned()), (Instant::now(), credentials.clone()));
        }
        Ok(Some(credentials))
    }

    /// Forgets one Secret.
    pub(super) fn forget(&self, namespace: &str, name: &str) {
        self.entries().remove(&(namespace.to_owned(), name.to_owned()));
    }

    fn kept(&self, namespace: &str, name: &str) -> Option<Credentials> {
        let kept = self.entries();
        let (since, credentials) = kept.get(&(namespace.to_owned(), name.to_owned()))?;
        (since.elapsed() < KEPT).then(|| credentials.clone())
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Values that are not UTF-8 are left out: no authentication profile takes raw bytes.
fn entries(secret: Secret) -> Credentials {
    let entries = secret.data.unwrap_or_default().into_iter();
    let text = entries.filter_map(|(key, value)| Some((key, String::from_utf8(value.0).ok()?)));
    // A trailing line break is what `kubectl create secret --from-file` brings along.
    Credentials::new(
        text.map(|(key, value)| (key, SecretString::from(value.trim_end_matches('\n')))).collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use k8s_openapi::ByteString;
    use secrecy::ExposeSecret;

    #[test]
    fn entries_lose_a_trailing_line_break_and_raw_bytes_are_left_out() {
        let data = [
            ("key".to_owned(), ByteString(b"value\n".to_vec())),
            ("raw".to_owned(), ByteString(vec![0xff, 0xfe])),
        ];
        let credentials = entries(Secret { data: Some(data.into()), ..Secret::default() });
        assert_eq!(credentials.get("key").map(ExposeSecret::expose_secret), Some("value"));
        assert!(credentials.get("raw").is_none());
    }
}
