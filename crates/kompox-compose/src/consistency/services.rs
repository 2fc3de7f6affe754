//! The rules about one service.

use std::collections::BTreeMap;

use super::{Checked, is_true};
use crate::codes;
use crate::severity::Severity;
use crate::span::Span;
use crate::text::shown;
use crate::yaml::{Entry, Node};

impl Checked<'_> {
    pub(super) fn service(&mut self, entry: &Entry) {
        self.image(entry);
        self.networks(entry);
        self.health(entry);
        self.dependencies(entry);
        self.references(entry);
        self.quantities(entry);
        self.targets(entry);
        self.ports_and_devices(entry);
    }

    fn fault(
        &mut self,
        code: &'static crate::Code,
        entry: &Entry,
        key: &str,
        span: &Span,
        message: &str,
        help: &str,
    ) {
        let path = format!("services.{}.{key}", entry.key.value);
        let message = format!("service {} {message}", shown(&entry.key.value));
        self.push(code, span, path, message, help);
    }

    fn image(&mut self, entry: &Entry) {
        let service = &entry.value;
        let image = service.get("image").and_then(Node::as_text).is_some_and(|image| !image.is_empty());
        if !image && service.get("build").is_none() && service.get("provider").is_none() {
            let span = service.get("image").map_or(&entry.key.span, |image| &image.span);
            let help = "give it an `image`";
            self.fault(&codes::NO_IMAGE, entry, "image", span, "has neither an image nor a build", help);
        }
        let Some(build) = service.get("build") else { return };
        if let (Some(inline), Some(_)) = (build.get("dockerfile_inline"), build.get("dockerfile")) {
            let message = "has both `dockerfile` and `dockerfile_inline`";
            self.fault(
                &codes::INVALID_VALUE,
                entry,
                "build.dockerfile_inline",
                &inline.span,
                message,
                "keep one",
            );
        }
    }

    fn networks(&mut self, entry: &Entry) {
        let service = &entry.value;
        let networks = service.get("networks").map(Node::entries).unwrap_or_default();
        if let (Some(mode), false) = (service.get("network_mode"), networks.is_empty()) {
            let message = "has both `network_mode` and `networks`";
            self.fault(&codes::INVALID_VALUE, entry, "network_mode", &mode.span, message, "keep one of them");
            return;
        }
        for network in networks {
            if self.declares("networks", &network.key.value) {
                continue;
            }
            let name = shown(&network.key.value);
            let message = format!("joins the network {name}, which is not declared");
            let help = format!("declare it at the top level: `networks: {{ {}: {{}} }}`", network.key.value);
            let key = format!("networks.{}", network.key.value);
            self.fault(&codes::UNDEFINED_NETWORK, entry, &key, &network.key.span, &message, &help);
        }
    }

    fn health(&mut self, entry: &Entry) {
        let test = entry.value.get("healthcheck").and_then(|check| check.get("test"));
        let Some(first) = test.and_then(|test| test.items().first()) else { return };
        if !matches!(first.as_text(), Some("CMD" | "CMD-SHELL" | "NONE")) {
            let message = "has a health check whose test does not begin with `CMD`, `CMD-SHELL` or `NONE`";
            let help = "begin with `CMD` for a program, with `CMD-SHELL` for a shell's command line";
            self.fault(&codes::INVALID_VALUE, entry, "healthcheck.test", &first.span, message, help);
        }
    }

    fn dependencies(&mut self, entry: &Entry) {
        for dependency in entry.value.get("depends_on").map(Node::entries).unwrap_or_default() {
            let name = dependency.key.value.as_str();
            let required = is_true(dependency.value.get("required"));
            let key = format!("depends_on.{name}");
            if self.disabled.contains(name) {
                if required {
                    let message = format!("depends on {}, which no active profile enables", shown(name));
                    let help = "activate its profile, or mark the dependency with `required: false`";
                    self.fault(
                        &codes::DISABLED_DEPENDENCY,
                        entry,
                        &key,
                        &dependency.key.span,
                        &message,
                        help,
                    );
                }
            } else if !self.declares("services", name) {
                let names = self.root.get("services").map(Node::entries).unwrap_or_default();
                let names = names.iter().map(|entry| entry.key.value.as_str());
                let wanted = self.diagnostics.has_room(Severity::Error);
                let near = wanted.then(|| crate::suggest::nearest(name, names)).flatten();
                let help = near.map(|near| format!("did you mean `{near}`?"));
                let help = help.unwrap_or_else(|| "declare it below `services`".to_owned());
                let message = format!("depends on {}, which does not exist", shown(name));
                self.fault(&codes::UNDEFINED_SERVICE, entry, &key, &dependency.key.span, &message, &help);
            }
        }
    }

    fn references(&mut self, entry: &Entry) {
        for (index, volume) in
            entry.value.get("volumes").map(Node::items).unwrap_or_default().iter().enumerate()
        {
            let named = volume.get("type").and_then(Node::as_text) == Some("volume");
            let source = volume.get("source").filter(|_| named);
            let Some(name) = source.and_then(Node::as_text).filter(|name| !name.is_empty()) else { continue };
            // `name/sub/path` is a directory of the volume, which the reference does not know.
            let volume_name = name.split_once('/').map_or(name, |(volume, _)| volume);
            if !self.declares("volumes", name) && !self.declares("volumes", volume_name) {
                let message = format!("mounts the volume {}, which is not declared", shown(name));
                let help = format!("declare it at the top level: `volumes: {{ {name}: {{}} }}`");
                let (key, span) = (format!("volumes[{index}]"), &volume.span);
                self.fault(&codes::UNDEFINED_VOLUME, entry, &key, span, &message, &help);
            }
        }
        for section in ["configs", "secrets"] {
            for (index, item) in
                entry.value.get(section).map(Node::items).unwrap_or_default().iter().enumerate()
            {
                let key = format!("{section}[{index}]");
                let Some(name) = item.get("source").and_then(Node::as_text) else {
                    let message = format!("has an entry of `{section}` without its `source`");
                    let help = format!("name one of the top level's `{section}`");
                    self.fault(&codes::MISSING_KEY, entry, &key, &item.span, &message, &help);
                    continue;
                };
                if !self.declares(section, name) {
                    let message = format!("uses {} of `{section}`, which is not declared", shown(name));
                    let help = format!("declare it at the top level, below `{section}`");
                    self.fault(&codes::UNDEFINED_SOURCE, entry, &key, &item.span, &message, &help);
                }
            }
        }
        for model in entry.value.get("models").map(Node::entries).unwrap_or_default() {
            if !self.declares("models", &model.key.value) {
                let message = format!("uses the model {}, which is not declared", shown(&model.key.value));
                let key = format!("models.{}", model.key.value);
                let help = "declare it at the top level, below `models`";
                self.fault(&codes::UNDEFINED_SOURCE, entry, &key, &model.key.span, &message, help);
            }
        }
    }

    /// Keys that say the same thing in two places must agree.
    fn quantities(&mut self, entry: &Entry) {
        let service = &entry.value;
        let deploy = service.get("deploy");
        let resources = deploy.and_then(|deploy| deploy.get("resources"));
        let of = |part: &str, key: &str| {
            let part = resources.and_then(|resources| resources.get(part))?;
            Some(part.get(key).and_then(Node::printed).unwrap_or_else(|| "0".to_owned()))
        };
        let replicas = deploy.and_then(|deploy| deploy.get("replicas"));
        let twins = [
            ("scale", replicas.and_then(Node::printed), "deploy.replicas"),
            ("cpus", of("limits", "cpus"), "deploy.resources.limits.cpus"),
            ("mem_limit", of("limits", "memory"), "deploy.resources.limits.memory"),
            ("mem_reservation", of("reservations", "memory"), "deploy.resources.reservations.memory"),
            ("pids_limit", of("limits", "pids"), "deploy.resources.limits.pids"),
        ];
        for (key, other, place) in twins {
            let Some(node) = service.get(key) else { continue };
            let own = node.printed();
            let set = key == "scale" || own.as_deref() != Some("0");
            if set && other.is_some_and(|other| own.as_ref() != Some(&other)) {
                let message = format!("says one thing with `{key}` and another with `{place}`");
                self.fault(&codes::INVALID_VALUE, entry, key, &node.span, &message, "keep one of them");
            }
        }
        let scale = service.get("scale").or(replicas);
        let number: Option<i64> = scale.and_then(Node::printed).and_then(|text| text.parse().ok());
        let (Some(scale), Some(number)) = (scale, number) else { return };
        if number < 0 {
            self.fault(
                &codes::INVALID_VALUE,
                entry,
                "scale",
                &scale.span,
                "has less than no replica",
                "write 0 or more",
            );
        }
        if let (Some(name), true) = (service.get("container_name"), number > 1) {
            let message = "cannot have several replicas, because its container name is unique";
            let help = "remove `container_name`";
            self.fault(&codes::UNIQUE_CONTAINER_NAME, entry, "container_name", &name.span, message, help);
        }
    }

    /// A place in the container holds one mount.
    fn targets(&mut self, entry: &Entry) {
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        let tmpfs = entry.value.get("tmpfs").map(Node::items).unwrap_or_default();
        let volumes = entry.value.get("volumes").map(Node::items).unwrap_or_default();
        let path = |text: &str| text.split(':').next().unwrap_or(text).to_owned();
        let tmpfs = tmpfs.iter().filter_map(|node| Some(("tmpfs", path(node.as_text()?), node)));
        let volumes =
            volumes.iter().filter_map(|node| Some(("volumes", node.get("target")?.printed()?, node)));
        for (key, target, node) in tmpfs.chain(volumes) {
            if let Some(first) = seen.insert(target.clone(), node.span.clone()) {
                let message =
                    format!("service {} has two mounts with the same target", shown(&entry.key.value));
                let path = format!("services.{}.{key}", entry.key.value);
                let finding =
                    crate::Diagnostic::new(&codes::DUPLICATE_TARGET, message).at(&node.span).path(path);
                self.diagnostics.push(finding.related(&first, "the first mount is here"));
            }
        }
    }

    fn ports_and_devices(&mut self, entry: &Entry) {
        for port in entry.value.get("ports").map(Node::items).unwrap_or_default() {
            let Some(ip) = port.get("host_ip") else { continue };
            if ip.as_text().is_some_and(|text| text.parse::<std::net::IpAddr>().is_err()) {
                let message = "has a port whose `host_ip` is no IP address";
                self.fault(&codes::INVALID_VALUE, entry, "ports", &ip.span, message, "write an address");
            }
        }
        let resources = entry.value.get("deploy").and_then(|deploy| deploy.get("resources"));
        let reserved = resources.and_then(|resources| resources.get("reservations")?.get("devices"));
        let devices =
            [("deploy.resources.reservations.devices", reserved), ("gpus", entry.value.get("gpus"))];
        for (key, list) in devices {
            for device in list.map(Node::items).unwrap_or_default() {
                if let (Some(count), Some(_)) = (device.get("count"), device.get("device_ids")) {
                    let message = "asks for devices both by `count` and by `device_ids`";
                    self.fault(&codes::INVALID_VALUE, entry, key, &count.span, message, "keep one of them");
                }
                if key != "gpus" && device.get("capabilities").is_none() {
                    let message = "asks for devices without `capabilities`";
                    self.fault(
                        &codes::MISSING_KEY,
                        entry,
                        key,
                        &device.span,
                        message,
                        "write `capabilities: [gpu]`",
                    );
                }
            }
        }
    }
}
