//! The other keys of a service, and of the file.

use std::time::Duration;

use super::{file, findings, project, read, read_with, refused, service};
use crate::Spanned;
use crate::model::{DependencyCondition, HealthcheckTest, PullPolicy, RestartPolicy};

fn value<T: Clone>(value: Option<&Spanned<T>>) -> Option<T> {
    value.map(|value| value.value.clone())
}

#[test]
fn commands() {
    let cases: &[(&str, Option<&[&str]>)] = &[
        ("command: nginx -g 'daemon off;'", Some(&["nginx", "-g", "daemon off;"])),
        ("command: [sh, -c, \"a && b\"]", Some(&["sh", "-c", "a && b"])),
        ("command: >\n  one\n  two", Some(&["one", "two"])),
        ("command: [\"\"]", Some(&[""])),
        ("command: []", Some(&[])),
        ("command: \"\"", Some(&[])),
        ("command:", None),
        ("command: echo $$HOME", Some(&["echo", "$HOME"])),
    ];
    for (lines, expected) in cases {
        let words = value(service(lines).command.as_ref());
        assert_eq!(words, expected.map(|words| words.iter().map(ToString::to_string).collect()), "{lines}");
        let words = value(service(&lines.replacen("command", "entrypoint", 1)).entrypoint.as_ref());
        assert_eq!(words, expected.map(|words| words.iter().map(ToString::to_string).collect()), "{lines}");
    }
    refused(&[
        ("command: a && b", "KPX7301"),
        ("entrypoint: a; b", "KPX7301"),
        ("command: a | b", "KPX7301"),
        ("command: a > b", "KPX7301"),
        ("command: a 'b", "KPX7302"),
        ("command: [sleep, 5]", "KPX7204"),
        ("command: 5", "KPX7204"),
        ("command: {a: b}", "KPX7204"),
    ]);
}

#[test]
fn health_checks() {
    let test = |lines: &str| service(lines).healthcheck.expect(lines).value.test;
    let words = |words: &[&str]| HealthcheckTest::Exec(words.iter().map(ToString::to_string).collect());
    assert_eq!(test("healthcheck: {test: curl -f x}"), HealthcheckTest::Shell("curl -f x".into()));
    assert_eq!(test("healthcheck: {test: [CMD-SHELL, a || b]}"), HealthcheckTest::Shell("a || b".into()));
    assert_eq!(test("healthcheck: {test: [CMD, a, b]}"), words(&["a", "b"]));
    assert_eq!(test("healthcheck: {test: [CMD-SHELL, a, -b]}"), words(&["/bin/sh", "-c", "a", "-b"]));
    assert_eq!(test("healthcheck: {test: [NONE]}"), HealthcheckTest::Disabled);
    assert_eq!(test("healthcheck: {disable: true}"), HealthcheckTest::Disabled);
    assert_eq!(service("healthcheck: {disable: false}").healthcheck, None);
    refused(&[
        ("healthcheck: {test: []}", "KPX7205"),
        ("healthcheck: {test: [a, b]}", "KPX7205"),
        ("healthcheck: {test: [CMD]}", "KPX7205"),
        ("healthcheck: {test: \"\"}", "KPX7205"),
        ("healthcheck: {interval: 5s}", "KPX7206"),
        ("healthcheck: {test: a, interval: 30}", "KPX7205"),
        ("healthcheck: {test: a, interval: 5x}", "KPX7205"),
        ("healthcheck: {test: a, retries: -1}", "KPX7205"),
        ("healthcheck: {test: a, disable: maybe}", "KPX7204"),
        ("healthcheck: {test: a, intervall: 5s}", "KPX7201"),
        ("healthcheck: [a]", "KPX7204"),
    ]);
}

#[test]
fn health_check_times_have_the_defaults_of_docker() {
    let check = service("healthcheck: {test: a}").healthcheck.expect("a check").value;
    let seconds = [check.interval(), check.timeout(), check.start_period(), check.start_interval()];
    assert_eq!(seconds.map(|time| time.as_secs()), [30, 30, 0, 5]);
    assert_eq!(check.retries(), 3);
    let lines = "healthcheck: {test: a, interval: 1m, timeout: 2d, retries: \"7\", start_period: 1w, start_interval: 10ms}";
    let check = service(lines).healthcheck.expect("a check").value;
    assert_eq!((check.interval().as_secs(), check.timeout().as_secs(), check.retries()), (60, 172_800, 7));
    assert_eq!((check.start_period().as_secs(), check.start_interval().as_millis()), (604_800, 10));
}

