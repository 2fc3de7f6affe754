//! What a service is started with, checked.

use crate::Tokens;
use crate::api::Backing;
use crate::tokens::TokenError;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

const DEFAULT_QUOTA: u64 = 1 << 40;
const MAX_ZONES: usize = 16;

/// How to start a service.
#[derive(Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether a private address may be listened on, beside loopback.
    pub allow_private: bool,
    /// Where everything is kept; made if it is not there.
    pub directory: PathBuf,
    /// Who may ask.
    pub tokens: Tokens,
    /// Names of the zones, the default one first.
    pub zones: Vec<String>,
    /// What the volumes of one account may have in all, in bytes.
    pub quota_bytes: u64,
}

impl Options {
    /// A free port of 127.0.0.1, zones `a` and `b`, a quota of 1 TiB.
    pub fn new(directory: impl Into<PathBuf>, tokens: Tokens) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            allow_private: false,
            directory: directory.into(),
            tokens,
            zones: vec!["a".to_owned(), "b".to_owned()],
            quota_bytes: DEFAULT_QUOTA,
        }
    }

    /// Refuses what would expose the service or cannot work.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        let ip = self.listen.ip();
        if !(ip.is_loopback() || self.allow_private && is_private(ip)) {
            return Err(StartError::Exposed(self.listen));
        }
        let label = |zone: &String| {
            (1..=63).contains(&zone.len())
                && zone.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        if self.zones.is_empty() || self.zones.len() > MAX_ZONES || !self.zones.iter().all(label) {
            return Err(StartError::Zones);
        }
        Ok(())
    }
}

/// RFC 1918, or unique local (RFC 4193).
fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    }
}

/// What the operations need of the options.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Absolute.
    pub(crate) directory: PathBuf,
    pub(crate) zones: Vec<String>,
    pub(crate) quota_bytes: u64,
    pub(crate) default_backing: Backing,
}

/// Images where they can be used: they need root and loop devices.
pub(crate) fn default_backing() -> Backing {
    let usable = rustix::process::geteuid().is_root() && Path::new("/dev/loop-control").exists();
    if usable { Backing::Image } else { Backing::Directory }
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is not loopback, nor a private one that was allowed.
    #[error(
        "failed to listen on {0}: devcloud is for development and listens on loopback, or with --allow-private on a private address"
    )]
    Exposed(SocketAddr),
    /// The zones are wrong.
    #[error("the zones are wrong: give 1 to {MAX_ZONES} names of a-z 0-9 -")]
    Zones,
    /// The tokens are wrong.
    #[error(transparent)]
    Tokens(TokenError),
    /// Another service has the directory.
    #[error("another devcloud has the directory {0}: end it, or give another --directory")]
    Taken(PathBuf),
    /// The directory cannot be used.
    #[error("failed to open the directory {path}: {source}")]
    Directory {
        /// Its path.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The address cannot be had.
    #[error("failed to listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::{Options, StartError};
    use crate::Tokens;

    fn options() -> Options {
        Options::new("/nowhere", Tokens::single("a", "0123456789abcdef".into()).unwrap())
    }

    #[test]
    fn only_loopback_is_listened_on_unless_a_private_address_is_allowed() {
        for (address, allow_private, good) in [
            ("127.0.0.1:0", false, true),
            ("[::1]:0", false, true),
            ("10.0.0.1:0", false, false),
            ("10.0.0.1:0", true, true),
            ("0.0.0.0:0", true, false),
            ("8.8.8.8:0", true, false),
        ] {
            let options = Options { listen: address.parse().unwrap(), allow_private, ..options() };
            assert_eq!(options.check().is_ok(), good, "{address}");
        }
    }

    #[test]
    fn zones_are_labels() {
        for zones in [vec![], vec!["A".to_owned()], vec![String::new()]] {
            assert!(matches!(Options { zones, ..options() }.check(), Err(StartError::Zones)));
        }
    }
}
