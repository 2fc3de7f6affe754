//! Services: a headless one per name under which a service is reached, and one with its published ports.

use crate::app::validated::{PublishedPort, ValidatedApp, ValidatedService, ValidatedWorkload};
use crate::{labels, naming};
use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// The Services of one Compose service, its own name first.
pub(super) fn build(
    app: &ValidatedApp,
    workload: &ValidatedWorkload,
    service: &ValidatedService,
) -> Vec<Service> {
    std::iter::once(&service.name)
        .chain(&service.aliases)
        .map(|name| headless(app, workload, service, name))
        .chain(publish(app, workload, service))
        .collect()
}

/// A name without ports: Compose services reach every port of each other. Addresses are published
/// before readiness, as Docker's DNS does.
fn headless(
    app: &ValidatedApp,
    workload: &ValidatedWorkload,
    service: &ValidatedService,
    name: &str,
) -> Service {
    Service {
        metadata: labels::object_meta(&app.identity, name.to_owned(), Some(&service.name), &app.inherited),
        spec: Some(ServiceSpec {
            cluster_ip: Some("None".to_owned()),
            publish_not_ready_addresses: Some(true),
            selector: Some(labels::service_selector(&app.identity.name, &workload.name)),
            type_: Some("ClusterIP".to_owned()),
            ..ServiceSpec::default()
        }),
        status: None,
    }
}

fn publish(app: &ValidatedApp, workload: &ValidatedWorkload, service: &ValidatedService) -> Option<Service> {
    (!service.published.is_empty()).then(|| Service {
        metadata: labels::object_meta(
            &app.identity,
            naming::publish_service(&service.name),
            Some(&service.name),
            &app.inherited,
        ),
        spec: Some(ServiceSpec {
            ports: Some(service.published.iter().map(port).collect()),
            selector: Some(labels::service_selector(&app.identity.name, &workload.name)),
            type_: Some("ClusterIP".to_owned()),
            ..ServiceSpec::default()
        }),
        status: None,
    })
}

fn port(port: &PublishedPort) -> ServicePort {
    ServicePort {
        app_protocol: port.app_protocol.clone(),
        name: Some(port.name.clone()),
        port: i32::from(port.published),
        protocol: Some(port.protocol.as_str().to_owned()),
        target_port: Some(IntOrString::Int(i32::from(port.target))),
        ..ServicePort::default()
    }
}
