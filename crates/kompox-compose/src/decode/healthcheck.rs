//! `healthcheck`: <https://github.com/compose-spec/compose-spec/blob/main/05-services.md#healthcheck>.

use super::cursor::At;
use super::{Context, keys};
use crate::codes;
use crate::model::{Healthcheck, HealthcheckTest};
use crate::span::Spanned;
use crate::yaml::Kind;

/// The health check.
pub(super) fn healthcheck(cx: &mut Context<'_>, at: &At<'_>) -> Option<Spanned<Healthcheck>> {
    let mut fields = at.fields(cx, keys::HEALTHCHECK)?;
    let disable = fields.take("disable").and_then(|at| at.boolean(cx)).is_some_and(|value| value.value);
    let test = fields.take("test");
    let given = test.is_some();
    let test = test.and_then(|at| self::test(cx, &at));
    let interval = fields.take("interval").and_then(|at| at.duration(cx));
    let timeout = fields.take("timeout").and_then(|at| at.duration(cx));
    let retries = fields.take("retries").and_then(|at| at.number(cx, 0)).filter(|retries| retries.value > 0);
    let start_period = fields.take("start_period").and_then(|at| at.duration(cx));
    let start_interval = fields.take("start_interval").and_then(|at| at.duration(cx));
    fields.finish(cx);
    let bare = [&interval, &timeout, &start_period, &start_interval].iter().all(|time| time.is_none());
    if !given && !disable && bare && retries.is_none() {
        // It says nothing, and a cluster does not run the image's own check.
        return None;
    }
    if !given && !disable {
        let message =
            "`healthcheck` has neither `test` nor `disable: true`: the image's test cannot be seen from here";
        cx.report(at.finding(&codes::MISSING_KEY, message).help("write the test that the image has"));
    }
    let test = if disable { HealthcheckTest::Disabled } else { test? };
    let healthcheck = Healthcheck { test, interval, timeout, retries, start_period, start_interval };
    Some(Spanned::new(healthcheck, at.key.clone()))
}

fn test(cx: &mut Context<'_>, at: &At<'_>) -> Option<HealthcheckTest> {
    if !matches!(at.node.kind, Kind::Sequence(_)) {
        return Some(HealthcheckTest::Shell(at.text(cx)?.value));
    }
    let mut words = Vec::new();
    for item in at.items(cx) {
        words.push(item.string(cx)?.to_owned());
    }
    let mut words = words.into_iter();
    let kind = words.next();
    let rest: Vec<String> = words.collect();
    match (kind.as_deref(), rest.as_slice()) {
        (Some("NONE"), []) => Some(HealthcheckTest::Disabled),
        (Some("CMD"), [_, ..]) => Some(HealthcheckTest::Exec(rest)),
        (Some("CMD-SHELL"), [line]) if !line.is_empty() => Some(HealthcheckTest::Shell(line.clone())),
        (Some("CMD-SHELL"), [line, _, ..]) if !line.is_empty() => Some(shell_with_arguments(cx, at, rest)),
        _ => {
            let message = "`test` is a list of none of the known forms";
            let help = "write `[\"CMD\", \"program\", \"argument\"]`, `[\"CMD-SHELL\", \"text for the shell\"]` or `[\"NONE\"]`";
            cx.report(at.finding(&codes::INVALID_VALUE, message).help(help));
            None
        }
    }
}

/// Docker runs `/bin/sh -c` with all the words: the second one is `$0` to the first, and so on.
fn shell_with_arguments(cx: &mut Context<'_>, at: &At<'_>, words: Vec<String>) -> HealthcheckTest {
    let message =
        "`CMD-SHELL` takes one text: the shell runs the first word only, the others are its `$0`, `$1`, …";
    let help = "write `CMD` to run a program with these arguments, or join the words";
    cx.report(at.finding(&codes::IGNORED_OPTION, message).help(help));
    HealthcheckTest::Exec(["/bin/sh".to_owned(), "-c".to_owned()].into_iter().chain(words).collect())
}
