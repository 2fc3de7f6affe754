//! The KompoxApp.

use kompox_crds::names::API_VERSION;
use serde_json::{Value, json};

use super::{ComposeText, Context, Request, present};
use crate::naming::{self, DISK};

/// The object, with only what the user asked for.
pub(super) fn object(context: &Context<'_>) -> Value {
    let request = context.request;
    let spec = present([
        ("compose", compose(request)),
        ("files", mounts(request)),
        ("volumes", request.disk.as_ref().map(|_| json!([{"name": "default", "diskRef": {"name": DISK}}]))),
        ("ingress", ingress(request)),
    ]);
    context.object(API_VERSION, "KompoxApp", &request.name, [("spec", json!(spec))])
}

fn compose(request: &Request) -> Option<Value> {
    let key = request.compose.key();
    let overrides: Vec<String> = request.overrides.iter().map(ComposeText::key).collect();
    let variables = json!([{"secretRef": {"name": naming::variables_secret(&request.name)}}]);
    present([
        ("configMapRef", Some(json!({"name": naming::compose_map(&request.name), "key": key}))),
        ("overrideKeys", (!overrides.is_empty()).then(|| json!(overrides))),
        ("profiles", (!request.profiles.is_empty()).then(|| json!(request.profiles))),
        ("envFrom", (!request.variables.is_empty()).then_some(variables)),
    ])
}

fn mounts(request: &Request) -> Option<Value> {
    let secret = naming::files_secret(&request.name);
    let mount = |path: &String| json!({"path": path, "secretRef": {"name": secret, "key": naming::key_of_path(path)}});
    let mounts: Vec<_> = request.files.keys().map(mount).collect();
    present([("mounts", (!mounts.is_empty()).then(|| json!(mounts)))])
}

fn ingress(request: &Request) -> Option<Value> {
    let rules = rules(request);
    present([
        ("domain", request.domain.as_ref().map(|domain| json!(domain))),
        ("className", request.ingress_class.as_ref().map(|class| json!(class))),
        ("rules", (!rules.is_empty()).then(|| json!(rules))),
    ])
}

/// Rules are named after their port, so that a host can be added to one without moving the others.
fn rules(request: &Request) -> Vec<Value> {
    let mut ports: Vec<_> = request.routes.iter().map(|route| route.port).collect();
    ports.sort_unstable();
    ports.dedup();
    let hosts = |port: u16| -> Vec<_> {
        request.routes.iter().filter(|route| route.port == port).map(|route| &route.host).collect()
    };
    let rule = |port: u16| json!({"name": format!("port-{port}"), "port": port, "hosts": hosts(port)});
    ports.into_iter().map(rule).collect()
}
