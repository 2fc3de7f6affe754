//! Does this cluster use devcloud? Pure.

use crate::CSI_DRIVER;
use kompox_driver_sdk::identity::{Detection, Facts};

/// `identity.detect`: where the CSI driver is, the disks can be mounted. Where the service listens is not to be
/// seen from the cluster: that stays with the configuration.
#[must_use]
pub fn detect(facts: &Facts) -> Vec<Detection> {
    if !facts.csi_drivers.iter().any(|driver| driver == CSI_DRIVER) {
        return Vec::new();
    }
    vec![Detection {
        provider_type: "devcloud".to_owned(),
        score: 90,
        config: "{}".to_owned(),
        reason: format!("the CSI driver {CSI_DRIVER} is installed"),
    }]
}
