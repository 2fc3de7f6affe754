//! One service: <https://github.com/compose-spec/compose-spec/blob/main/05-services.md>.

use super::cursor::{At, Fields};
use super::{
    Context, command, depends_on, deploy, environment, extension, files, healthcheck, hooks, keys, lists,
    mounts, namespaces, networks, ports, resources,
};
use crate::codes;
use crate::model::{PullPolicy, RestartPolicy, Service};
use crate::span::Spanned;
use crate::text::shown;
use crate::units;

/// A service, or that profiles leave it out, or that it has no image to run (which has been reported).
pub(super) enum Decoded {
    Enabled(Box<Service>),
    Disabled,
    Broken,
}

/// Decodes a service; everything wrong with it is reported.
pub(super) fn service(cx: &mut Context<'_>, name: &Spanned<String>, at: &At<'_>) -> Decoded {
    let Some(mut fields) = at.fields(cx, keys::SERVICE) else { return Decoded::Broken };
    let profiles = fields.take("profiles").map(|at| lists::unique(cx, &at)).unwrap_or_default();
    if !cx.enabled(&profiles) {
        return Decoded::Disabled;
    }
    let runs = check_image(cx, &fields);
    let service = enabled(cx, &mut fields, name.clone(), profiles);
    fields.finish(cx);
    if runs { Decoded::Enabled(Box::new(service)) } else { Decoded::Broken }
}

#[expect(clippy::too_many_lines, reason = "one line per field of the model, in the model's order")]
fn enabled(
    cx: &mut Context<'_>,
    fields: &mut Fields<'_>,
    name: Spanned<String>,
    profiles: Vec<Spanned<String>>,
) -> Service {
    Service {
        image: fields.word(cx, "image"),
        build: fields.take("build").map(|at| at.key.clone()),
        command: fields.take("command").and_then(|at| command::words(cx, &at)),
        entrypoint: fields.take("entrypoint").and_then(|at| command::words(cx, &at)),
        environment: environment::variables(cx, fields),
        ports: fields.take("ports").map(|at| ports::ports(cx, &at)).unwrap_or_default(),
        expose: fields.take("expose").map(|at| ports::expose(cx, &at)).unwrap_or_default(),
        mounts: mounts::mounts(cx, fields, &name.value),
        volumes_from: fields.take("volumes_from").map(|at| mounts::volumes_from(cx, &at)).unwrap_or_default(),
        configs: fields.take("configs").map(|at| files::mounts(cx, &at, "")).unwrap_or_default(),
        secrets: fields.take("secrets").map(|at| files::mounts(cx, &at, "/run/secrets")).unwrap_or_default(),
        depends_on: fields.take("depends_on").map(|at| depends_on::depends_on(cx, &at)).unwrap_or_default(),
        links: fields.take("links").map(|at| links(cx, &at)).unwrap_or_default(),
        healthcheck: fields.take("healthcheck").and_then(|at| healthcheck::healthcheck(cx, &at)),
        restart: fields.take("restart").and_then(|at| restart(cx, &at)),
        replicas: deploy::replicas(cx, fields),
        resources: resources::resources(cx, fields),
        deploy: fields.take("deploy").map(|at| deploy::deploy(cx, &at)).unwrap_or_default(),
        user: fields.word(cx, "user"),
        group_add: fields.take("group_add").map(|at| lists::printed(cx, &at)).unwrap_or_default(),
        working_dir: fields.word(cx, "working_dir"),
        labels: environment::labels(cx, fields),
        annotations: fields.map(cx, "annotations"),
        stop_grace_period: fields.take("stop_grace_period").and_then(|at| at.duration(cx)),
        stop_signal: fields.word(cx, "stop_signal"),
        container_name: fields.take("container_name").and_then(|at| container_name(cx, &at)),
        hostname: fields.word(cx, "hostname"),
        domainname: fields.word(cx, "domainname"),
        extra_hosts: fields.take("extra_hosts").map(|at| networks::extra_hosts(cx, &at)).unwrap_or_default(),
        dns: fields.words(cx, "dns"),
        dns_search: fields.words(cx, "dns_search"),
        dns_opt: fields.words(cx, "dns_opt"),
        init: fields.flag(cx, "init"),
        read_only: fields.flag(cx, "read_only"),
        privileged: fields.flag(cx, "privileged"),
        cap_add: fields.take("cap_add").map(|at| lists::unique(cx, &at)).unwrap_or_default(),
        cap_drop: fields.take("cap_drop").map(|at| lists::unique(cx, &at)).unwrap_or_default(),
        security_opt: fields.take("security_opt").map(|at| security_opt(cx, &at)).unwrap_or_default(),
        sysctls: fields.map(cx, "sysctls"),
        shm_size: fields.take("shm_size").and_then(|at| at.size(cx)),
        storage_opt: fields.map(cx, "storage_opt"),
        network_mode: fields.take("network_mode").and_then(|at| namespaces::network_mode(cx, &at)),
        pid: fields.take("pid").and_then(|at| namespaces::shared(cx, &at)),
        ipc: fields.take("ipc").and_then(|at| namespaces::shared(cx, &at)),
        uts: fields.word(cx, "uts"),
        userns_mode: fields.word(cx, "userns_mode"),
        cgroup: fields.word(cx, "cgroup"),
        platform: fields.word(cx, "platform"),
        runtime: fields.word(cx, "runtime"),
        pull_policy: fields.take("pull_policy").and_then(|at| pull_policy(cx, &at)),
        tty: fields.flag(cx, "tty"),
        stdin_open: fields.flag(cx, "stdin_open"),
        networks: fields.take("networks").map(|at| networks::joined(cx, &at)).unwrap_or_default(),
        pre_start: fields.take("pre_start").map(|at| hooks::pre_start(cx, &at)).unwrap_or_default(),
        post_start: fields.take("post_start").map(|at| hooks::hooks(cx, &at)).unwrap_or_default(),
        pre_stop: fields.take("pre_stop").map(|at| hooks::hooks(cx, &at)).unwrap_or_default(),
        extension: fields.take("x-kompox").map(|at| extension::service(cx, &at)).unwrap_or_default(),
        name,
        profiles,
    }
}

