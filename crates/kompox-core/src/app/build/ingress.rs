//! The Ingress of an app: one object for all its routes.

use super::some_if_any;
use crate::app::validated::{Route, ValidatedApp, ValidatedIngress};
use crate::{labels, naming};
use k8s_openapi::api::networking::v1::{
    HTTPIngressPath, HTTPIngressRuleValue, Ingress, IngressBackend, IngressRule, IngressServiceBackend,
    IngressSpec, IngressTLS, ServiceBackendPort,
};

/// The app's Ingress; `None` without routes.
pub(super) fn build(app: &ValidatedApp) -> Option<Ingress> {
    let ingress = app.ingress.as_ref()?;
    if ingress.routes.is_empty() {
        return None;
    }
    let name = naming::bounded(&app.identity.name, naming::MAX_NAME);
    let mut metadata = labels::object_meta(&app.identity, name, None, &app.inherited);
    if !ingress.annotations.is_empty() {
        metadata.annotations.get_or_insert_default().extend(ingress.annotations.clone());
    }
    Some(Ingress {
        metadata,
        spec: Some(IngressSpec {
            ingress_class_name: ingress.class_name.clone(),
            rules: Some(rules(&ingress.routes)),
            tls: some_if_any(tls(ingress)),
            default_backend: None,
        }),
        status: None,
    })
}

/// One rule per host, in the order in which the routes first name it.
fn rules(routes: &[Route]) -> Vec<IngressRule> {
    let mut rules: Vec<(String, Vec<HTTPIngressPath>)> = Vec::new();
    for route in routes {
        match rules.iter_mut().find(|(host, _)| *host == route.host) {
            Some((_, paths)) => paths.push(path(route)),
            None => rules.push((route.host.clone(), vec![path(route)])),
        }
    }
    rules
        .into_iter()
        .map(|(host, paths)| IngressRule { host: Some(host), http: Some(HTTPIngressRuleValue { paths }) })
        .collect()
}

fn path(route: &Route) -> HTTPIngressPath {
    HTTPIngressPath {
        path: Some(route.path.clone()),
        path_type: "Prefix".to_owned(),
        backend: IngressBackend {
            service: Some(IngressServiceBackend {
                name: route.service.clone(),
                port: Some(ServiceBackendPort { number: Some(i32::from(route.port)), name: None }),
            }),
            resource: None,
        },
    }
}

fn tls(ingress: &ValidatedIngress) -> Vec<IngressTLS> {
    ingress
        .tls
        .iter()
        .map(|entry| IngressTLS {
            hosts: Some(entry.hosts.clone()),
            secret_name: Some(entry.secret_name.clone()),
        })
        .collect()
}
