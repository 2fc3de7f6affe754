use crate::app::facts::{Facts, PodSecurity, Settings};
use crate::app::secret_text::SecretText;
use crate::app::validate::{Validation, validate};
use crate::app::validated::Role;
use kompox_crds::KompoxApp;
use serde_json::json;
use std::collections::BTreeMap;

fn of(services: &str, layout: &str) -> Validation {
    validate(&app(layout), &facts(services), &Settings::default())
}

fn app(layout: &str) -> KompoxApp {
    let object = json!({
        "apiVersion": "k8s.kompox.dev/v1alpha1", "kind": "KompoxApp",
        "metadata": { "name": "a", "namespace": "n", "uid": "u" },
        "spec": { "compose": { "configMapRef": { "name": "c" } }, "deployment": { "podLayout": layout },
            "volumes": [{ "name": "default", "diskRef": { "name": "disk" } }] },
    });
    serde_json::from_value(object).unwrap()
}

fn facts(services: &str) -> Facts {
    let compose = format!("services:\n{services}\nvolumes: {{data: }}\n");
    let content = BTreeMap::from([("compose.yml".to_owned(), SecretText::new(compose))]);
    Facts { config_maps: BTreeMap::from([("c".to_owned(), content)]), ..Facts::default() }
}

/// `kind name: service…`, a sidecar with `+` (or `++` when waited for until it is healthy), an init
/// container with `!`.
fn shape(validation: &Validation) -> Vec<String> {
    let Some(app) = &validation.app else { return vec![format!("{:?}", validation.diagnostics)] };
    let role = |role| match role {
        Role::Main => "",
        Role::Sidecar { until_healthy: false } => "+",
        Role::Sidecar { until_healthy: true } => "++",
        Role::Init => "!",
    };
    app.workloads
        .iter()
        .map(|workload| {
            let services = workload.services.iter().map(|own| format!("{}{}", own.name, role(own.role)));
            format!(
                "{} {}: {}",
                workload.kind.as_str(),
                workload.name,
                services.collect::<Vec<_>>().join(" ")
            )
        })
        .collect()
}

fn codes(validation: &Validation) -> Vec<&'static str> {
    let of_this_file = |id: &&str| ("KPX7750"..="KPX7759").contains(id);
    validation.diagnostics.iter().map(|diagnostic| diagnostic.code.id).filter(of_this_file).collect()
}

#[test]
fn what_one_service_shares_with_the_node_is_no_longer_the_pods() {
    let services = |other: &str| {
        format!(
            "  vpn: {{image: v, {other}}}\n  app: {{image: a, pid: 'service:vpn', sysctls: {{net.ipv4.tcp_syncookies: 1}}}}"
        )
    };
    let found = |other: &str| {
        let facts = Facts { pod_security: PodSecurity::Privileged, ..facts(&services(other)) };
        let validation = validate(&app("PerService"), &facts, &Settings::default());
        validation.diagnostics.iter().any(|finding| finding.code.id == "KPX7917")
    };
    assert!(found("network_mode: host"));
    assert!(!found("ipc: host") && !found("init: true"));
}

#[test]
fn labels_of_a_pod_fit_into_its_annotations() {
    let text = "x".repeat(130 << 10);
    let of_two = |key: &str, other: &str| {
        let both = format!(
            "  a: {{image: i, {key}: {{a: {text}}}}}\n  b: {{image: i, pid: 'service:a', {other}: {{b: {text}}}}}"
        );
        let validation = of(&both, "PerService");
        validation.diagnostics.iter().filter(|finding| finding.code.id == "KPX7726").count()
    };
    assert_eq!((of_two("labels", "labels"), of_two("annotations", "labels")), (1, 1));
    assert_eq!(of_two("labels", "x-other"), 0);
}

#[test]
fn services_of_one_layout_share_pods_as_they_should() {
    let cases: [(&str, &str, &[&str]); 6] = [
        (
            "  web: {image: w}\n  db: {image: d, volumes: ['data:/d']}",
            "PerService",
            &["StatefulSet db: db", "Deployment web: web"],
        ),
        (
            "  vpn: {image: v}\n  app: {image: a, network_mode: 'service:vpn', volumes: ['data:/d']}",
            "PerService",
            &["StatefulSet vpn: vpn+ app"],
        ),
        (
            "  vpn: {image: v, container_name: v1, healthcheck: {test: 'true'}}\n  app: {image: a, network_mode: 'container:v1', depends_on: {vpn: {condition: service_healthy}}}",
            "PerService",
            &["Deployment vpn: vpn++ app"],
        ),
        (
            "  a: {image: a, ipc: 'service:c'}\n  b: {image: b, pid: 'service:c'}\n  c: {image: c}\n  d: {image: d}",
            "PerService",
            &["Deployment c: c+ a b", "Deployment d: d"],
        ),
        (
            "  web: {image: w, depends_on: {job: {condition: service_completed_successfully}}}\n  db: {image: d, volumes: ['data:/d']}\n  job: {image: j, depends_on: [db]}\n  other: {image: o}",
            "SinglePod",
            &["StatefulSet pod: db+ job! other web"],
        ),
        (
            "  a: {image: a, restart: 'no', depends_on: {b: {condition: service_completed_successfully}}}\n  b: {image: b}",
            "SinglePod",
            &["Job pod: b! a"],
        ),
    ];
    for (services, layout, expected) in cases {
        assert_eq!(shape(&of(services, layout)), expected, "{services}");
    }
}

#[test]
fn what_one_pod_cannot_carry_is_said() {
    let cases: [(&str, &str, &[&str]); 10] = [
        ("  a: {image: a, network_mode: 'container:elsewhere'}", "PerService", &["KPX7750"]),
        ("  a: {image: a, pid: 'service:b'}\n  b: {image: b}", "PerService", &["KPX7757"]),
        (
            "  a: {image: a, network_mode: 'service:b', depends_on: [c]}\n  b: {image: b}\n  c: {image: c, depends_on: [b]}",
            "PerService",
            &["KPX7751"],
        ),
        ("  a: {image: a, ports: ['80:80']}\n  b: {image: b, expose: [80]}", "SinglePod", &["KPX7752"]),
        (
            "  a: {image: a, network_mode: 'service:b', expose: [80]}\n  b: {image: b, ports: ['80:80']}",
            "PerService",
            &[],
        ),
        (
            "  a: {image: a, network_mode: 'service:b', restart: 'no'}\n  b: {image: b}",
            "PerService",
            &["KPX7753"],
        ),
        ("  a: {image: a, scale: 2}\n  b: {image: b}", "SinglePod", &["KPX7754"]),
        (
            "  a: {image: a, platform: linux/amd64}\n  b: {image: b, platform: linux/arm64}",
            "SinglePod",
            &["KPX7755"],
        ),
        (
            "  a: {image: a, stop_grace_period: 1s}\n  b: {image: b, stop_grace_period: 2s, restart: always}\n  c: {image: c, restart: 'no'}",
            "SinglePod",
            &["KPX7756", "KPX7758"],
        ),
        (
            "  a: {image: a}\n  b: {image: b, restart: 'no', depends_on: [a]}",
            "SinglePod",
            &["KPX7758", "KPX7759"],
        ),
    ];
    for (services, layout, expected) in cases {
        assert_eq!(codes(&of(services, layout)), expected, "{services}");
    }
}