#[test]
fn restart_policies() {
    let retries = |max_retries| RestartPolicy::OnFailure { max_retries };
    let cases = [
        ("no", RestartPolicy::No),
        ("\"no\"", RestartPolicy::No),
        ("always", RestartPolicy::Always),
        ("unless-stopped", RestartPolicy::UnlessStopped),
        ("on-failure", retries(None)),
        ("on-failure:5", retries(Some(5))),
    ];
    for (text, expected) in cases {
        assert_eq!(value(service(&format!("restart: {text}")).restart.as_ref()), Some(expected), "{text}");
    }
    refused(&[
        ("restart: never", "KPX7205"),
        ("restart: false", "KPX7204"),
        ("restart: on-failure:x", "KPX7205"),
    ]);
}

#[test]
fn replicas() {
    for (lines, expected) in [
        ("deploy: {replicas: 0}", Some(0)),
        ("deploy: {replicas: \"3\", mode: replicated}", Some(3)),
        ("scale: 2", Some(2)),
        ("scale: 2\ndeploy: {replicas: 2}", Some(2)),
        ("deploy: {}", None),
    ] {
        assert_eq!(value(service(lines).replicas.as_ref()), expected, "{lines}");
    }
    refused(&[
        ("deploy: {replicas: -1}", "KPX7205"),
        ("scale: x", "KPX7205"),
        ("scale: 2\ndeploy: {replicas: 3}", "KPX7205"),
        ("deploy: {mode: globally}", "KPX7205"),
        ("deploy: {replica: 3}", "KPX7201"),
        ("container_name: web\nscale: 2", "KPX7508"),
    ]);
}

#[test]
fn simple_keys() {
    let text = "user: \"1000:1000\"\nworking_dir: /app\nhostname: h\nplatform: linux/arm64\ncontainer_name: my.web_1";
    let web = service(text);
    let texts = [&web.user, &web.working_dir, &web.hostname, &web.platform, &web.container_name];
    let texts = texts.map(|text| value(text.as_ref()).unwrap_or_default());
    assert_eq!(texts, ["1000:1000", "/app", "h", "linux/arm64", "my.web_1"]);
    let web =
        service("init: true\nread_only: \"false\"\nstop_grace_period: 1m30s\npull_policy: if_not_present");
    assert_eq!((value(web.init.as_ref()), value(web.read_only.as_ref())), (Some(true), Some(false)));
    assert_eq!(value(web.stop_grace_period.as_ref()), Some(Duration::from_secs(90)));
    assert_eq!(value(web.pull_policy.as_ref()), Some(PullPolicy::Missing));
    let web = service("cap_add: [NET_ADMIN, NET_ADMIN]\ncap_drop: [ALL]");
    assert_eq!((web.cap_add.len(), web.cap_drop.len()), (1, 1));
    refused(&[
        ("user: 1000", "KPX7204"),
        ("hostname: [a]", "KPX7204"),
        ("container_name: a b", "KPX7205"),
        ("container_name: a", "KPX7205"),
        ("init: maybe", "KPX7204"),
        ("stop_grace_period: 10", "KPX7205"),
        ("pull_policy: every_day", "KPX7205"),
        ("pull_policy: sometimes", "KPX7205"),
        ("cap_add: ALL", "KPX7204"),
    ]);
}

#[test]
fn booleans_in_other_words_are_warned_of() {
    assert_eq!(value(service("init: ${YES}").init.as_ref()), Some(true));
    assert_eq!(
        findings("read_only: off"),
        ["KPX7208 `read_only` is a boolean in other words: it reads as false"]
    );
}

#[test]
fn labels() {
    let labels = |lines: &str| -> Vec<String> {
        service(lines).labels.iter().map(|(name, label)| format!("{name}={}", label.value)).collect()
    };
    assert_eq!(labels("labels: {a.b: c, n: 5, e: }"), ["a.b=c", "e=", "n=5"]);
    assert_eq!(labels("labels: [a.b=c=d, e]"), ["a.b=c=d", "e="]);
    refused(&[("labels: text", "KPX7204"), ("labels: {a: {}}", "KPX7204"), ("labels: [\"=a\"]", "KPX7205")]);
}

