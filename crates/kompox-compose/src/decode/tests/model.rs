//! Keys that decide something in a cluster beyond the everyday ones: what the model holds of them.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::{file, project, read, refused, service};
use crate::Spanned;
use crate::model::{Content, DeployMode, NetworkMode, PullPolicy, SharedNamespace};

fn value<T: Clone>(value: &Option<Spanned<T>>) -> Option<T> {
    value.as_ref().map(|value| value.value.clone())
}

fn values<T: Clone>(values: &[Spanned<T>]) -> Vec<T> {
    values.iter().map(|value| value.value.clone()).collect()
}

fn map(values: &BTreeMap<String, Spanned<String>>) -> Vec<String> {
    values.iter().map(|(name, value)| format!("{name}={}", value.value)).collect()
}

#[test]
fn deploy() {
    let web = service(
        "deploy:
  mode: replicated-job
  endpoint_mode: dnsrr
  labels: [a=b]
  restart_policy: {condition: on-failure, max_attempts: 3, delay: 5s, window: 2m}
  update_config: {parallelism: 2, order: start-first, delay: 1s, failure_action: rollback}
  placement: {constraints: [node.role==worker], preferences: [{spread: node.labels.zone}], max_replicas_per_node: 1}
  rollback_config: {parallelism: 1}",
    );
    let deploy = web.deploy;
    assert_eq!(value(&deploy.mode), Some(DeployMode::ReplicatedJob));
    assert_eq!(value(&deploy.endpoint_mode).as_deref(), Some("dnsrr"));
    assert_eq!(map(&deploy.labels), ["a=b"]);
    let restart = deploy.restart_policy.expect("a policy");
    assert_eq!(
        (value(&restart.condition), value(&restart.max_attempts)),
        (Some("on-failure".into()), Some(3))
    );
    assert_eq!(
        (value(&restart.delay), value(&restart.window)),
        (Some(Duration::from_secs(5)), Some(Duration::from_secs(120)))
    );
    let update = deploy.update_config.expect("a config");
    assert_eq!((value(&update.parallelism), value(&update.order)), (Some(2), Some("start-first".into())));
    assert_eq!(values(&deploy.constraints), ["node.role==worker"]);
    assert_eq!(deploy.preferences[0].spread.value, "node.labels.zone");
    assert_eq!(value(&deploy.max_replicas_per_node), Some(1));
    assert_eq!(service("deploy:").deploy, crate::model::Deploy::default());
    refused(&[("deploy: {update_config: {order: sideways}}", "KPX7205"), ("deploy: {mode: 5}", "KPX7204")]);
}

#[test]
fn resources_of_both_ages() {
    let deployed = "deploy: {resources: {limits: {cpus: \"1.5\", memory: 64m, pids: 5}, reservations: {cpus: 0.25, memory: \"1048576\"}}}";
    let older = "cpus: 1.5\nmem_limit: 64m\npids_limit: 5\nmem_reservation: 1m";
    for lines in [deployed.to_owned(), older.to_owned(), format!("{deployed}\n{older}")] {
        let resources = service(&lines).resources;
        let limits = (
            value(&resources.limits.micro_cpus),
            value(&resources.limits.memory),
            value(&resources.limits.pids),
        );
        assert_eq!(limits, (Some(1_500_000), Some(64 << 20), Some(5)), "{lines}");
        assert_eq!(value(&resources.reservations.memory), Some(1 << 20), "{lines}");
    }
    let shares = service("cpu_shares: 512\ncpu_quota: -1\ncpu_period: \"100000\"").resources;
    assert_eq!(
        (value(&shares.cpu_shares), value(&shares.cpu_quota), value(&shares.cpu_period)),
        (Some(512), Some(-1), Some(100_000))
    );
    refused(&[
        ("cpus: 2\ndeploy: {resources: {limits: {cpus: 1}}}", "KPX7205"),
        ("mem_limit: 1m\ndeploy: {resources: {limits: {memory: 2m}}}", "KPX7205"),
        ("mem_reservation: 1m\ndeploy: {resources: {reservations: {memory: 2m}}}", "KPX7205"),
        ("pids_limit: 1\ndeploy: {resources: {limits: {pids: 2}}}", "KPX7205"),
        ("cpus: fast", "KPX7205"),
        ("mem_limit: 1x", "KPX7205"),
    ]);
}

