//! From parser events to the tree: duplicate keys, aliases within a budget, merge keys, tags.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use granit_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use super::{Entry, Kind, Mark, Node, Scalar, Shape};
use crate::codes;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::limits;
use crate::span::{Span, Spanned, Text, to_u32};

/// Stops the reading of one file; the diagnostic has been pushed.
struct Stop;

type Step<T> = Result<T, Stop>;

/// Reads the documents of one file. None at all when the text is empty, not well-formed or too large; the
/// latter two have been reported then.
///
/// Errors that leave a tree (duplicate keys, unknown tags) are reported and the tree is returned, so
/// that one run shows as many findings as possible.
pub(crate) fn parse(source: &Text<'_>, diagnostics: &mut Diagnostics) -> Vec<Node> {
    if source.text.len() > limits::MAX_FILE_BYTES {
        let message =
            format!("the file is {} bytes long, more than {}", source.text.len(), limits::MAX_FILE_BYTES);
        let diagnostic = Diagnostic::new(&codes::FILE_TOO_LARGE, message).at(&Span::start_of(&source.file));
        diagnostics.push(diagnostic);
        return Vec::new();
    }
    let mut options = granit_parser::options! {
        block_scalar_eof_without_line_feed: true,
        block_nesting_limit: limits::MAX_DEPTH,
        flow_nesting_limit: limits::MAX_DEPTH,
    };
    options.set_emit_comments(false);
    let parser = Parser::new_from_str_with_options(source.text, options);
    Builder { source, parser, diagnostics, anchors: BTreeMap::new(), expanded: 0 }
        .documents()
        .unwrap_or_default()
}

/// An anchored value and what it costs to copy.
struct Anchored {
    node: Node,
    depth: usize,
    cost: usize,
}

/// A value just built, with its own nesting and cost.
struct Built {
    node: Node,
    depth: usize,
    cost: usize,
    merge_key: bool,
}

struct Builder<'a, 't, I: granit_parser::BorrowedInput<'t>> {
    source: &'a Text<'t>,
    parser: Parser<'t, I>,
    diagnostics: &'a mut Diagnostics,
    anchors: BTreeMap<usize, Anchored>,
    expanded: usize,
}

