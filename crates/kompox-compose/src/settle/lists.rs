//! Lists of words, `KEY=VALUE` pairs and options.

use std::collections::BTreeMap;

use super::scalars::replace;
use super::{At, Settler};
use crate::codes;
use crate::schema::{DEVICE_REQUEST, Type};
use crate::shell::{self, Fault};
use crate::span::Spanned;
use crate::text::shown;
use crate::yaml::{Entry, Kind, Node, Shape};

impl Settler<'_> {
    /// A list of strings; one string stands for a list of one.
    pub(super) fn texts(&mut self, node: &mut Node, at: At<'_>) {
        if node.as_text().is_some() {
            let only = Node { mark: None, ..node.clone() };
            node.kind = Kind::Sequence(vec![only]);
            return;
        }
        self.list(&Type::Text, node, at);
    }

    /// `KEY=VALUE` strings or a mapping, into a mapping.
    pub(super) fn key_values(&mut self, ty: &Type, node: &mut Node, at: At<'_>) {
        match &mut node.kind {
            Kind::Mapping(entries) => {
                for entry in entries {
                    let path = at.1.key(&entry.key.value);
                    self.map_value(ty, &mut entry.value, (&entry.key.span, &path));
                }
            }
            Kind::Sequence(items) => {
                let items = std::mem::take(items);
                node.kind = Kind::Mapping(self.pairs(ty, &items, at));
            }
            Kind::Scalar(_) => self.wrong_type(node, at, "a list or a mapping"),
        }
    }

    fn map_value(&mut self, ty: &Type, value: &mut Node, at: At<'_>) {
        if value.mark == Some(crate::yaml::Mark::Reset) {
            return;
        }
        if !matches!(value.kind, Kind::Scalar(_)) {
            return self.wrong_type(value, at, "a string, a number, a boolean or null");
        }
        match value.printed() {
            Some(text) => {
                if matches!(ty, Type::Environment) {
                    self.rewritten(value, &text, at);
                }
                replace(value, text, false);
            }
            None if matches!(ty, Type::Environment) => {}
            None => replace(value, String::new(), false),
        }
    }

    /// `1.10` becomes `1.1`: worth a warning, because the writer meant the text.
    fn rewritten(&mut self, value: &Node, text: &str, at: At<'_>) {
        let Kind::Scalar(scalar) = &value.kind else { return };
        if scalar.shape() == Shape::Text || scalar.text == text {
            return;
        }
        let name = shown(&at.1.name());
        let message =
            format!("{name} is {} without quotes, and reads back as different text", value.type_name());
        let finding = self.finding(&codes::REWRITTEN_SCALAR, value, at, message);
        self.diagnostics.push(finding.help("put the value in quotes"));
    }

    fn pairs(&mut self, ty: &Type, items: &[Node], at: At<'_>) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            let path = at.1.index(index);
            let Some(text) = item.as_text() else {
                self.wrong_type(item, (&item.span, &path), "a string");
                continue;
            };
            let (name, value) =
                text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
            if matches!(ty, Type::Environment) && name.ends_with(char::is_whitespace) {
                let message = format!("the variable {} has a space before `=`", shown(name.trim_end()));
                let finding = self.finding(&codes::INVALID_VARIABLE_NAME, item, (&item.span, &path), message);
                self.diagnostics.push(finding);
            }
            let mut node = item.clone();
            match value {
                Some(value) => replace(&mut node, value.to_owned(), false),
                None if matches!(ty, Type::Environment) => replace(&mut node, "null".to_owned(), true),
                None => replace(&mut node, String::new(), false),
            }
            match known.get(name).and_then(|&first| entries.get_mut(first)) {
                Some(entry) => {
                    let message = format!("{} repeats an earlier entry", shown(&path.name()));
                    let finding = self.finding(&codes::REPEATED_ENTRY, item, (&item.span, &path), message);
                    let finding = finding.related(&entry.key.span, "the earlier entry is here");
                    self.diagnostics.push(finding.help("remove one of them: the last one counts"));
                    entry.value = node;
                }
                None => {
                    known.insert(name.to_owned(), entries.len());
                    entries
                        .push(Entry { key: Spanned::new(name.to_owned(), item.span.clone()), value: node });
                }
            }
        }
        entries
    }

    pub(super) fn options(&mut self, ty: &Type, node: &mut Node, at: At<'_>) {
        if !matches!(node.kind, Kind::Mapping(_)) {
            return self.wrong_type(node, at, "a mapping");
        }
        for entry in node.entries_mut().into_iter().flatten() {
            let path = at.1.key(&entry.key.value);
            let at = (&entry.key.span, &path);
            if !matches!(ty, Type::MultiOptions) {
                self.map_value(&Type::Labels, &mut entry.value, at);
                continue;
            }
            if matches!(entry.value.kind, Kind::Scalar(_)) {
                entry.value.kind = Kind::Sequence(vec![entry.value.clone()]);
            }
            self.list(&Type::Printed, &mut entry.value, at);
        }
    }

    /// Host names and addresses, into a sorted list of `HOST=ADDRESS`.
    pub(super) fn hosts(&mut self, node: &mut Node, at: At<'_>) {
        let mut hosts: Vec<Node> = Vec::new();
        match &node.kind {
            Kind::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    let pair =
                        item.as_text().and_then(|text| text.split_once('=').or_else(|| text.split_once(':')));
                    match pair {
                        Some((host, addresses)) => {
                            hosts.extend(addresses.split(',').map(|a| pair_of(host, a, item)));
                        }
                        None => self.invalid(item, (&item.span, &at.1.index(index)), "`HOST=ADDRESS`"),
                    }
                }
            }
            Kind::Mapping(entries) => {
                for entry in entries {
                    let path = at.1.key(&entry.key.value);
                    let values = match &entry.value.kind {
                        Kind::Sequence(items) => items.iter().collect(),
                        _ => vec![&entry.value],
                    };
                    for value in values {
                        match value.as_text() {
                            Some(address) => hosts.push(pair_of(&entry.key.value, address, value)),
                            None => self.wrong_type(value, (&entry.key.span, &path), "a string"),
                        }
                    }
                }
            }
            Kind::Scalar(_) => return self.wrong_type(node, at, "a list or a mapping"),
        }
        hosts.sort_by(|a, b| a.as_text().cmp(&b.as_text()));
        for host in &hosts {
            if host.as_text().is_some_and(|text| text.starts_with('=')) {
                self.invalid(host, (&host.span, at.1), "a host name before the address");
            }
        }
        node.kind = Kind::Sequence(hosts);
    }

    /// A list of words, or a string: for a command to be split, for a test to be given to a shell.
    pub(super) fn words(&mut self, ty: &Type, node: &mut Node, at: At<'_>) {
        if node.is_null() && matches!(ty, Type::Command) {
            return;
        }
        let Some(text) = node.as_text().map(str::to_owned) else {
            return self.list(&Type::Text, node, at);
        };
        let words = match ty {
            Type::Test => vec!["CMD-SHELL".to_owned(), text],
            _ => self.split(&text, node, at),
        };
        let substituted = matches!(&node.kind, Kind::Scalar(scalar) if scalar.substituted);
        let word = |word: String| {
            let mut node = Node::text(&node.span, word);
            if let Kind::Scalar(scalar) = &mut node.kind {
                scalar.substituted = substituted;
            }
            node
        };
        node.kind = Kind::Sequence(words.into_iter().map(word).collect());
    }

    /// The reference stops at an operator without a word; here that is an error, with the same words.
    fn split(&mut self, line: &str, node: &Node, at: At<'_>) -> Vec<String> {
        let name = shown(&at.1.name());
        let (words, fault) = shell::read(line);
        let finding = match fault {
            None => return words,
            Some(Fault::Operator(operator)) => {
                let message = format!("{name} has an unquoted `{operator}`, but no shell reads it");
                let help = "start a shell: `[\"sh\", \"-c\", \"…\"]`; or put the operator in quotes";
                // The reference itself gives up at parentheses.
                let code = if matches!(operator, '(' | ')') {
                    &codes::SHELL_QUOTING
                } else {
                    &codes::SHELL_OPERATOR
                };
                self.finding(code, node, at, message).help(help)
            }
            Some(Fault::Unclosed) => {
                let message = format!("{name} has a quote, bracket or backslash without its partner");
                let help = "close it, or write the command as a list of words";
                self.finding(&codes::SHELL_QUOTING, node, at, message).help(help)
            }
        };
        self.diagnostics.push(finding);
        words
    }

    pub(super) fn gpus(&mut self, node: &mut Node, at: At<'_>) {
        match node.as_text() {
            Some("all") => {
                let count = Node { mark: None, ..Node::plain(&node.span, "-1") };
                let all = Node::new(node.span.clone(), super::mapping([("count", count)], &node.span));
                node.kind = Kind::Sequence(vec![all]);
            }
            Some(_) => self.wrong_type(node, at, "`all` or a list"),
            None => {
                static REQUEST: Type = Type::Object(&DEVICE_REQUEST);
                self.list(&REQUEST, node, at);
            }
        }
    }

    /// The obsolete form with a name is made a boolean; the name moves up in normalisation.
    pub(super) fn external(&mut self, node: &mut Node, at: At<'_>) {
        if !matches!(node.kind, Kind::Mapping(_)) {
            return self.scalar(&Type::Flag, node, at);
        }
        for entry in node.entries_mut().into_iter().flatten() {
            let path = at.1.key(&entry.key.value);
            match entry.key.value.as_str() {
                "name" => self.scalar(&Type::Text, &mut entry.value, (&entry.key.span, &path)),
                name if name.starts_with("x-") => {}
                name => {
                    let finding =
                        crate::Diagnostic::new(&codes::UNKNOWN_KEY, format!("unknown key {}", shown(name)));
                    self.diagnostics.push(finding.at(&entry.key.span).path(&path));
                }
            }
        }
    }
}

fn pair_of(host: &str, address: &str, item: &Node) -> Node {
    let bare =
        address.strip_prefix('[').and_then(|address| address.strip_suffix(']')).filter(|a| !a.is_empty());
    let mut node = item.clone();
    replace(&mut node, format!("{host}={}", bare.unwrap_or(address)), false);
    node
}