#[test]
fn devices() {
    let all = service("gpus: all").resources.devices;
    assert_eq!((value(&all[0].count), values(&all[0].capabilities)), (Some(-1), vec!["gpu".to_owned()]));
    let lines = "gpus: [{driver: nvidia, count: 2}]
deploy:
  resources:
    reservations:
      devices: [{capabilities: [gpu], device_ids: [\"0\"], options: {a: b}}, {capabilities: [tpu], count: all}]
      generic_resources: [{discrete_resource_spec: {kind: acme/fpga, value: 3}}]";
    let resources = service(lines).resources;
    let counts: Vec<Option<i64>> = resources.devices.iter().map(|device| value(&device.count)).collect();
    assert_eq!(counts, [None, Some(-1), Some(2)]);
    assert_eq!(values(&resources.devices[0].device_ids), ["0"]);
    assert_eq!(map(&resources.devices[0].options), ["a=b"]);
    assert_eq!(values(&resources.devices[2].capabilities), ["gpu"]);
    assert_eq!(
        (resources.generic_resources[0].0.value.as_str(), resources.generic_resources[0].1),
        ("acme/fpga", 3)
    );
    refused(&[("gpus: [{count: 1, device_ids: [a]}]", "KPX7205"), ("gpus: some", "KPX7204")]);
}

#[test]
fn what_is_shared_and_reached() {
    let lines = file(
        "pid: host\nipc: \"container:db\"\nuts: host\nuserns_mode: host\ncgroup: private
links: [db, \"db:database\"]
volumes_from: [db, \"db:ro\"]
extra_hosts: [\"a=10.0.0.1\", \"b:[::1]\", \"c:host-gateway\"]
dns: 1.1.1.1\ndns_search: [x, y]\ndns_opt: [ndots:2]
networks: {default: {aliases: [other], ipv4_address: 10.1.0.2, link_local_ips: [\"fe80::1\"], mac_address: m}}
depends_on: []",
    );
    let text = lines.replacen("services:\n", "services:\n  db: {image: a}\n", 1);
    let web = project(&text).services.remove("web").expect("the service");
    assert_eq!(value(&web.pid), Some(SharedNamespace::Host));
    assert_eq!(value(&web.ipc), Some(SharedNamespace::Container("db".into())));
    assert_eq!(
        [&web.uts, &web.userns_mode, &web.cgroup].map(|text| value(text).unwrap_or_default()),
        ["host", "host", "private"]
    );
    assert_eq!(values(&web.links), [("db".to_owned(), None), ("db".to_owned(), Some("database".to_owned()))]);
    assert_eq!(
        web.volumes_from.iter().map(|from| (from.service.as_str(), from.read_only)).collect::<Vec<_>>(),
        [("db", false), ("db", true)]
    );
    let hosts: Vec<String> =
        values(&web.extra_hosts).into_iter().map(|(name, to)| format!("{name} {to}")).collect();
    assert_eq!(hosts, ["a 10.0.0.1", "b ::1", "c host-gateway"]);
    assert_eq!(
        (values(&web.dns), values(&web.dns_search).len(), values(&web.dns_opt)),
        (vec!["1.1.1.1".to_owned()], 2, vec!["ndots:2".to_owned()])
    );
    let joined = &web.networks["default"];
    assert_eq!((values(&joined.aliases), joined.addresses.len()), (vec!["other".to_owned()], 2));
    let mode = |text: &str| value(&service(&format!("network_mode: {text}")).network_mode);
    assert_eq!(mode("none"), Some(NetworkMode::None));
    assert_eq!(mode("host"), Some(NetworkMode::Host));
    assert_eq!(mode("bridge"), Some(NetworkMode::Bridge));
    assert_eq!(mode("container:db"), Some(NetworkMode::Container("db".into())));
    assert_eq!(mode("corp"), Some(NetworkMode::Other("corp".into())));
    assert_eq!(service("extra_hosts: {a: [10.0.0.1, 10.0.0.2]}").extra_hosts.len(), 2);
    refused(&[
        ("extra_hosts: [a]", "KPX7205"),
        ("volumes_from: [\"container:x\"]", "KPX7203"),
        ("volumes_from: [\"web:rx\"]", "KPX7505"),
    ]);
}

#[test]
fn rights_and_the_like() {
    let web = service(
        "privileged: true\nsecurity_opt: [no-new-privileges, \"seccomp=unconfined\", \"label:type:t\"]
sysctls: [net.core.somaxconn=1024]\nshm_size: 1gb\nstorage_opt: {size: 1G}\ngroup_add: [5, staff]
tty: true\nstdin_open: \"true\"\nruntime: r\nstop_signal: SIGINT\ndomainname: example.org\nannotations: {a: b}",
    );
    assert_eq!(
        (value(&web.privileged), value(&web.tty), value(&web.stdin_open)),
        (Some(true), Some(true), Some(true))
    );
    let options: Vec<_> =
        web.security_opt.iter().map(|option| (option.name.as_str(), option.value.as_deref())).collect();
    assert_eq!(
        options,
        [("no-new-privileges", None), ("seccomp", Some("unconfined")), ("label", Some("type:t"))]
    );
    assert_eq!(map(&web.sysctls), ["net.core.somaxconn=1024"]);
    assert_eq!((value(&web.shm_size), map(&web.storage_opt)), (Some(1 << 30), vec!["size=1G".to_owned()]));
    assert_eq!(values(&web.group_add), ["5", "staff"]);
    let texts = [&web.runtime, &web.stop_signal, &web.domainname].map(|text| value(text).unwrap_or_default());
    assert_eq!(texts, ["r", "SIGINT", "example.org"]);
    assert_eq!(map(&web.annotations), ["a=b"]);
    for (text, policy) in
        [("build", PullPolicy::Build), ("daily", PullPolicy::Refresh), ("every_12h", PullPolicy::Refresh)]
    {
        assert_eq!(value(&service(&format!("pull_policy: {text}")).pull_policy), Some(policy), "{text}");
    }
    assert_eq!(service("user: \"\"\nhostname: \"\"").user, None);
}

#[test]
fn hooks() {
    let web = service(
        "pre_start: [{command: [a, b], image: i, per_replica: false}, {command: [c]}]
post_start: [{command: [d], user: root, privileged: true, working_dir: /w, environment: [A=1, SECRET]}]
pre_stop: [{command: [e]}]",
    );
    assert_eq!(web.pre_start.iter().map(|hook| hook.per_replica).collect::<Vec<_>>(), [false, true]);
    assert_eq!(value(&web.pre_start[0].image).as_deref(), Some("i"));
    let hook = &web.post_start[0];
    assert_eq!((value(&hook.user).as_deref(), value(&hook.privileged)), (Some("root"), Some(true)));
    let variables: Vec<(&str, &str)> =
        hook.environment.iter().map(|(name, value)| (name.as_str(), value.expose_secret())).collect();
    assert_eq!(variables, [("A", "1"), ("SECRET", "hunter2")]);
    assert_eq!(web.pre_stop[0].command.value, ["e"]);
    refused(&[
        ("post_start: [{user: a}]", "KPX7206"),
        ("post_start: [{command: []}]", "KPX7205"),
        ("pre_stop: [{command: [a], image: b}]", "KPX7201"),
    ]);
}

#[test]
fn configs_and_secrets() {
    let text = "services:
  web:
    image: a
    configs: [c, {source: d, target: etc/d, uid: \"5\", gid: \"6\", mode: 0440}]
    secrets: [s, {source: t, target: /abs, mode: \"0400\"}, {source: t, target: rel}]
configs:
  c: {file: ./c.txt, labels: {a: b}, name: n}
  d: {content: text}
secrets:
  s: {environment: SECRET}
  t: {external: true, name: outside}
  u: {environment: NOWHERE}
";
    let found = project(text);
    let web = &found.services["web"];
    let targets = |mounts: &[crate::model::FileMount]| {
        mounts.iter().map(|mount| mount.target.clone()).collect::<Vec<_>>()
    };
    assert_eq!(targets(&web.configs), ["/c", "/etc/d"]);
    assert_eq!(targets(&web.secrets), ["/run/secrets/s", "/abs", "/run/secrets/rel"]);
    let long = &web.configs[1];
    assert_eq!(
        (value(&long.uid), value(&long.gid), value(&long.mode)),
        (Some("5".into()), Some("6".into()), Some(0o440))
    );
    assert_eq!(value(&web.secrets[1].mode), Some(0o400));
    assert!(matches!(&found.configs["c"].content, Content::File(path) if path.value == "./c.txt"));
    assert!(
        matches!(&found.configs["d"].content, Content::Inline { text, .. } if text.expose_secret() == "text")
    );
    let of = |name: &str| match &found.secrets[name].content {
        Content::Environment { value, .. } => value.as_ref().map(|value| value.expose_secret().to_owned()),
        other => panic!("{other:?}"),
    };
    assert_eq!((of("s"), of("u")), (Some("hunter2".to_owned()), None));
    assert!(matches!(found.secrets["t"].content, Content::External(_)));
    assert!(!format!("{found:?}").contains("hunter2"));
    for (declared, code) in
        [("{a: {}}", "KPX7206"), ("{a: {file: b, content: c}}", "KPX7205"), ("{a: {files: b}}", "KPX7201")]
    {
        let parsed = read(&format!("{}configs: {declared}\n", file("")));
        assert!(
            parsed.diagnostics.iter().any(|found| found.code.id == code),
            "{declared} {:?}",
            parsed.diagnostics
        );
    }
    refused(&[("secrets: [{target: x}]", "KPX7206")]);
}

#[test]
fn label_files_lie_below_labels() {
    let web = service("label_file: [a.env]\nlabels: {A: mine}");
    assert_eq!(map(&web.labels), ["A=mine", "B=file hunter2"]);
    refused(&[("label_file: nowhere.env", "KPX7401")]);
}

#[test]
fn the_extension_of_a_service() {
    let web = service(
        "x-kompox: {livenessProbe: fromHealthcheck, resources: {requests: {a/b: 2}, limits: {cpu: 1}}, models: {m: http://x}}",
    );
    let extension = web.extension;
    assert_eq!(value(&extension.liveness_from_healthcheck), Some(true));
    assert_eq!(
        (map(&extension.requests), map(&extension.limits), map(&extension.models)),
        (vec!["a/b=2".to_owned()], vec!["cpu=1".to_owned()], vec!["m=http://x".to_owned()])
    );
}
