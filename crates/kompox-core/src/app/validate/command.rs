//! `entrypoint` and `command`, by the Engine's rules: an entrypoint given drops the image's command.

use super::Findings;
use crate::app::codes;
use kompox_compose::Diagnostic;
use kompox_compose::model::Service;

/// Words of the container's `command` and `args`; empty: the image's.
pub(super) fn validate(service: &Service, findings: &mut Findings) -> (Vec<String>, Vec<String>) {
    let command = service.command.as_ref();
    let words = command.map(|command| command.value.clone()).unwrap_or_default();
    let Some(entrypoint) = &service.entrypoint else {
        if let Some(cleared) = command.filter(|_| words.is_empty()) {
            let message = "an empty command does not clear the image's: the Engine keeps it too";
            findings.diagnose(
                Diagnostic::new(&codes::CLEARED_COMMAND, message)
                    .at(&cleared.span)
                    .path(format!("services.{}.command", service.name.value)),
            );
        }
        return (Vec::new(), words);
    };
    // `[]` and `[""]` both clear the entrypoint.
    let cleared = entrypoint.value.iter().all(String::is_empty) && entrypoint.value.len() <= 1;
    if !cleared {
        return (entrypoint.value.clone(), words);
    }
    if words.first().is_none_or(String::is_empty) {
        let message = "the entrypoint is cleared and there is no command to run";
        findings.diagnose(
            Diagnostic::new(&codes::EMPTY_COMMAND, message)
                .at(&entrypoint.span)
                .path(format!("services.{}.entrypoint", service.name.value))
                .help("give a command: the image's own cannot be known here"),
        );
    }
    (words, Vec::new())
}
