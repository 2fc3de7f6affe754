//! The programs of the storage: two of this project, and the sidecars, which are built from their Go modules.

use super::{Error, Storage};
use crate::{go, part::PartName, progress::Reporter};
use std::{
    env,
    path::{Path, PathBuf},
};

/// Go modules of the sidecars that do not give [`go::STORAGE`] its version.
const ATTACHER: &str = "github.com/kubernetes-csi/external-attacher/v4";
const PROVISIONER: &str = "github.com/kubernetes-csi/external-provisioner/v6";
const RESIZER: &str = "github.com/kubernetes-csi/external-resizer/v2";

/// Where they are.
#[derive(Debug)]
pub(super) struct Programs {
    own: PathBuf,
    sidecars: PathBuf,
}

impl Programs {
    /// Finds those of this project and builds the others, if the cache does not hold them.
    pub(super) async fn find(spec: &Storage, reporter: &Reporter) -> Result<Self, Error> {
        let own = match &spec.programs {
            Some(directory) => directory.clone(),
            None => beside().map_err(|source| Error::File { path: "/proc/self/exe".into(), source })?,
        };
        for (part, package) in
            [(PartName::Devcloud, "kompox-devcloud"), (PartName::DevcloudCsi, "kompox-devcloud-csi")]
        {
            let path = own.join(part.program());
            if !path.is_file() {
                return Err(Error::NoProgram { path, package });
            }
        }
        let sidecars = go::STORAGE.programs(reporter).await.map_err(Error::Programs)?.directory;
        Ok(Self { own, sidecars })
    }

    pub(super) fn path(&self, part: PartName) -> PathBuf {
        match part {
            PartName::Devcloud | PartName::DevcloudCsi => self.own.join(part.program()),
            _ => self.sidecars.join(part.program()),
        }
    }

    pub(super) fn version(&self, part: PartName) -> String {
        match part {
            // All packages of the project have one version.
            PartName::Devcloud | PartName::DevcloudCsi => env!("CARGO_PKG_VERSION").to_owned(),
            PartName::CsiAttacher => go::STORAGE.version_of(ATTACHER).to_owned(),
            PartName::CsiProvisioner => go::STORAGE.version_of(PROVISIONER).to_owned(),
            PartName::CsiResizer => go::STORAGE.version_of(RESIZER).to_owned(),
            _ => go::STORAGE.version().to_owned(),
        }
    }
}

fn beside() -> std::io::Result<PathBuf> {
    let program = env::current_exe()?;
    Ok(program.parent().unwrap_or_else(|| Path::new("/")).to_owned())
}