impl<'t, I: granit_parser::BorrowedInput<'t>> Builder<'_, 't, I> {
    fn documents(mut self) -> Step<Vec<Node>> {
        let mut documents = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => break,
                Event::StreamStart | Event::DocumentEnd => {}
                Event::DocumentStart(..) => self.anchors.clear(),
                event => documents.push(self.value(event, span, 0)?.node),
            }
        }
        Ok(documents)
    }

    fn next(&mut self) -> Step<(Event<'t>, granit_parser::Span)> {
        match self.parser.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(error)) => {
                let at = self.span(*error.marker(), *error.marker());
                self.stop(
                    Diagnostic::new(&codes::INVALID_YAML, format!("invalid YAML: {}", error.info())).at(&at),
                )
            }
            None => Err(Stop),
        }
    }

    fn stop<T>(&mut self, diagnostic: Diagnostic) -> Step<T> {
        self.diagnostics.push(diagnostic);
        Err(Stop)
    }

    fn value(&mut self, event: Event<'t>, at: granit_parser::Span, level: usize) -> Step<Built> {
        let span = self.span(at.start, at.end);
        if level > limits::MAX_DEPTH {
            return self.too_large(&span);
        }
        let (anchor, built) = match event {
            Event::Alias(id) => return self.alias(id, &span, level),
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(&text, style, tag, span)),
            Event::SequenceStart(_, anchor, tag) => {
                let mark = self.mark(tag, "seq", &span);
                let mut built = self.sequence(span, level)?;
                built.node.mark = mark;
                (anchor, built)
            }
            Event::MappingStart(_, anchor, tag) => {
                let mark = self.mark(tag, "map", &span);
                let mut built = self.mapping(span, level)?;
                built.node.mark = mark;
                (anchor, built)
            }
            _ => {
                return self
                    .stop(Diagnostic::new(&codes::INVALID_YAML, "a value was expected here").at(&span));
            }
        };
        self.spend(limits::NODE_COST, &built.node.span)?;
        if anchor != 0 {
            let anchored = Anchored { node: built.node.clone(), depth: built.depth, cost: built.cost };
            self.anchors.insert(anchor, anchored);
        }
        Ok(built)
    }

    fn alias(&mut self, id: usize, span: &Span, level: usize) -> Step<Built> {
        let Some(anchored) = self.anchors.get(&id) else {
            let message = "an alias inside the value that its own anchor marks";
            return self.stop(Diagnostic::new(&codes::INVALID_YAML, message).at(span));
        };
        let (depth, cost) = (anchored.depth, anchored.cost);
        if level + depth > limits::MAX_DEPTH {
            return self.too_large(span);
        }
        self.spend(cost, span)?;
        match self.anchors.get(&id) {
            Some(anchored) => Ok(Built { node: anchored.node.clone(), depth, cost, merge_key: false }),
            None => Err(Stop),
        }
    }

    fn spend(&mut self, cost: usize, span: &Span) -> Step<()> {
        self.expanded = self.expanded.saturating_add(cost);
        if self.expanded > limits::MAX_EXPANDED { self.too_large(span) } else { Ok(()) }
    }

    fn too_large<T>(&mut self, span: &Span) -> Step<T> {
        let message = "nesting or aliases expand beyond what the reader accepts";
        self.stop(Diagnostic::new(&codes::EXPANSION_LIMIT, message).at(span))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<Cow<'t, Tag>>, span: Span) -> Built {
        let plain = style == ScalarStyle::Plain;
        let mut string = false;
        let mut mark = None;
        if let Some(tag) = tag {
            match tag.core_suffix() {
                Some("str") => string = true,
                Some("int" | "float" | "bool" | "null") => {}
                _ => mark = self.own_tag(&tag, &span),
            }
        }
        let scalar = Scalar { text: text.to_owned(), plain: plain && !string, substituted: false };
        let merge_key = plain && !string && text == "<<";
        let cost = limits::NODE_COST + text.len();
        let node = Node { mark, ..Node::new(span, Kind::Scalar(scalar)) };
        Built { node, depth: 1, cost, merge_key }
    }

    fn mark(&mut self, tag: Option<Cow<'t, Tag>>, core: &str, span: &Span) -> Option<Mark> {
        let tag = tag.filter(|tag| tag.core_suffix() != Some(core))?;
        self.own_tag(&tag, span)
    }

    /// A tag of the Compose Specification; any other is reported.
    fn own_tag(&mut self, tag: &Tag, span: &Span) -> Option<Mark> {
        let original = tag.original();
        match original.as_str() {
            "!reset" => return Some(Mark::Reset),
            "!override" => return Some(Mark::Override),
            _ => {}
        }
        let message = format!("unknown tag {}", crate::text::shown(&original));
        self.diagnostics.push(Diagnostic::new(&codes::UNKNOWN_TAG, message).at(span));
        None
    }

    fn sequence(&mut self, mut span: Span, level: usize) -> Step<Built> {
        let (mut items, mut depth, mut cost) = (Vec::new(), 0, limits::NODE_COST);
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::SequenceEnd) {
                self.extend(&mut span, items.last().map(|item: &Node| &item.span), at);
                break;
            }
            let built = self.value(event, at, level + 1)?;
            depth = depth.max(built.depth);
            cost += built.cost;
            items.push(built.node);
        }
        Ok(Built { node: Node::new(span, Kind::Sequence(items)), depth: depth + 1, cost, merge_key: false })
    }

    fn mapping(&mut self, mut span: Span, level: usize) -> Step<Built> {
        let mut entries = Entries::default();
        let (mut depth, mut cost) = (0, limits::NODE_COST);
        loop {
            let (event, at) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                self.extend(&mut span, entries.last_span(), at);
                break;
            }
            let key = self.value(event, at, level + 1)?;
            let (event, at) = self.next()?;
            let value = self.value(event, at, level + 1)?;
            depth = depth.max(value.depth);
            cost += key.cost + value.cost;
            self.entry(&mut entries, key, value.node);
        }
        let kind = Kind::Mapping(entries.finish());
        Ok(Built { node: Node::new(span, kind), depth: depth + 1, cost, merge_key: false })
    }

    fn entry(&mut self, entries: &mut Entries, key: Built, value: Node) {
        let span = key.node.span.clone();
        if key.merge_key {
            return self.merge(entries, value);
        }
        let Kind::Scalar(scalar) = key.node.kind else {
            let message = "a mapping key must be a string, not a list or a mapping";
            return self.diagnostics.push(Diagnostic::new(&codes::INVALID_KEY, message).at(&span));
        };
        if scalar.shape() == Shape::Null {
            let message = "a mapping key must not be null";
            return self.diagnostics.push(Diagnostic::new(&codes::INVALID_KEY, message).at(&span));
        }
        if let Some(first) = entries.own.get(&scalar.text).and_then(|&index| entries.list.get(index)) {
            let shown = crate::text::shown(&scalar.text);
            let diagnostic =
                Diagnostic::new(&codes::DUPLICATE_KEY, format!("the key {shown} is given twice"))
                    .at(&span)
                    .related(&first.key.span, "first given here");
            return self.diagnostics.push(diagnostic);
        }
        entries.own.insert(scalar.text.clone(), entries.list.len());
        entries.list.push(Entry { key: Spanned::new(scalar.text, span), value });
    }

    fn merge(&mut self, entries: &mut Entries, value: Node) {
        let span = value.span.clone();
        let sources = match value.kind {
            Kind::Mapping(list) => return entries.merged.extend(list),
            Kind::Sequence(sources) => sources,
            Kind::Scalar(_) => Vec::new(),
        };
        let complete =
            !sources.is_empty() && sources.iter().all(|node| matches!(node.kind, Kind::Mapping(_)));
        if !complete {
            let message = "the merge key `<<` takes a mapping or a list of mappings";
            self.diagnostics.push(Diagnostic::new(&codes::INVALID_MERGE, message).at(&span));
        }
        for source in sources {
            if let Kind::Mapping(list) = source.kind {
                entries.merged.extend(list);
            }
        }
    }

    /// The parser ends a block collection where the next token begins: end it with its last value.
    fn extend(&self, span: &mut Span, last: Option<&Span>, end: granit_parser::Span) {
        let end = self.span(end.start, end.end);
        let flow =
            self.source.text.as_bytes().get(span.range().start).is_some_and(|b| matches!(b, b'[' | b'{'));
        let last = if flow { Some(&end) } else { last.filter(|last| last.end > span.start) };
        if let Some(last) = last {
            (span.end, span.end_line, span.end_column) = (last.end, last.end_line, last.end_column);
        }
    }

    fn span(&self, start: Marker, end: Marker) -> Span {
        let limit = self.source.text.len();
        let offset = |marker: Marker| to_u32(marker.byte_offset().unwrap_or(limit).min(limit));
        let (from, to) = (offset(start), offset(end));
        Span {
            file: Arc::clone(&self.source.file),
            start: from,
            end: to.max(from),
            line: to_u32(start.line().max(1)),
            column: to_u32(start.col() + 1),
            end_line: to_u32(end.line().max(1)),
            end_column: to_u32(end.col() + 1),
        }
    }
}

/// A mapping under construction: own keys win over merged ones, earlier merges over later ones.
#[derive(Default)]
struct Entries {
    list: Vec<Entry>,
    own: BTreeMap<String, usize>,
    merged: Vec<Entry>,
}

impl Entries {
    fn last_span(&self) -> Option<&Span> {
        self.list.last().map(|entry| if entry.value.is_null() { &entry.key.span } else { &entry.value.span })
    }

    fn finish(mut self) -> Vec<Entry> {
        for entry in self.merged {
            if !self.own.contains_key(&entry.key.value) {
                self.own.insert(entry.key.value.clone(), self.list.len());
                self.list.push(entry);
            }
        }
        self.list
    }
}
