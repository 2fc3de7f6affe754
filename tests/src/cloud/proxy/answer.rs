//! Cutting and changing moto's XML answers as text. It knows the two shapes that moto writes and no
//! more: elements without attributes, and one `item` for each object of a set.

use crate::cloud::moto::between;

/// An error document as EC2 writes it.
pub(super) fn error(code: &str, message: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
         <RequestID>kompox-proxy</RequestID></Response>"
    )
}

/// A set in an answer: the text before, each item with its tags, the text after.
pub(super) struct Set<'a> {
    before: &'a str,
    pub(super) items: Vec<&'a str>,
    after: &'a str,
}

/// Splits the answer at the items of `set` (such as `volumeSet`). `None` if it has no such set, or an
/// empty one.
pub(super) fn split<'a>(text: &'a str, set: &str) -> Option<Set<'a>> {
    let (open, close) = (format!("<{set}>"), format!("</{set}>"));
    let start = text.find(&open)? + open.len();
    let end = text.rfind(&close)?;
    let mut rest = text.get(start..end)?;
    let mut items = Vec::new();
    while let Some(length) = first_item(rest) {
        let (item, tail) = rest.split_at_checked(length)?;
        items.push(item);
        rest = tail;
    }
    Some(Set { before: text.get(..start)?, items, after: text.get(end..)? })
}

/// The length of the item with which `text` begins; items nest.
fn first_item(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut at = 0;
    loop {
        let rest = text.get(at..)?;
        let open = rest.find("<item>");
        let close = rest.find("</item>")?;
        if open.is_some_and(|open| open < close) {
            depth += 1;
            at += open? + "<item>".len();
        } else {
            depth = depth.checked_sub(1)?;
            at += close + "</item>".len();
            if depth == 0 {
                return Some(at);
            }
        }
    }
}

impl Set<'_> {
    /// The answer with other items, and with a token for the next page.
    pub(super) fn join(&self, items: &[String], next: Option<&str>) -> String {
        let next = next.map(|next| format!("<nextToken>{next}</nextToken>")).unwrap_or_default();
        let (set_end, rest) = self.after.split_once('>').unwrap_or((self.after, ""));
        format!("{}{}{set_end}>{next}{rest}", self.before, items.concat())
    }
}

/// The id of the object that an item or a create answer describes.
pub(super) fn id<'a>(text: &'a str, element: &str) -> Option<&'a str> {
    between(text, &format!("<{element}>"), &format!("</{element}>"))
}

/// The object with another state: the first `status` after its id, for attachments have their own.
pub(super) fn with_status(text: &str, id_element: &str, status: &str) -> String {
    let id_end = format!("</{id_element}>");
    let Some((head, tail)) = text.split_once(&id_end) else { return text.to_owned() };
    let Some((between_ids, rest)) = tail.split_once("<status>") else { return text.to_owned() };
    let Some((_, after)) = rest.split_once("</status>") else { return text.to_owned() };
    format!("{head}{id_end}{between_ids}<status>{status}</status>{after}")
}

/// The snapshot with another progress.
pub(super) fn with_progress(text: &str, percent: u32) -> String {
    text.replace("<progress>100%</progress>", &format!("<progress>{percent}%</progress>"))
}
