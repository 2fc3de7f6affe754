//! Rows of the keys of a service by which it is reached and reaches others.

use super::{Row, mapped, near, noted, refused};
use crate::app::codes;

pub(super) const ROWS: &[Row] = &[
    mapped(
        "services.*.ports",
        &["containers[].ports", "Service.spec.ports"],
        "a second Service of the service's name with `-pub`",
    ),
    mapped(
        "services.*.ports[]",
        &["containers[].ports", "Service.spec.ports"],
        "a second Service of the service's name with `-pub`",
    ),
    mapped(
        "services.*.ports[].target",
        &["containers[].ports[].containerPort", "Service.spec.ports[].targetPort"],
        "as it says",
    ),
    mapped(
        "services.*.ports[].published",
        &["Service.spec.ports[].port"],
        "reached from outside through routes; one number is chosen from a range",
    ),
    mapped(
        "services.*.ports[].protocol",
        &["containers[].ports[].protocol", "Service.spec.ports[].protocol"],
        "routes lead to TCP ports only",
    ),
    near(
        "services.*.ports[].host_ip",
        &[],
        "a loopback address keeps the port from routes; others have no meaning in a cluster",
    ),
    near(
        "services.*.ports[].mode",
        &["containers[].ports[].hostPort"],
        "`host` in namespaces of the level privileged only",
    ),
    near("services.*.ports[].name", &[], "a port's name has no effect"),
    mapped("services.*.ports[].app_protocol", &["Service.spec.ports[].appProtocol"], "as it says"),
    mapped(
        "services.*.expose.**",
        &["containers[].ports"],
        "for people: every port of a pod is reached by the app's services",
    ),
    near("services.*.networks", &[], "the networks of a file become one: every service reaches every other"),
    near(
        "services.*.networks[]",
        &[],
        "the networks of a file become one: every service reaches every other",
    ),
    near(
        "services.*.networks.*",
        &[],
        "the networks of a file become one: every service reaches every other",
    ),
    mapped(
        "services.*.networks.*.aliases.**",
        &["Service.metadata.name"],
        "a headless Service under each alias",
    ),
    near("services.*.networks.*.ipv4_address", &[], "a cluster gives every pod an address"),
    near("services.*.networks.*.ipv6_address", &[], "a cluster gives every pod an address"),
    near("services.*.networks.*.link_local_ips.**", &[], "a cluster gives every pod an address"),
    near("services.*.networks.*.mac_address", &[], "a cluster gives every pod an address"),
    noted(
        "services.*.networks.*.driver_opts.**",
        &codes::NETWORK_OPTION,
        "the cluster's network is set up by its administrator",
    ),
    noted("services.*.networks.*.gw_priority", &codes::NETWORK_OPTION, "a pod has one network interface"),
    noted("services.*.networks.*.interface_name", &codes::NETWORK_OPTION, "a pod has one network interface"),
    noted("services.*.networks.*.priority", &codes::NETWORK_OPTION, "a pod has one network interface"),
    noted(
        "services.*.networks.*.use_service_name_alias",
        &codes::SERVICE_NAME,
        "a service is always reached under its name",
    ),
    near(
        "services.*.network_mode",
        &["hostNetwork", "NetworkPolicy"],
        "of another service: the same pod; of the host: in namespaces of the level privileged only",
    ),
    mapped("services.*.links.**", &["Service.metadata.name"], "a headless Service under each alias"),
    refused(
        "services.*.external_links.**",
        &codes::EXTERNAL_LINKS,
        "a container outside the app is not known; use its DNS name",
    ),
    mapped(
        "services.*.extra_hosts.**",
        &["hostAliases"],
        "`host-gateway` has no meaning in a cluster and is refused",
    ),
    near("services.*.dns.**", &["dnsConfig.nameservers"], "asked after the cluster's own"),
    mapped("services.*.dns_search.**", &["dnsConfig.searches"], "as it says"),
    mapped("services.*.dns_opt.**", &["dnsConfig.options"], "as it says"),
    refused(
        "services.*.mac_address",
        &codes::MAC_ADDRESS,
        "the network of the cluster gives pods their hardware addresses",
    ),
];
