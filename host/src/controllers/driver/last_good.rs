//! The component that worked before this operator was started, for when what is asked for now does not.

use super::{Shell, report::Refusal};
use kompox_crds::v1alpha1::KompoxDriver;
use kompox_driver_runtime::LoadedDriver;
use kompox_oci::Digest;
use kube::ResourceExt as _;
use std::sync::Arc;

/// The component that `status.lastGoodDigest` names, if the store has it. Built-in drivers come with the operator.
pub(super) async fn load(
    shell: &Shell,
    driver: &KompoxDriver,
    refusal: &Refusal,
) -> Option<Arc<LoadedDriver>> {
    driver.spec.source.as_ref()?;
    let digest: Digest = driver.status.as_ref()?.last_good_digest.as_ref()?.parse().ok()?;
    let bytes = shell.artifacts.component(&digest)?;
    let name = driver.name_any();
    match shell.runtime.load(bytes).await {
        Ok(component) => {
            tracing::warn!(
                driver = name, %digest, reason = refusal.reason.as_str(),
                "going on with the last good component, which was kept"
            );
            Some(component)
        }
        Err(error) => {
            tracing::warn!(driver = name, %digest, %error, "the last good component does not load any more");
            None
        }
    }
}
