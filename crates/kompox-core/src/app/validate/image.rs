//! The image: `image`, `build`, `pull_policy`, `platform`, `runtime`.

use super::subject::Subject;
use super::{Findings, names};
use crate::app::codes;
use crate::app::validated::Platform;
use kompox_compose::model::PullPolicy;

/// What Docker calls the runtime that every node has anyway.
const USUAL_RUNTIMES: [&str; 3] = ["runc", "io.containerd.runc.v2", "crun"];

/// The image reference, verbatim; empty (and an error) where there is only a build.
pub(super) fn reference(subject: &Subject<'_>, findings: &mut Findings) -> String {
    let service = subject.service;
    let Some(image) = &service.image else {
        let span = service.build.as_ref().unwrap_or(&service.name.span);
        let message =
            format!("the service `{}` has no image, and nothing is built in a cluster", service.name.value);
        findings.diagnose(
            subject
                .at(&codes::BUILD_ONLY, "build", span, message)
                .help("build and push the image elsewhere, and name it under `image`"),
        );
        return String::new();
    };
    if let Some(build) = &service.build {
        let message = "nothing is built in a cluster: the image is pulled";
        findings.diagnose(subject.at(&codes::BUILD_IGNORED, "build", build, message));
    }
    if is_floating(&image.value) {
        let message = "the image may be another one at the next start of a pod";
        findings.diagnose(
            subject.at(&codes::IMAGE_TAG, "image", &image.span, message).help("give a tag or a digest"),
        );
    }
    image.value.clone()
}

/// No tag and no digest, or the tag `latest`. A colon before the last `/` is a registry's port.
fn is_floating(reference: &str) -> bool {
    if reference.contains('@') {
        return false;
    }
    let last = reference.rsplit('/').next().unwrap_or(reference);
    last.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

/// When the kubelet pulls. Compose pulls what is missing, also for `latest`; Kubernetes does not.
pub(super) fn pull_policy(subject: &Subject<'_>, findings: &mut Findings) -> &'static str {
    let Some(policy) = &subject.service.pull_policy else { return "IfNotPresent" };
    match policy.value {
        PullPolicy::Always => "Always",
        PullPolicy::Never => "Never",
        PullPolicy::Missing => "IfNotPresent",
        PullPolicy::Refresh => {
            let message = "the image is pulled whenever a pod starts, not after a time";
            findings.diagnose(subject.at(&codes::PULL_REFRESH, "pull_policy", &policy.span, message));
            "Always"
        }
        PullPolicy::Build => {
            let message = "an image that is never pulled is not there: nothing is built in a cluster";
            findings.diagnose(
                subject
                    .at(&codes::PULL_BUILD, "pull_policy", &policy.span, message)
                    .help("push the image to a registry and remove `pull_policy`"),
            );
            "Never"
        }
    }
}

/// Node labels for `os[/arch[/variant]]`; nodes do not tell variants apart.
pub(super) fn platform(subject: &Subject<'_>, findings: &mut Findings) -> Platform {
    let Some(given) = &subject.service.platform else { return Platform::default() };
    let mut parts = given.value.split('/');
    let os = parts.next().unwrap_or_default();
    let arch = parts.next().map(architecture);
    let known =
        arch.is_none_or(|arch| matches!(arch, "amd64" | "arm64" | "arm" | "ppc64le" | "s390x" | "riscv64"));
    if os != "linux" || !known {
        let message = format!("no node can have the platform `{}`", given.value);
        findings.diagnose(
            subject
                .at(&codes::PLATFORM, "platform", &given.span, message)
                .help("use a platform such as `linux/amd64` or `linux/arm64`"),
        );
    }
    Platform { os: Some(os.to_owned()), arch: arch.map(str::to_owned) }
}

/// The name that nodes carry for an architecture.
pub(super) fn architecture(name: &str) -> &str {
    match name {
        "x86_64" | "x86-64" => "amd64",
        "aarch64" => "arm64",
        "armhf" | "armel" => "arm",
        other => other,
    }
}

/// The RuntimeClass. Whether the cluster has it shows when pods are made.
pub(super) fn runtime_class(subject: &Subject<'_>, findings: &mut Findings) -> Option<String> {
    let runtime = subject.service.runtime.as_ref()?;
    if USUAL_RUNTIMES.contains(&runtime.value.as_str()) {
        return None;
    }
    if !names::is_dns_subdomain(&runtime.value) {
        let message = format!("`{}` cannot be the name of a RuntimeClass", runtime.value);
        findings.diagnose(
            subject
                .at(&codes::RUNTIME_INVALID, "runtime", &runtime.span, message)
                .help("name a RuntimeClass of the cluster, or remove the key"),
        );
        return None;
    }
    let message = format!("pods need the RuntimeClass `{}` in the cluster", runtime.value);
    findings.diagnose(subject.at(&codes::RUNTIME_CLASS, "runtime", &runtime.span, message));
    Some(runtime.value.clone())
}

#[cfg(test)]
mod tests {
    use super::is_floating;

    #[test]
    fn a_tag_other_than_latest_or_a_digest_holds_an_image() {
        for (reference, floating) in [
            ("nginx", true),
            ("nginx:latest", true),
            ("nginx:1.27", false),
            ("registry:5000/nginx", true),
            ("registry:5000/a/nginx:1", false),
            ("nginx@sha256:00", false),
            ("nginx:latest@sha256:00", false),
        ] {
            assert_eq!(is_floating(reference), floating, "{reference}");
        }
    }
}
