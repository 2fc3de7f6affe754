//! One service: <https://github.com/compose-spec/compose-spec/blob/main/05-services.md>.

use super::cursor::{At, Fields};
use super::mounts::Mounts;
use super::{Context, command, depends_on, environment, healthcheck, keys, lists, networks, ports};
use crate::codes;
use crate::model::{PullPolicy, RestartPolicy, Service};
use crate::span::Spanned;
use crate::text::shown;

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
    let image = image(cx, &mut fields);
    let environment_at = fields.take("environment");
    let env_file = fields.take("env_file");
    let mounts = mounts(cx, &mut fields, &name.value);
    let service = Service {
        name: name.clone(),
        image: image.clone().unwrap_or_else(|| Spanned::new(String::new(), name.span.clone())),
        command: fields.take("command").and_then(|at| command::words(cx, &at)),
        entrypoint: fields.take("entrypoint").and_then(|at| command::words(cx, &at)),
        environment: environment::variables(cx, environment_at.as_ref(), env_file.as_ref()),
        ports: fields.take("ports").map(|at| ports::ports(cx, &at)).unwrap_or_default(),
        expose: fields.take("expose").map(|at| ports::expose(cx, &at)).unwrap_or_default(),
        volumes: mounts.volumes,
        tmpfs: mounts.tmpfs,
        depends_on: fields.take("depends_on").map(|at| depends_on::depends_on(cx, &at)).unwrap_or_default(),
        healthcheck: fields.take("healthcheck").and_then(|at| healthcheck::healthcheck(cx, &at)),
        restart: fields.take("restart").and_then(|at| restart(cx, &at)),
        replicas: replicas(cx, &mut fields),
        user: text(cx, &mut fields, "user"),
        working_dir: text(cx, &mut fields, "working_dir"),
        labels: fields.take("labels").map(|at| lists::labels(cx, &at)).unwrap_or_default(),
        stop_grace_period: fields.take("stop_grace_period").and_then(|at| at.duration(cx)),
        container_name: fields.take("container_name").and_then(|at| container_name(cx, &at)),
        hostname: text(cx, &mut fields, "hostname"),
        init: fields.take("init").and_then(|at| at.boolean(cx)),
        read_only: fields.take("read_only").and_then(|at| at.boolean(cx)),
        cap_add: fields.take("cap_add").map(|at| lists::unique(cx, &at)).unwrap_or_default(),
        cap_drop: fields.take("cap_drop").map(|at| lists::unique(cx, &at)).unwrap_or_default(),
        platform: text(cx, &mut fields, "platform"),
        pull_policy: fields.take("pull_policy").and_then(|at| pull_policy(cx, &at)),
        networks: fields.take("networks").map(|at| networks::joined(cx, &at)).unwrap_or_default(),
        profiles,
    };
    without_effect(cx, &mut fields, image.is_some());
    fields.finish(cx);
    if image.is_some() { Decoded::Enabled(Box::new(service)) } else { Decoded::Broken }
}

fn text(cx: &mut Context<'_>, fields: &mut Fields<'_>, key: &str) -> Option<Spanned<String>> {
    fields.take(key).and_then(|at| at.text(cx))
}

fn image(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Spanned<String>> {
    if let Some(at) = fields.take("image") {
        return at.text(cx);
    }
    let name = fields.at.name();
    let (message, help) = match fields.take("build") {
        Some(_) => (
            format!("service {} is only built, and a cluster builds no images", shown(&name)),
            "build and push the image, and name it with `image`",
        ),
        None => (format!("service {} has no `image`", shown(&name)), "name the image to run with `image`"),
    };
    cx.report(fields.at.finding(&codes::NO_IMAGE, message).help(help));
    None
}

fn mounts(cx: &mut Context<'_>, fields: &mut Fields<'_>, service: &str) -> Mounts {
    let mut mounts = Mounts::default();
    if let Some(at) = fields.take("volumes") {
        mounts.add_volumes(cx, &at);
    }
    if let Some(at) = fields.take("tmpfs") {
        mounts.add_tmpfs(cx, &at);
    }
    mounts.check(cx, service);
    mounts
}

fn without_effect(cx: &mut Context<'_>, fields: &mut Fields<'_>, has_image: bool) {
    fields.ignore(cx, "logging", "a cluster collects the logs of its containers itself");
    fields.ignore(cx, "attach", "it concerns the terminal of `docker compose up` only");
    fields.ignore(cx, "develop", "it concerns `docker compose watch` only");
    if has_image {
        fields.ignore(cx, "build", "the image named by `image` is used");
    }
}

fn restart(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<RestartPolicy>> {
    let policy = match at.string(cx)? {
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

/// `deploy.replicas` and `scale` say the same; different values are refused.
fn replicas(cx: &mut Context<'_>, fields: &mut Fields<'_>) -> Option<Spanned<u32>> {
    let scale = fields.take("scale").and_then(|at| at.number(cx, 0));
    let Some(mut deploy) = fields.take("deploy").and_then(|at| at.fields(cx, keys::DEPLOY)) else {
        return scale;
    };
    let replicas = deploy.take("replicas").and_then(|at| at.number(cx, 0));
    if let Some(at) = deploy.take("mode")
        && at.string(cx).is_some_and(|mode| mode != "replicated")
    {
        let message = "only the mode `replicated` is supported yet";
        cx.report(at.finding(&codes::UNSUPPORTED_VALUE, message));
    }
    deploy.finish(cx);
    if let (Some(scale), Some(replicas)) = (&scale, &replicas)
        && scale.value != replicas.value
    {
        let message = "`scale` and `deploy.replicas` say different numbers";
        let finding = fields.at.finding(&codes::INVALID_VALUE, message).at(&replicas.span);
        cx.report(finding.related(&scale.span, "`scale` is here"));
    }
    replicas.or(scale)
}

fn container_name(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<String>> {
    let name = at.text(cx)?;
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
    let text = at.string(cx)?;
    let policy = match text {
        "always" => Some(PullPolicy::Always),
        "never" => Some(PullPolicy::Never),
        "missing" | "if_not_present" => Some(PullPolicy::Missing),
        _ => None,
    };
    if policy.is_none()
        && (matches!(text, "build" | "refresh" | "daily" | "weekly") || text.starts_with("every_"))
    {
        let message = "this pull policy is not supported yet";
        cx.report(
            at.finding(&codes::UNSUPPORTED_VALUE, message).help("write `always`, `missing` or `never`"),
        );
    } else if policy.is_none() {
        at.invalid(cx, "`always`, `missing` or `never`");
    }
    super::spanned(policy, &at.node.span)
}
