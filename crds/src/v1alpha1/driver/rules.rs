//! CEL rules of KompoxDriver only. See `v1alpha1::rules` for the shared ones.

use kube::core::{Reason, Rule};

/// A moved tag must not inherit secrets.
pub(super) fn privileges_need_a_pin() -> Rule {
    Rule::new(
        "!has(self.grants) || !((has(self.grants.revealSecretKeys) && self.grants.revealSecretKeys.size() > 0) \
         || (has(self.grants.replaceBuiltInTypes) && self.grants.replaceBuiltInTypes.size() > 0)) \
         || (has(self.source) && (has(self.source.digest) || (has(self.source.oci) && has(self.source.oci.verify))))",
    )
    .message("`revealSecretKeys` and `replaceBuiltInTypes` need `source.digest` or `source.oci.verify`")
    .field_path(".grants")
    .reason(Reason::FieldValueForbidden)
}

pub(super) fn only_custom(list: &str) -> Rule {
    Rule::new(format!("!has(self.{list}) || self.{list}.size() == 0 || self.mode == 'Custom'"))
        .message("may only be set when `mode` is 'Custom'")
        .field_path(format!(".{list}"))
}

pub(super) fn are_cidrs() -> Rule {
    Rule::new("!has(self.cidrs) || self.cidrs.all(c, isCIDR(c))")
        .message("must be blocks of addresses such as '10.0.0.0/8'")
        .field_path(".cidrs")
}

/// `string()` and `isQuantity()`: see the rules of a disk's size.
pub(super) fn memory_in_bounds() -> Rule {
    Rule::new(
        "!has(self.memory) || !isQuantity(string(self.memory)) || (quantity(string(self.memory)).compareTo(quantity('1Mi')) >= 0 \
         && quantity(string(self.memory)).compareTo(quantity('1Gi')) <= 0)",
    )
    .message("must be at least '1Mi' and at most '1Gi'")
    .field_path(".memory")
}
