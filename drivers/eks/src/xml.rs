//! The XML of the EC2 and STS Query APIs as a small tree. Attributes, namespaces and comments are
//! dropped: these APIs say nothing in them.

use quick_xml::Reader;
use quick_xml::escape::resolve_xml_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};

/// Deepest nesting; the APIs stay below ten.
const MAX_DEPTH: usize = 32;
/// Most elements of one answer: a page of 500 volumes with 50 tags each has some 90,000.
const MAX_ELEMENTS: usize = 400_000;

/// An element: its local name, its text, its children.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

/// Why a document is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum XmlError {
    /// Not UTF-8, or not well-formed.
    Malformed,
    /// Deeper or larger than any real answer.
    TooLarge,
}

impl Element {
    /// Reads a document.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, XmlError> {
        let text = std::str::from_utf8(bytes).map_err(|_| XmlError::Malformed)?;
        let mut reader = Reader::from_str(text);
        let mut builder = Builder::default();
        loop {
            match reader.read_event().map_err(|_| XmlError::Malformed)? {
                Event::Start(tag) => builder.open(&tag)?,
                Event::End(_) => builder.close()?,
                Event::Empty(tag) => {
                    builder.open(&tag)?;
                    builder.close()?;
                }
                Event::Text(text) => builder.text(&text.decode().map_err(|_| XmlError::Malformed)?),
                Event::CData(text) => builder.text(&text.decode().map_err(|_| XmlError::Malformed)?),
                Event::GeneralRef(reference) => builder.text(&resolve(&reference)?),
                // A document type could define entities: no answer has one.
                Event::DocType(_) => return Err(XmlError::Malformed),
                Event::Eof => return builder.finish(),
                Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            }
        }
    }

    /// Its local name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The first child of that name.
    pub(crate) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of the first child of that name; an empty text counts as absent, as the APIs use it.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// The number in the first child of that name.
    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// The `item` elements of a set; none if there is no such set.
    pub(crate) fn items(&self, set: &str) -> impl Iterator<Item = &Element> {
        let items = self.child(set).map(|set| set.children.as_slice()).unwrap_or_default();
        items.iter().filter(|child| child.name == "item")
    }

    /// The text exactly as written, for values in which spaces count.
    pub(crate) fn raw_text(&self, name: &str) -> &str {
        self.child(name).map(|child| child.text.as_str()).unwrap_or_default()
    }
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, XmlError> {
    if let Some(character) = reference.resolve_char_ref().map_err(|_| XmlError::Malformed)? {
        return Ok(character.to_string());
    }
    let name = reference.decode().map_err(|_| XmlError::Malformed)?;
    resolve_xml_entity(&name).map(str::to_owned).ok_or(XmlError::Malformed)
}

/// The open elements, outermost first.
#[derive(Default)]
struct Builder {
    open: Vec<Element>,
    root: Option<Element>,
    count: usize,
}

impl Builder {
    fn open(&mut self, tag: &BytesStart<'_>) -> Result<(), XmlError> {
        self.count += 1;
        if self.open.len() >= MAX_DEPTH || self.count > MAX_ELEMENTS {
            return Err(XmlError::TooLarge);
        }
        if self.root.is_some() {
            return Err(XmlError::Malformed);
        }
        let name = String::from_utf8_lossy(tag.local_name().as_ref()).into_owned();
        self.open.push(Element { name, ..Element::default() });
        Ok(())
    }

    fn close(&mut self) -> Result<(), XmlError> {
        let mut element = self.open.pop().ok_or(XmlError::Malformed)?;
        if !element.children.is_empty() {
            // The white space between children.
            element.text.clear();
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = Some(element),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn finish(self) -> Result<Element, XmlError> {
        if self.open.is_empty() { self.root.ok_or(XmlError::Malformed) } else { Err(XmlError::Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Element, MAX_DEPTH, XmlError};

    #[test]
    fn a_tree_is_read() {
        let root = Element::parse(
            br#"<?xml version="1.0"?><R xmlns="http://x"><a>1</a><n/><set>
              <item><v>x &amp; y&#x21;</v></item><item><v><![CDATA[<z>]]></v></item><other/></set></R>"#,
        )
        .unwrap();
        assert_eq!(root.name(), "R");
        assert_eq!((root.number("a"), root.text("n"), root.text("gone")), (Some(1), None, None));
        let values: Vec<_> = root.items("set").filter_map(|item| item.text("v")).collect();
        assert_eq!(values, ["x & y!", "<z>"]);
        assert_eq!(root.items("gone").count(), 0);
    }

    #[test]
    fn what_is_not_xml_is_refused() {
        for text in [
            "",
            "<!doctype html>\n<html lang=en>",
            "<a>",
            "<a></b>",
            "<a/><b/>",
            "text",
            "</a>",
            "<a>&bad;</a>",
            "<!DOCTYPE a [<!ENTITY b \"c\">]><a>&b;</a>",
        ] {
            assert_eq!(Element::parse(text.as_bytes()), Err(XmlError::Malformed), "{text}");
        }
        assert_eq!(Element::parse(b"<a>\xff</a>"), Err(XmlError::Malformed));
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "<a>".repeat(MAX_DEPTH + 1);
        assert_eq!(Element::parse(deep.as_bytes()), Err(XmlError::TooLarge));
    }
}
