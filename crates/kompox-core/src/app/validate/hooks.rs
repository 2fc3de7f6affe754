//! `post_start`, `pre_stop` and `stop_signal`: commands around a container's life, which the kubelet takes as
//! they are written: `$` is not doubled here.

use super::Findings;
use super::subject::Subject;
use crate::app::codes;
use crate::app::secret_text::SecretText;
use crate::hash::FieldHasher;
use kompox_compose::model::Hook;
use secrecy::ExposeSecret as _;
use std::collections::BTreeMap;

/// Variables that are added to the service's environment.
pub(super) type Variables = BTreeMap<String, SecretText>;

/// The number of the first real-time signal, as the C library and the Engine count.
const FIRST_REAL_TIME: u8 = 34;

/// The last signal.
const LAST_SIGNAL: u8 = 64;

/// Signals that a container's process 1 can be sent from within (signal(7)).
const SIGNALS: [&str; 26] = [
    "ABRT", "ALRM", "BUS", "CHLD", "CONT", "FPE", "HUP", "ILL", "INT", "IO", "PIPE", "PROF", "PWR", "QUIT",
    "SEGV", "STKFLT", "SYS", "TERM", "TRAP", "TSTP", "TTIN", "TTOU", "URG", "USR1", "USR2", "WINCH",
];

/// Runs right after the start; empty: nothing.
pub(super) fn post_start(
    subject: &Subject<'_>,
    variables: &mut Variables,
    findings: &mut Findings,
) -> Vec<String> {
    commands(subject, "post_start", &subject.service.post_start, variables, findings)
}

/// Runs before the container is told to end; empty: nothing.
pub(super) fn pre_stop(
    subject: &Subject<'_>,
    variables: &mut Variables,
    findings: &mut Findings,
) -> Vec<String> {
    commands(subject, "pre_stop", &subject.service.pre_stop, variables, findings)
}

fn commands(
    subject: &Subject<'_>,
    key: &str,
    hooks: &[Hook],
    variables: &mut Variables,
    findings: &mut Findings,
) -> Vec<String> {
    check(subject, key, hooks, findings);
    match hooks {
        [] => Vec::new(),
        [hook] if is_plain(hook) => hook.command.value.clone(),
        _ => {
            let script = script(subject, key, hooks, variables, findings).join(" && ");
            vec!["/bin/sh".to_owned(), "-c".to_owned(), script]
        }
    }
}

fn is_plain(hook: &Hook) -> bool {
    hook.working_dir.is_none() && hook.environment.is_empty()
}

/// A hook runs in the container and with its rights.
fn check(subject: &Subject<'_>, key: &str, hooks: &[Hook], findings: &mut Findings) {
    for (index, hook) in hooks.iter().enumerate() {
        let user = hook.user.as_ref().map(|user| ("user", &user.span));
        let privileged = hook.privileged.as_ref().filter(|privileged| privileged.value);
        let privileged = privileged.map(|privileged| ("privileged", &privileged.span));
        for (member, span) in user.into_iter().chain(privileged) {
            let message = "a lifecycle command runs as its container does";
            findings.diagnose(
                subject
                    .at(&codes::HOOK_RIGHTS, &format!("{key}[{index}].{member}"), span, message)
                    .help(format!("remove `{member}`, or set it for the service")),
            );
        }
    }
}

/// One command of a shell for each hook. Values of variables stay out of the pod's description: they become
/// variables of the container under other names.
fn script(
    subject: &Subject<'_>,
    key: &str,
    hooks: &[Hook],
    variables: &mut Variables,
    findings: &mut Findings,
) -> Vec<String> {
    let mut parts = Vec::new();
    for (index, hook) in hooks.iter().enumerate() {
        let place = format!("{key}[{index}]");
        let message = "the command is run by the shell of the image, which it must have";
        findings.diagnose(subject.at(&codes::HOOK_SHELL, &place, &hook.span, message));
        let mut steps = Vec::new();
        steps.extend(hook.working_dir.as_ref().map(|directory| format!("cd {}", quote(&directory.value))));
        for (name, value) in &hook.environment {
            if !is_identifier(name) {
                let message = format!("a shell cannot set the variable `{name}`");
                let diagnostic = subject.at(&codes::ENVIRONMENT_NAME, &place, &hook.span, message);
                findings.diagnose(diagnostic.help("use letters, digits and `_`"));
            }
            let other = variable_name(key, index, name);
            steps.push(format!("export {name}=\"${other}\""));
            variables.insert(other, SecretText::new(value.expose_secret().as_bytes()));
        }
        let words: Vec<_> = hook.command.value.iter().map(|word| quote(word)).collect();
        steps.push(words.join(" "));
        parts.push(if is_plain(hook) { steps.join(" && ") } else { format!("({})", steps.join(" && ")) });
    }
    parts
}

/// The name under which the container carries a variable of a hook.
pub(super) fn variable_name(key: &str, index: usize, name: &str) -> String {
    // Not every name of a variable can be a key of a Secret.
    let name = if is_identifier(name) { name.to_owned() } else { FieldHasher::default().field(name).short() };
    format!("KOMPOX_{}_{index}_{name}", key.to_ascii_uppercase())
}

fn is_identifier(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// One word for a POSIX shell.
fn quote(word: &str) -> String {
    let harmless = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(harmless) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// What a shell's `kill -` takes, where the signal can be sent. `sees_others` says that process 1 is not the
/// container's own.
pub(super) fn stop_signal(
    subject: &Subject<'_>,
    sees_others: bool,
    findings: &mut Findings,
) -> Option<String> {
    let given = subject.service.stop_signal.as_ref()?;
    let signal = signal(&given.value).filter(|_| !sees_others);
    let message = match &signal {
        Some(_) => "the signal is sent by a shell in the container; without one the image's signal is sent",
        None => "the image's signal is sent instead",
    };
    findings.diagnose(subject.at(&codes::STOP_SIGNAL, "stop_signal", &given.span, message));
    signal
}

/// A name without `SIG`, or a number. `KILL` and `STOP` have no effect from within.
fn signal(text: &str) -> Option<String> {
    let upper = text.to_ascii_uppercase();
    let name = upper.strip_prefix("SIG").unwrap_or(&upper);
    if SIGNALS.contains(&name) {
        return Some(name.to_owned());
    }
    let number = match name.strip_prefix("RTMIN") {
        Some("") => Some(FIRST_REAL_TIME),
        Some(offset) => offset.strip_prefix('+')?.parse::<u8>().ok()?.checked_add(FIRST_REAL_TIME),
        None => name.parse().ok(),
    }?;
    let possible = (1..=LAST_SIGNAL).contains(&number) && number != 9 && number != 19;
    possible.then(|| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::{SIGNALS, is_identifier, quote, signal};

    #[test]
    fn signals_have_names_and_numbers() {
        assert!(SIGNALS.is_sorted());
        for (text, expected) in [
            ("SIGQUIT", Some("QUIT")),
            ("usr1", Some("USR1")),
            ("3", Some("3")),
            ("SIGRTMIN+3", Some("37")),
            ("RTMIN", Some("34")),
            ("SIGKILL", None),
            ("9", None),
            ("65", None),
            ("TERM; reboot", None),
        ] {
            assert_eq!(signal(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn words_survive_a_shell() {
        for (word, quoted) in
            [("a", "a"), ("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$HOME", "'$HOME'")]
        {
            assert_eq!(quote(word), quoted);
        }
        assert!(is_identifier("A_1") && !is_identifier("1A") && !is_identifier("A-B"));
    }
}
