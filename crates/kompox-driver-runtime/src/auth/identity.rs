//! The operator's own identity at clouds: what the platform gives to its process (a service account's
//! token, a metadata server). The administrator grants its use per driver; nothing that a tenant
//! writes chooses a file, a role or a server here.

use http::Uri;
use std::{
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    path::{Path, PathBuf},
};

/// Longest file of a token, in bytes.
const TOKEN_FILE: u64 = 64 << 10;
/// Where AWS serves credentials of containers over plain http: ECS and EKS Pod Identity (AWS SDKs and
/// Tools Reference Guide, "Container credential provider").
const CONTAINER_HOSTS: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 2)),
    IpAddr::V4(Ipv4Addr::new(169, 254, 170, 23)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23)),
];
/// The metadata server of Google Cloud; its name may be missing in DNS.
const GOOGLE_METADATA: &str = "169.254.169.254";
/// Its addresses ("Access VM metadata").
const GOOGLE_METADATA_HOSTS: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254)),
];
/// The public cloud of Microsoft Entra.
pub(super) const AZURE_AUTHORITY: &str = "https://login.microsoftonline.com";

/// Whether a driver may act with the operator's own identity when a call brings no credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WorkloadIdentityGrant {
    /// Never: credentials come from a Secret.
    #[default]
    Denied,
    /// Yes.
    Granted,
}

/// The operator's identities, one per cloud at most.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkloadIdentity {
    /// For `azure-token`.
    pub azure: Option<AzureIdentity>,
    /// For `aws-sigv4`.
    pub aws: Option<AwsIdentity>,
    /// For `google-token`.
    pub google: Option<GoogleIdentity>,
}

/// Microsoft Entra Workload ID: a token of the service account is exchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureIdentity {
    /// Directory id.
    pub tenant_id: String,
    /// Id of the application or managed identity.
    pub client_id: String,
    /// File with the service account's token, read anew for every exchange.
    pub token_file: PathBuf,
    /// Origin of the token endpoint, such as `https://login.microsoftonline.com`.
    pub authority: String,
}

/// An identity at AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsIdentity {
    /// IAM roles for service accounts: a token of the service account is exchanged for a key.
    WebIdentity {
        /// The role.
        role_arn: String,
        /// File with the service account's token, read anew for every exchange.
        token_file: PathBuf,
        /// The token service instead of the region's own.
        sts_url: Option<String>,
    },
    /// EKS Pod Identity, or another server of container credentials.
    Container {
        /// The server's URL.
        url: String,
        /// File with the token that the server wants, read anew for every request.
        token_file: Option<PathBuf>,
    },
}

/// An identity at Google Cloud.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GoogleIdentity {
    /// Workload Identity Federation for GKE: the metadata server gives tokens.
    Metadata {
        /// Host, perhaps with a port.
        host: String,
    },
    /// Workload identity federation elsewhere: a configuration of type `external_account` with a file
    /// as its source.
    Federation {
        /// The configuration file, as `gcloud iam workload-identity-pools create-cred-config` makes it.
        config_file: PathBuf,
    },
}

/// An environment variable of an identity that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("failed to read the workload identity from {variable}: {what}")]
pub struct IdentityError {
    /// The variable.
    pub variable: &'static str,
    /// What is wrong with its value.
    pub what: &'static str,
}

impl WorkloadIdentity {
    /// Reads the variables that the platforms' own webhooks and SDKs use. `variable` gives the value of
    /// an environment variable; an empty one counts as not set.
    ///
    /// | Cloud | Variables |
    /// |---|---|
    /// | Azure | `AZURE_TENANT_ID`, `AZURE_CLIENT_ID`, `AZURE_FEDERATED_TOKEN_FILE`, `AZURE_AUTHORITY_HOST` |
    /// | AWS | `AWS_ROLE_ARN`, `AWS_WEB_IDENTITY_TOKEN_FILE`, `AWS_ENDPOINT_URL_STS`; else `AWS_CONTAINER_CREDENTIALS_FULL_URI`, `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE` |
    /// | Google | `GOOGLE_APPLICATION_CREDENTIALS` (type `external_account`); else `GCE_METADATA_HOST`, which must be set, if only to `169.254.169.254` |
    ///
    /// # Errors
    /// A URL that is neither https nor on a host that platforms serve credentials from.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, IdentityError> {
        let get = |name: &str| variable(name).filter(|value| !value.is_empty());
        Ok(Self { azure: azure(&get)?, aws: aws(&get)?, google: google(&get)? })
    }
}

