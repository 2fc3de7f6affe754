//! The driver's configuration and the URLs that follow from it.

use kompox_driver_sdk::{call::CallContext, json, types::Error};
use serde::Deserialize;

/// The CSI driver of the EKS add-on.
pub(crate) const CSI_ADDON: &str = "ebs.csi.aws.com";
/// The CSI driver of EKS Auto Mode.
pub(crate) const CSI_AUTO_MODE: &str = "ebs.csi.eks.amazonaws.com";

/// `spec.provider.config`; its schema is in `descriptor.json`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Config {
    /// Such as `us-west-2`.
    pub(crate) region: String,
    /// Name of the EKS cluster.
    pub(crate) cluster_name: Option<String>,
    /// CSI driver of disks whose options name none.
    pub(crate) csi_driver: Option<String>,
    /// KMS key of disks whose options name none.
    pub(crate) kms_key: Option<String>,
    /// EC2 endpoint in place of the region's.
    pub(crate) endpoint: Option<String>,
    /// STS endpoint in place of the region's.
    pub(crate) sts_endpoint: Option<String>,
}

/// An API with an endpoint of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// Volumes and snapshots.
    Ec2,
    /// Who am I?
    Sts,
}

impl Config {
    /// Reads the configuration of a call; the cluster's name stands in where it has none. (Its region
    /// does not: the host resolves the endpoints from the configuration alone.)
    pub(crate) fn from_context(context: &CallContext) -> Result<Self, Error> {
        let mut config: Self = json::config(&context.config)?;
        config.cluster_name = config.cluster_name.or_else(|| context.cluster.name.clone());
        config.check()?;
        Ok(config)
    }

    /// Checks what decides where requests go: a region is pasted into a host name.
    fn check(&self) -> Result<(), Error> {
        if !is_region(&self.region) {
            let message = format!("\"{}\" is not the name of an AWS region", self.region);
            return Err(Error::invalid("config.region", "InvalidRegion", message));
        }
        for (field, url) in [("endpoint", &self.endpoint), ("stsEndpoint", &self.sts_endpoint)] {
            if url.as_deref().is_some_and(|url| !is_endpoint(url)) {
                let message = format!("config.{field} must be http(s)://host[:port]/ with the final slash");
                return Err(Error::invalid(&format!("config.{field}"), "InvalidEndpoint", message));
            }
        }
        if self.endpoint.is_some() && self.endpoint == self.sts_endpoint {
            let message = "config.endpoint and config.stsEndpoint must differ: the URL decides for which \
                           service a request is signed";
            return Err(Error::invalid("config.stsEndpoint", "EndpointsOverlap", message));
        }
        Ok(())
    }

    /// Where requests to a service go.
    pub(crate) fn url(&self, service: Service) -> String {
        let (given, name) = match service {
            Service::Ec2 => (&self.endpoint, "ec2"),
            Service::Sts => (&self.sts_endpoint, "sts"),
        };
        given.clone().unwrap_or_else(|| format!("https://{name}.{}.{}/", self.region, self.dns_suffix()))
    }

    /// After the partitions of botocore's endpoints.json; the isolated ones need `endpoint`.
    fn dns_suffix(&self) -> &'static str {
        match self.region.split('-').next() {
            Some("cn") => "amazonaws.com.cn",
            Some("eusc") => "amazonaws.eu",
            _ => "amazonaws.com",
        }
    }

    /// The CSI driver of a disk with that option.
    pub(crate) fn csi_driver<'a>(&'a self, option: Option<&'a str>) -> &'a str {
        option.or(self.csi_driver.as_deref()).unwrap_or(CSI_ADDON)
    }
}

/// Whether `text` has the form of a region: words of lower-case letters, then a number.
fn is_region(text: &str) -> bool {
    let words: Vec<&str> = text.split('-').collect();
    let Some((number, names)) = words.split_last() else { return false };
    let digits = (1..=2).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let letters =
        names.iter().all(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase()));
    digits && letters && names.len() >= 2 && text.len() <= 40
}

fn is_endpoint(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let authority = rest.and_then(|rest| rest.strip_suffix('/'));
    authority.is_some_and(|authority| {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-.:[]".contains(&byte);
        !authority.is_empty() && authority.len() <= 500 && authority.bytes().all(plain)
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Config, Service};
    use kompox_driver_sdk::call::{CallContext, Cluster};

    pub(crate) fn context(config: &str) -> CallContext {
        CallContext {
            provider_type: "eks".into(),
            config: config.into(),
            cluster: Cluster { uid: "u".into(), name: Some("prod".into()), region: None },
            traceparent: None,
            attributes: vec![],
        }
    }

    #[test]
    fn urls_follow_the_partition_and_the_overrides() {
        for (config, ec2, sts) in [
            (
                r#"{"region":"us-west-2"}"#,
                "https://ec2.us-west-2.amazonaws.com/",
                "https://sts.us-west-2.amazonaws.com/",
            ),
            (
                r#"{"region":"cn-north-1"}"#,
                "https://ec2.cn-north-1.amazonaws.com.cn/",
                "https://sts.cn-north-1.amazonaws.com.cn/",
            ),
            (
                r#"{"region":"eusc-de-east-1"}"#,
                "https://ec2.eusc-de-east-1.amazonaws.eu/",
                "https://sts.eusc-de-east-1.amazonaws.eu/",
            ),
            (
                r#"{"region":"us-west-2","endpoint":"http://127.0.0.1:5000/"}"#,
                "http://127.0.0.1:5000/",
                "https://sts.us-west-2.amazonaws.com/",
            ),
        ] {
            let config = Config::from_context(&context(config)).unwrap();
            assert_eq!((config.url(Service::Ec2).as_str(), config.url(Service::Sts).as_str()), (ec2, sts));
        }
    }

    #[test]
    fn the_cluster_gives_its_name_where_the_configuration_has_none() {
        for (config, expected) in [
            (r#"{"region":"us-east-1"}"#, "prod"),
            (r#"{"region":"us-east-1","clusterName":"other"}"#, "other"),
        ] {
            let config = Config::from_context(&context(config)).unwrap();
            assert_eq!(config.cluster_name.as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_configuration_cannot_move_requests_elsewhere() {
        for (config, reason) in [
            ("{}", "InvalidConfig"),
            (r#"{"region":7}"#, "InvalidConfig"),
            ("[]", "InvalidConfig"),
            (r#"{"region":"x.evil.example/"}"#, "InvalidRegion"),
            (r#"{"region":"us-west"}"#, "InvalidRegion"),
            (r#"{"region":"west-2"}"#, "InvalidRegion"),
            (r#"{"region":"us--2"}"#, "InvalidRegion"),
            (r#"{"region":"us-west-2","endpoint":"http://a/b/"}"#, "InvalidEndpoint"),
            (r#"{"region":"us-west-2","endpoint":"http://a"}"#, "InvalidEndpoint"),
            (r#"{"region":"us-west-2","stsEndpoint":"http://u@a/"}"#, "InvalidEndpoint"),
            (
                r#"{"region":"us-west-2","endpoint":"http://a/","stsEndpoint":"http://a/"}"#,
                "EndpointsOverlap",
            ),
        ] {
            assert_eq!(Config::from_context(&context(config)).unwrap_err().reason, reason, "{config}");
        }
    }
}
