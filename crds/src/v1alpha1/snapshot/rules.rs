//! CEL rules of KompoxSnapshot only. See `v1alpha1::rules` for the shared ones and their laws.

use kube::core::Rule;

pub(super) const HANDLE: &str = "snapshotHandle";

pub(super) fn provider_only_for_import() -> Rule {
    Rule::new("!has(self.provider) || has(self.source)")
        .message("may only be set together with `source`: a snapshot uses the driver of its disk")
        .field_path(".provider")
}
