//! Applying generated objects one by one, with a line for each.

use serde_json::Value;

use crate::cluster::{Cluster, Conflicts};
use crate::console::note;
use crate::failure::Failure;

/// Applies an object, says so, and gives its generation.
///
/// # Errors
/// When the server refuses it.
pub(super) async fn apply_one(
    cluster: &Cluster,
    object: &Value,
    conflicts: Conflicts,
) -> Result<i64, Failure> {
    let applied = cluster.apply(object, conflicts).await?;
    note(format!("{} applied", shown(object)));
    Ok(applied.metadata.generation.unwrap_or_default())
}

/// `kompoxapp/gitea (k4x-…)`.
pub(super) fn shown(object: &Value) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let place = match text("/metadata/namespace") {
        "" => String::new(),
        namespace => format!(" (namespace {namespace})"),
    };
    format!("{}/{}{place}", text("/kind").to_lowercase(), text("/metadata/name"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_are_named_with_their_namespace() {
        let object = json!({"kind": "Secret", "metadata": {"name": "a", "namespace": "n"}});
        assert_eq!(shown(&object), "secret/a (namespace n)");
        assert_eq!(shown(&json!({"kind": "Namespace", "metadata": {"name": "n"}})), "namespace/n");
    }
}