/// What is to run: an image, one that a build would give, or something a provider runs.
fn check_image(cx: &mut Context<'_>, fields: &Fields<'_>) -> bool {
    let named = |key: &str| fields.get(key).is_some_and(|node| !node.is_null() && !node.is_empty_text());
    if ["image", "build", "provider"].into_iter().any(named) {
        return true;
    }
    let message = format!("service {} has no `image`", shown(&fields.at.name()));
    cx.report(fields.at.finding(&codes::NO_IMAGE, message).help("name the image to run with `image`"));
    false
}

fn restart(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<RestartPolicy>> {
    let policy = match at.word(cx)?.value.as_str() {
        "no" => Some(RestartPolicy::No),
        "always" => Some(RestartPolicy::Always),
        "unless-stopped" => Some(RestartPolicy::UnlessStopped),
        "on-failure" => Some(RestartPolicy::OnFailure { max_retries: None }),
        text => text
            .strip_prefix("on-failure:")
            .and_then(|retries| retries.parse().ok())
            .map(|retries| RestartPolicy::OnFailure { max_retries: Some(retries) }),
    };
    if policy.is_none() {
        at.invalid(cx, "`no`, `always`, `on-failure`, `on-failure:3` or `unless-stopped`");
    }
    super::spanned(policy, &at.node.span)
}

/// `SERVICE[:ALIAS]`.
fn links(cx: &mut Context<'_>, at: &At<'_>) -> Vec<Spanned<(String, Option<String>)>> {
    let split = |text: &str| match text.split_once(':') {
        Some((service, alias)) => (service.to_owned(), Some(alias.to_owned())),
        None => (text.to_owned(), None),
    };
    lists::unique(cx, at).into_iter().map(|link| link.map(|text| split(&text))).collect()
}

/// `NAME`, `NAME=VALUE` or `NAME:VALUE`.
fn security_opt(cx: &mut Context<'_>, at: &At<'_>) -> Vec<crate::model::SecurityOption> {
    let option = |text: Spanned<String>| {
        let (name, value) = match text.value.split_once(['=', ':']) {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (text.value, None),
        };
        crate::model::SecurityOption { span: text.span, name, value }
    };
    lists::unique(cx, at).into_iter().map(option).collect()
}

fn container_name(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<String>> {
    let name = at.word(cx)?;
    let mut chars = name.value.chars();
    let first = chars.next().is_some_and(|c| c.is_ascii_alphanumeric());
    let rest = chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    if !(first && rest && name.value.len() > 1) {
        at.invalid(cx, "at least two letters, digits, `_`, `.` or `-`, a letter or digit first");
        return None;
    }
    Some(name)
}

fn pull_policy(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<PullPolicy>> {
    let policy = match at.word(cx)?.value.as_str() {
        "always" => Some(PullPolicy::Always),
        "never" => Some(PullPolicy::Never),
        "missing" | "if_not_present" => Some(PullPolicy::Missing),
        "build" => Some(PullPolicy::Build),
        "refresh" | "daily" | "weekly" => Some(PullPolicy::Refresh),
        text => text.strip_prefix("every_").and_then(units::duration).map(|_| PullPolicy::Refresh),
    };
    if policy.is_none() {
        at.invalid(cx, "`always`, `missing`, `never`, `build`, `daily`, `weekly` or `every_12h`");
    }
    super::spanned(policy, &at.node.span)
}
