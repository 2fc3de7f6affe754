//! `ports` and `expose`.

use super::{findings, refused, service};
use crate::model::{Port, Protocol};

fn shown(port: &Port) -> String {
    let published = match port.published {
        None => "-".to_owned(),
        Some(range) if range.first == range.last => range.first.to_string(),
        Some(range) => format!("{}-{}", range.first, range.last),
    };
    let ip = port.host_ip.map(|ip| format!("{ip} ")).unwrap_or_default();
    format!("{ip}{published}>{}/{}", port.target, port.protocol)
}

#[test]
fn short_and_long_forms() {
    let cases: &[(&str, &[&str])] = &[
        ("- 80", &["->80/tcp"]),
        ("- \"80\"", &["->80/tcp"]),
        ("- 8080:80", &["8080>80/tcp"]),
        ("- 22:22", &["22>22/tcp"]),
        ("- \"53:53/udp\"", &["53>53/udp"]),
        ("- \"53:53/UDP\"", &["53>53/udp"]),
        ("- 127.0.0.1:8080:80", &["127.0.0.1 8080>80/tcp"]),
        ("- \"127.0.0.1::80\"", &["127.0.0.1 ->80/tcp"]),
        ("- \"[::1]:8080:80\"", &["::1 8080>80/tcp"]),
        ("- 3000-3002", &["->3000/tcp", "->3001/tcp", "->3002/tcp"]),
        ("- 8000-8001:80-81/udp", &["8000>80/udp", "8001>81/udp"]),
        ("- 8000-8009:80", &["8000-8009>80/tcp"]),
        ("- 53:53/udp\n- 53:53/tcp", &["53>53/udp", "53>53/tcp"]),
        ("- ${PORT}:80", &["81>80/tcp"]),
        ("- target: 80", &["->80/tcp"]),
        ("- {target: 80, published: 8080}", &["8080>80/tcp"]),
        (
            "- {target: \"80\", published: \"8080-8081\", protocol: udp, host_ip: 10.0.0.1}",
            &["10.0.0.1 8080-8081>80/udp"],
        ),
        ("- {target: 80, published: \"\", mode: ingress}", &["->80/tcp"]),
    ];
    for (lines, expected) in cases {
        let lines: String = lines.lines().map(|line| format!("  {line}\n")).collect();
        let ports: Vec<String> = service(&format!("ports:\n{lines}")).ports.iter().map(shown).collect();
        assert_eq!(ports, *expected, "{lines}");
    }
}

#[test]
fn names_and_application_protocols() {
    let port = service("ports: [{target: 80, name: web, app_protocol: http}]").ports.remove(0);
    assert_eq!((port.name.as_deref(), port.app_protocol.as_deref()), (Some("web"), Some("http")));
}

#[test]
fn bad_ports() {
    refused(&[
        ("ports: [0]", "KPX7205"),
        ("ports: [65536]", "KPX7205"),
        ("ports: [80.5]", "KPX7204"),
        ("ports: [\"\"]", "KPX7205"),
        ("ports: [\"a:80\"]", "KPX7205"),
        ("ports: [\"80/ftp\"]", "KPX7205"),
        ("ports: [\"1-2:80-85\"]", "KPX7205"),
        ("ports: [\"85-80\"]", "KPX7205"),
        ("ports: [\"1:2:3:4\"]", "KPX7205"),
        ("ports: [\"300.0.0.1:80:80\"]", "KPX7205"),
        ("ports: [\"+80:80\"]", "KPX7205"),
        ("ports: [\"1-65535:1-65535\"]", "KPX7203"),
        ("ports: 80", "KPX7204"),
        ("ports: [[80]]", "KPX7204"),
        ("ports: [{published: 80}]", "KPX7206"),
        ("ports: [{target: 80, mode: guest}]", "KPX7205"),
        ("ports: [{target: 80, mode: x}]", "KPX7205"),
        ("ports: [{target: 80-81}]", "KPX7205"),
        ("ports: [{target: 80, protocol: x}]", "KPX7205"),
        ("ports: [{target: 80, host_ip: localhost}]", "KPX7205"),
        ("ports: [{target: 80, publish: 80}]", "KPX7201"),
    ]);
}

#[test]
fn repeated_ports_are_named_and_kept_once() {
    let lines = "ports: [80:80, 80:80]";
    assert_eq!(service(lines).ports.len(), 1);
    assert_eq!(findings(lines), ["KPX7211 `ports[1]` repeats an earlier entry"]);
}

#[test]
fn exposed_ports() {
    let expose = service("expose: [80, \"81\", 82-83/udp]").expose;
    let (tcp, udp) = (Protocol::Tcp, Protocol::Udp);
    assert_eq!(expose.into_iter().collect::<Vec<_>>(), [(80, tcp), (81, tcp), (82, udp), (83, udp)]);
    refused(&[("expose: [x]", "KPX7205"), ("expose: [80/x]", "KPX7205"), ("expose: 80", "KPX7204")]);
}
