//! Schema fragments that attributes cannot say: bounded maps, int-or-string, sets, conditions; and the
//! patterns used by more than one field. No rule stands here (see `v1alpha1::rules`).
//!
//! Used as `#[schemars(schema_with = "schema::…")]`. With `schema_with` an `Option` field counts as
//! required unless it also has `#[serde(default)]`.

use schemars::{Schema, SchemaGenerator, json_schema};

/// An RFC 1123 label of at most 63 characters.
pub const DNS_LABEL: &str = "^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$";
/// An RFC 1123 subdomain: what Kubernetes accepts as the name of most objects.
pub const DNS_SUBDOMAIN: &str = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// A host of an Ingress: a subdomain whose first label may be `*`.
pub const HOST: &str = r"^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$";
/// A key of a ConfigMap or Secret.
pub const CONFIG_KEY: &str = "^[-._a-zA-Z0-9]+$";
/// Name of a Compose volume, network or profile.
pub const COMPOSE_NAME: &str = "^[a-zA-Z0-9][a-zA-Z0-9._-]*$";
/// Name of an entry that becomes the name of a Service or Ingress port.
pub const ENTRY_NAME: &str = "^[a-z]([-a-z0-9]{0,13}[a-z0-9])?$";
/// Digest of a component.
pub const SHA256: &str = "^sha256:[0-9a-f]{64}$";
/// No exponent and no sign: the forms people write, and all that CEL's `quantity()` reads alike.
pub const QUANTITY: &str = r"^[0-9]+(\.[0-9]+)?([KMGTPE]i|[kMGTPE])?$";

/// A Quantity: `10Gi` or a bare integer.
pub fn quantity(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "x-kubernetes-int-or-string": true, "maxLength": 32, "pattern": QUANTITY })
}

/// A map of at most 32 options. The values are strings or integers; floats and booleans are refused,
/// since `1.0` and `yes` have no one spelling to compare by.
pub fn options(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object", "maxProperties": 32,
        "additionalProperties": { "x-kubernetes-int-or-string": true, "maxLength": 1024 },
    })
}

/// A map of `N` strings of at most `LEN` characters: `schema_with = "schema::strings::<32, 1024>"`.
pub fn strings<const N: usize, const LEN: usize>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object", "maxProperties": N,
        "additionalProperties": { "type": "string", "maxLength": LEN },
    })
}

/// A set of `N` strings of 1 to `LEN` characters.
pub fn string_set<const N: usize, const LEN: usize>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": N, "x-kubernetes-list-type": "set",
        "items": { "type": "string", "minLength": 1, "maxLength": LEN },
    })
}

/// A list of `N` strings of 1 to `LEN` characters whose order matters.
pub fn string_list<const N: usize, const LEN: usize>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": N, "x-kubernetes-list-type": "atomic",
        "items": { "type": "string", "minLength": 1, "maxLength": LEN },
    })
}

/// An ordered list of `N` keys of a ConfigMap.
pub fn config_keys<const N: usize>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": N, "x-kubernetes-list-type": "atomic",
        "items": { "type": "string", "minLength": 1, "maxLength": 253, "pattern": CONFIG_KEY },
    })
}

/// A set of `N` DNS labels.
pub fn label_set<const N: usize>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": N, "x-kubernetes-list-type": "set",
        "items": { "type": "string", "minLength": 1, "maxLength": 63, "pattern": DNS_LABEL },
    })
}

/// A set of `N` host names, `*.` allowed in front.
pub fn hosts<const N: usize>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": N, "x-kubernetes-list-type": "set",
        "items": { "type": "string", "minLength": 1, "maxLength": 253, "pattern": HOST },
    })
}

/// `metav1.Condition`, bounded, as a list-map by `type`.
pub fn conditions(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": 32,
        "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"],
        "items": {
            "type": "object",
            "required": ["type", "status", "reason", "message", "lastTransitionTime"],
            "properties": {
                "type": { "type": "string", "minLength": 1, "maxLength": 316,
                    "description": "CamelCase name of the state." },
                "status": { "type": "string", "enum": ["True", "False", "Unknown"],
                    "description": "`True`, `False` or `Unknown`." },
                "reason": { "type": "string", "minLength": 1, "maxLength": 1024,
                    "description": "CamelCase word for programs; each has a code and a page in the reference." },
                "message": { "type": "string", "maxLength": 32768,
                    "description": "What happened and what to do, for people. Never a secret's value." },
                "lastTransitionTime": { "type": "string", "format": "date-time",
                    "description": "When `status` last changed." },
                "observedGeneration": { "type": "integer", "format": "int64", "minimum": 0,
                    "description": "The `metadata.generation` this was computed from." },
            },
        },
    })
}

/// A list of `N` label values, which may be empty.
pub fn label_values<const N: usize>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": N, "x-kubernetes-list-type": "atomic",
        "items": { "type": "string", "maxLength": 63 },
    })
}

/// A set of `N` keys of a Secret.
pub fn config_key_set<const N: usize>(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "array", "maxItems": N, "x-kubernetes-list-type": "set",
        "items": { "type": "string", "minLength": 1, "maxLength": 253, "pattern": CONFIG_KEY },
    })
}
