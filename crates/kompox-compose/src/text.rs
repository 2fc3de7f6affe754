//! Small helpers for words in messages.

use crate::limits::MAX_SHOWN;

/// A key or literal of the user as it appears in a message: in backticks, cut when long, control
/// characters escaped so that no message can rewrite a terminal.
pub(crate) fn shown(text: &str) -> String {
    let mut out = String::from("`");
    for (index, c) in text.chars().enumerate() {
        if index == MAX_SHOWN {
            out.push('…');
            break;
        }
        if c.is_control() {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    out.push('`');
    out
}