fn azure(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<AzureIdentity>, IdentityError> {
    let (Some(tenant_id), Some(client_id), Some(file)) =
        (get("AZURE_TENANT_ID"), get("AZURE_CLIENT_ID"), get("AZURE_FEDERATED_TOKEN_FILE"))
    else {
        return Ok(None);
    };
    let authority = get("AZURE_AUTHORITY_HOST").unwrap_or_else(|| AZURE_AUTHORITY.to_owned());
    check_url("AZURE_AUTHORITY_HOST", &authority)?;
    let authority = authority.trim_end_matches('/').to_owned();
    Ok(Some(AzureIdentity { tenant_id, client_id, token_file: file.into(), authority }))
}

fn aws(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<AwsIdentity>, IdentityError> {
    if let (Some(role_arn), Some(file)) = (get("AWS_ROLE_ARN"), get("AWS_WEB_IDENTITY_TOKEN_FILE")) {
        let sts_url = get("AWS_ENDPOINT_URL_STS");
        if let Some(url) = &sts_url {
            check_url("AWS_ENDPOINT_URL_STS", url)?;
        }
        return Ok(Some(AwsIdentity::WebIdentity { role_arn, token_file: file.into(), sts_url }));
    }
    let Some(url) = get("AWS_CONTAINER_CREDENTIALS_FULL_URI") else { return Ok(None) };
    check_url("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url)?;
    let token_file = get("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").map(PathBuf::from);
    Ok(Some(AwsIdentity::Container { url, token_file }))
}

fn google(get: &dyn Fn(&str) -> Option<String>) -> Result<Option<GoogleIdentity>, IdentityError> {
    if let Some(file) = get("GOOGLE_APPLICATION_CREDENTIALS") {
        return Ok(Some(GoogleIdentity::Federation { config_file: file.into() }));
    }
    let Some(host) = get("GCE_METADATA_HOST") else { return Ok(None) };
    let host = if host == "metadata.google.internal" { GOOGLE_METADATA.to_owned() } else { host };
    let what = "it must be the metadata server's name or address, or a loopback address";
    let address = address(&host).filter(|ip| ip.is_loopback() || GOOGLE_METADATA_HOSTS.contains(ip));
    match address {
        Some(_) => Ok(Some(GoogleIdentity::Metadata { host })),
        None => Err(IdentityError { variable: "GCE_METADATA_HOST", what }),
    }
}

/// https anywhere; plain http only to this machine and to the addresses of container credentials.
fn check_url(variable: &'static str, url: &str) -> Result<(), IdentityError> {
    if is_trusted(url) {
        return Ok(());
    }
    let what = "it must be an https URL, or http to a loopback address or that of container credentials";
    Err(IdentityError { variable, what })
}

/// Whether a URL that the administrator gave may be asked for tokens.
pub(super) fn is_trusted(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else { return false };
    match (uri.scheme_str(), uri.host()) {
        (Some("https"), Some(host)) => !host.is_empty(),
        (Some("http"), Some(host)) => {
            address(host).is_some_and(|ip| ip.is_loopback() || CONTAINER_HOSTS.contains(&ip))
        }
        _ => false,
    }
}

/// The address that `host`, perhaps with a port, is written as.
fn address(host: &str) -> Option<IpAddr> {
    let uri: Uri = format!("http://{host}/").parse().ok()?;
    let host = uri.host()?;
    host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(host).parse().ok()
}

/// Why a file of an identity cannot be read. Holds the path and never the content.
#[derive(Debug)]
pub(super) struct FileError(String);

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text of a file that the administrator named. Platforms replace such files: nothing is kept.
pub(super) async fn read_file(path: &Path) -> Result<String, FileError> {
    let failed = |what: &dyn fmt::Display| FileError(format!("failed to read {}: {what}", path.display()));
    let owned = path.to_owned();
    let read = move || -> io::Result<String> {
        use io::Read as _;
        let mut text = String::new();
        std::fs::File::open(owned)?.take(TOKEN_FILE).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = tokio::task::spawn_blocking(read).await.map_err(|error| failed(&error))?;
    let text = text.map_err(|error| failed(&error.kind()))?;
    let text = text.trim();
    if text.is_empty() {
        return Err(failed(&"it is empty"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &[(&str, &str)]) -> Result<WorkloadIdentity, IdentityError> {
        WorkloadIdentity::from_environment(|name| {
            list.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn the_variables_of_the_platforms() {
        assert_eq!(read(&[]), Ok(WorkloadIdentity::default()));
        let azure = read(&[
            ("AZURE_TENANT_ID", "t"),
            ("AZURE_CLIENT_ID", "c"),
            ("AZURE_FEDERATED_TOKEN_FILE", "/token"),
            ("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.us/"),
        ]);
        assert_eq!(azure.unwrap().azure.unwrap().authority, "https://login.microsoftonline.us");
        let irsa = [("AWS_ROLE_ARN", "arn"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/t")];
        assert!(matches!(read(&irsa).unwrap().aws, Some(AwsIdentity::WebIdentity { .. })));
        let pod = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials")];
        assert!(matches!(read(&pod).unwrap().aws, Some(AwsIdentity::Container { .. })));
        let metadata = read(&[("GCE_METADATA_HOST", "metadata.google.internal")]).unwrap().google;
        assert_eq!(metadata, Some(GoogleIdentity::Metadata { host: "169.254.169.254".to_owned() }));
        assert_eq!(read(&[("AWS_ROLE_ARN", "arn")]).unwrap().aws, None, "half an identity is none");
    }

    #[test]
    fn plain_http_is_for_known_places() {
        for (url, trusted) in [
            ("https://sts.example/", true),
            ("http://127.0.0.1:8080/x", true),
            ("http://[::1]/", true),
            ("http://[fd00:ec2::23]/v1/credentials", true),
            ("http://169.254.169.254/", false),
            ("http://sts.example/", false),
            ("http://127.0.0.1.example/", false),
            ("ftp://127.0.0.1/", false),
            ("sts.example", false),
        ] {
            assert_eq!(is_trusted(url), trusted, "{url}");
        }
        let error = read(&[("GCE_METADATA_HOST", "10.0.0.1")]).unwrap_err();
        assert_eq!(error.variable, "GCE_METADATA_HOST");
        let error = read(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://10.0.0.1/")]).unwrap_err();
        assert!(error.to_string().contains("https"), "{error}");
    }
}
