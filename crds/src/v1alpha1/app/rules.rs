//! CEL rules of KompoxApp only. See `v1alpha1::rules` for the shared ones. None looks at `oldSelf`:
//! everything in the spec of an app may change.

use kube::core::{Reason, Rule};

/// `default` is the entry that takes what no other names, so it must be an entry too.
pub(super) fn bind_map_names_a_volume() -> Rule {
    Rule::new(
        "!has(self.bindMap) || self.bindMap.all(b, has(self.volumes) && self.volumes.exists(v, v.name == b.volume))",
    )
    .message("each `volume` must be the name of an entry of `volumes`")
    .field_path(".bindMap")
}

pub(super) fn sub_path_stays_inside() -> Rule {
    Rule::new(
        "!has(self.subPath) || (!self.subPath.startsWith('/') && !self.subPath.split('/').exists(p, p == '..'))",
    )
    .message("must be a relative path without '..'")
    .field_path(".subPath")
}

pub(super) fn ports_are_unique() -> Rule {
    Rule::new(
        "!has(self.rules) || self.rules.all(r, self.rules.exists_one(s, s.port == r.port \
         && (has(s.path) ? s.path : '/') == (has(r.path) ? r.path : '/')))",
    )
    .message("`port` and `path` together must be unique")
    .field_path(".rules")
}

/// Our own keys select pods and carry state: a user's value there would break both.
pub(super) fn keys_are_not_ours(map: &str) -> Rule {
    Rule::new(format!(
        "!has(self.{map}) || self.{map}.all(k, !k.startsWith('kompox.dev/') && !k.contains('.kompox.dev/'))"
    ))
    .message("may not contain keys of 'kompox.dev'")
    .field_path(format!(".{map}"))
    .reason(Reason::FieldValueForbidden)
}

pub(super) fn no_network_rules_without_policy() -> Rule {
    Rule::new("!has(self.ingressRules) || self.ingressRules.size() == 0 || self.mode != 'None'")
        .message("may not be set when `mode` is 'None'")
        .field_path(".ingressRules")
}

pub(super) fn network_rule_not_empty() -> Rule {
    Rule::new("(has(self.from) && self.from.size() > 0) || (has(self.ports) && self.ports.size() > 0)")
        .message("at least one of `from`, `ports` must be set: an empty rule would allow everything")
}

pub(super) fn peer_is_selectors_or_block() -> Rule {
    Rule::new("has(self.ipBlock) != (has(self.namespaceSelector) || has(self.podSelector))")
        .message("must be either `ipBlock`, or one or both of `namespaceSelector`, `podSelector`")
}

pub(super) fn is_cidr(field: &str) -> Rule {
    Rule::new(format!("isCIDR(self.{field})"))
        .message("must be a block of addresses such as '10.0.0.0/8'")
        .field_path(format!(".{field}"))
}

pub(super) fn are_cidrs(field: &str) -> Rule {
    Rule::new(format!("!has(self.{field}) || self.{field}.all(c, isCIDR(c))"))
        .message("must be blocks of addresses such as '10.1.0.0/16'")
        .field_path(format!(".{field}"))
}

pub(super) fn values_fit_operator() -> Rule {
    Rule::new("(self.operator in ['In', 'NotIn']) == (has(self.values) && self.values.size() > 0)")
        .message("must be set if and only if `operator` is 'In' or 'NotIn'")
        .field_path(".values")
}