#[test]
fn dependencies() {
    let text = "services:
  a: {image: a, depends_on: [b, c]}
  b: {image: b, depends_on: {c: {condition: service_healthy, restart: true}, x: {condition: service_started, required: false}}}
  c: {image: c, healthcheck: {test: t}, depends_on: {d: {condition: service_completed_successfully}}}
  d: {image: d}
  x: {image: x, profiles: [extra]}
";
    let services = project(text).services;
    assert_eq!(services.keys().collect::<Vec<_>>(), ["a", "b", "c", "d"]);
    let of = |service: &str, name: &str| services[service].depends_on[name].clone();
    assert_eq!(of("a", "b").condition, DependencyCondition::Started);
    assert!(of("a", "b").required && !of("a", "b").restart);
    assert_eq!(of("b", "c").condition, DependencyCondition::Healthy);
    assert!(of("b", "c").restart && !of("b", "x").required);
    assert_eq!(of("c", "d").condition, DependencyCondition::CompletedSuccessfully);
    refused(&[
        ("depends_on: other", "KPX7204"),
        ("depends_on: [5]", "KPX7204"),
        ("depends_on: [ewb]", "KPX7503"),
        ("depends_on: [web]", "KPX7505"),
    ]);
}

#[test]
fn unknown_keys_of_dependencies() {
    let text =
        "services: {a: {image: i, depends_on: {b: {condition: service_started, when: x}}}, b: {image: i}}";
    assert_eq!(read(text).diagnostics.iter().map(|d| d.code.id).collect::<Vec<_>>(), ["KPX7201"]);
}

#[test]
fn profiles_choose_services() {
    let text = "services: {a: {image: a}, b: {image: b, profiles: [dev, test]}}";
    let names = |profiles: &[&str]| -> (Vec<String>, Vec<String>) {
        let project = read_with(text, profiles).project.expect("a project");
        (project.services.into_keys().collect(), project.disabled_services.into_keys().collect())
    };
    assert_eq!(names(&[]), (vec!["a".into()], vec!["b".into()]));
    assert_eq!(names(&["test"]), (vec!["a".into(), "b".into()], vec![]));
    assert_eq!(names(&["*"]), (vec!["a".into(), "b".into()], vec![]));
    assert_eq!(names(&["prod"]), (vec!["a".into()], vec!["b".into()]));
}

#[test]
fn networks() {
    let text = "services: {web: {image: a, networks: [x, default]}, db: {image: b, networks: {x: }}}\nnetworks:\n  x: \n";
    let found = project(text);
    assert_eq!(found.services["web"].networks.keys().collect::<Vec<_>>(), ["default", "x"]);
    assert_eq!(found.networks.keys().collect::<Vec<_>>(), ["default", "x"]);
    let codes = |networks: &str| -> Vec<&str> {
        let text = format!("services: {{web: {{image: a}}}}\nnetworks: {networks}");
        read(&text).diagnostics.iter().map(|d| d.code.id).collect()
    };
    assert_eq!(codes("{a: {driver: bridge, attachable: true, name: n}}"), [""; 0]);
    assert_eq!(codes("{a: , b: {external: true, internal: true, driver: macvlan, ipam: {}}}"), [""; 0]);
    assert_eq!(codes("{a: {drivr: bridge}}"), ["KPX7201"]);
    assert_eq!(codes("[a]"), ["KPX7204"]);
    refused(&[
        ("networks: [nowhere]", "KPX7506"),
        ("networks: {default: {ipv4_address: here}}", "KPX7205"),
        ("networks: {default: {alias: [a]}}", "KPX7201"),
    ]);
    assert_eq!(findings("networks: {default: {priority: 5}}"), [""; 0]);
}

#[test]
fn keys_that_decide_nothing_here_are_left_to_the_conversion() {
    for key in
        ["logging: {driver: json-file}", "attach: false", "develop: {}", "build: .", "ulimits: {nofile: 5}"]
    {
        assert_eq!(findings(key), [""; 0], "{key}");
    }
    assert_eq!(findings("x-note: {anything: [goes]}"), [""; 0]);
    assert!(service("build: .").build.is_some());
}

#[test]
fn unknown_keys_are_errors() {
    refused(&[
        ("deploy: {x-kompox: {}}", "KPX7201"),
        ("x-kompox: {liveness: x}", "KPX7201"),
        ("x-kompox: {x-more: x}", "KPX7201"),
        ("x-kompox: {livenessProbe: always}", "KPX7205"),
        ("x-kompox: {resources: {request: {}}}", "KPX7201"),
        ("enviroment: {}", "KPX7201"),
        ("restart_policy: always", "KPX7201"),
    ]);
    let parsed = read(&file("enviroment: {}"));
    assert_eq!(parsed.diagnostics[0].help.as_deref(), Some("did you mean `environment`?"));
    assert_eq!(parsed.diagnostics[0].path, "services.web.enviroment");
}
