//! Gives the operator of the development cluster the driver of devcloud: the component that is built beside this
//! program, in a ConfigMap as any third party's, with the cluster's own account for every object.

use std::path::PathBuf;

use kompox_crds::names::{OPERATOR_NAMESPACE, labels};
use kompox_devcluster::StorageState;
use kompox_driver_runtime::digest;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Conflicts};
use crate::commands::driver::objects::{self, Driver, Source};
use crate::failure::Failure;

/// Name of the KompoxDriver, of the Secret with the account, and of the provider type.
const NAME: &str = "devcloud";

/// The component beside this program; none when it was not built.
pub fn component() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    Some(program.with_file_name("example-drivers").join("devcloud.wasm")).filter(|path| path.is_file())
}

/// Applies everything; the operator takes it up when it starts.
///
/// # Errors
/// When a file cannot be read or the API server refuses an object.
pub async fn install(cluster: &Cluster, storage: &StorageState) -> Result<(), Failure> {
    let Some(path) = component() else { return Ok(()) };
    let component = std::fs::read(&path).map_err(|source| Failure::ReadFile { path, source })?;
    let driver = Driver {
        name: NAME.to_owned(),
        labels: [].into(),
        source: Source::Component {
            digest: digest(&component),
            packed: objects::packed(&component).map_err(Failure::Dev)?,
        },
        egress: Some("Declared"),
        config: [("endpoint".to_owned(), format!("{}/", storage.url.trim_end_matches('/')))].into(),
        credentials_secret: Some(NAME.to_owned()),
    };
    let mut all = vec![secret(storage)?];
    all.extend(objects::of(&driver, OPERATOR_NAMESPACE)?);
    for object in &all {
        cluster.apply(object, Conflicts::Force).await?;
    }
    Ok(())
}

/// The account of the token file's line `ACCOUNT TOKEN`.
fn secret(storage: &StorageState) -> Result<Value, Failure> {
    let path = &storage.token_file;
    let text =
        std::fs::read_to_string(path).map_err(|source| Failure::ReadFile { path: path.clone(), source })?;
    // The file begins with a comment.
    let mut accounts = text.lines().filter(|line| !line.starts_with('#'));
    let token = accounts.find_map(|line| line.split_whitespace().nth(1));
    let token = token.ok_or_else(|| Failure::BadFile {
        path: path.clone(),
        message: "it has no line `ACCOUNT TOKEN`; start the cluster anew with `kompoxops dev up`".to_owned(),
    })?;
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": NAME,
            "namespace": OPERATOR_NAMESPACE,
            "labels": { labels::MANAGED_BY: labels::MANAGED_BY_KOMPOX },
        },
        "stringData": { "token": token },
    }))
}

/// The network in which the operator's drivers may reach devcloud, which speaks plain HTTP: its one address.
pub fn network(storage: &StorageState) -> Option<String> {
    let authority = storage.url.strip_prefix("http://")?;
    let host = authority.split(['/', ':']).next()?;
    host.parse::<std::net::Ipv4Addr>().ok().map(|address| format!("{address}/32"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn storage(url: &str, token_file: PathBuf) -> StorageState {
        StorageState { url: url.to_owned(), token_file, zones: vec!["dev-a".to_owned()] }
    }

    #[test]
    fn the_network_is_the_one_address() {
        let network = |url: &str| network(&storage(url, PathBuf::new()));
        assert_eq!(network("http://10.243.0.2:7070").as_deref(), Some("10.243.0.2/32"));
        assert_eq!(network("http://10.243.0.2:7070/").as_deref(), Some("10.243.0.2/32"));
        assert_eq!(network("https://devcloud"), None);
    }

    #[test]
    fn the_token_goes_into_a_secret_and_a_file_without_one_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let storage = storage("http://127.0.0.1:1", file.path().to_owned());
        assert!(secret(&storage).unwrap_err().to_string().contains(&file.path().display().to_string()));
        std::fs::write(file.path(), "# for development only: ACCOUNT TOKEN\ndevelopment abc\n").unwrap();
        assert_eq!(secret(&storage).unwrap()["stringData"]["token"], "abc");
    }
}
