//! Command lines written as one string: split into words as a shell would, without being a shell.
//!
//! Compose splits `command: a "b c"` into words and starts no shell
//! (<https://github.com/compose-spec/compose-spec/blob/main/05-services.md#command>). The words are those of
//! go-shellwords, which the reference implementation uses: outside single quotes a backslash yields the next
//! character, whatever it is, and `$(…)` and backticks hold their text together. One difference is meant:
//! at an unquoted operator that splitter stops and drops the rest of the line; here it is an error.

/// Why a command line was refused.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// An unquoted shell operator.
    Operator(char),
    /// A quote, bracket or escape that the line does not close.
    Unclosed,
}

/// The words of a command line.
pub(crate) fn split(line: &str) -> Result<Vec<String>, Fault> {
    match read(line) {
        (words, None) => Ok(words),
        (_, Some(fault)) => Err(fault),
    }
}

/// The words of a command line up to its end or to a fault: the reference ends at an operator without a word.
pub(crate) fn read(line: &str) -> (Vec<String>, Option<Fault>) {
    let mut splitter = Splitter::default();
    for c in line.chars() {
        if let Err(fault) = splitter.take(c) {
            splitter.words.extend(splitter.word);
            return (splitter.words, Some(fault));
        }
    }
    match splitter.finish() {
        Ok(words) => (words, None),
        Err(fault) => (Vec::new(), Some(fault)),
    }
}

/// What protects spaces and operators at the moment.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Quote {
    #[default]
    None,
    Single,
    Double,
    Backtick,
    /// Inside `$(…)`.
    Dollar,
}

#[derive(Default)]
struct Splitter {
    words: Vec<String>,
    /// The word under construction; an empty pair of quotes makes an empty word.
    word: Option<String>,
    quote: Quote,
    escaped: bool,
}

impl Splitter {
    fn take(&mut self, c: char) -> Result<(), Fault> {
        if std::mem::take(&mut self.escaped) {
            self.push(c);
            return Ok(());
        }
        match (self.quote, c) {
            (Quote::None | Quote::Double | Quote::Backtick | Quote::Dollar, '\\') => self.escaped = true,
            (Quote::None, ' ' | '\t' | '\r' | '\n') => self.words.extend(self.word.take()),
            (Quote::None, '\'') => self.open(Quote::Single),
            (Quote::None, '"') => self.open(Quote::Double),
            (Quote::Single, '\'') | (Quote::Double, '"') => self.quote = Quote::None,
            (Quote::None, '`') => self.enter(Quote::Backtick, c),
            (Quote::Backtick, '`') | (Quote::Dollar, ')') => self.enter(Quote::None, c),
            (Quote::None, '(') if self.word.as_deref().is_some_and(|word| word.ends_with('$')) => {
                self.enter(Quote::Dollar, c);
            }
            (Quote::None, ';' | '&' | '|' | '<' | '>' | '(' | ')') => return Err(Fault::Operator(c)),
            _ => self.push(c),
        }
        Ok(())
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn open(&mut self, quote: Quote) {
        self.quote = quote;
        self.word.get_or_insert_default();
    }

    fn enter(&mut self, quote: Quote, c: char) {
        self.quote = quote;
        self.push(c);
    }

    fn finish(mut self) -> Result<Vec<String>, Fault> {
        if self.escaped || self.quote != Quote::None {
            return Err(Fault::Unclosed);
        }
        self.words.extend(self.word);
        Ok(self.words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_splits_them() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            ("  ", &[]),
            ("a b  c", &["a", "b", "c"]),
            ("sh -c 'a && b; c'", &["sh", "-c", "a && b; c"]),
            ("a \"b c\" d\\ e", &["a", "b c", "d e"]),
            ("a '' \"\"", &["a", "", ""]),
            ("--x=\"a|b\"c", &["--x=a|bc"]),
            ("echo \\; \\&", &["echo", ";", "&"]),
            ("a #b c#d", &["a", "#b", "c#d"]),
            ("a\nb", &["a", "b"]),
            ("$HOME $(x y; z)", &["$HOME", "$(x y; z)"]),
            ("`a b`c", &["`a b`c"]),
            ("a\\tb \"c\\nd\"", &["atb", "cnd"]),
            ("'a\\b'", &["a\\b"]),
        ];
        for (line, expected) in cases {
            assert_eq!(split(line), Ok(expected.iter().map(ToString::to_string).collect()), "{line}");
        }
    }

    #[test]
    fn operators_and_open_quotes_are_refused() {
        let cases = [
            ("a && b", Fault::Operator('&')),
            ("a; b", Fault::Operator(';')),
            ("a | b", Fault::Operator('|')),
            ("a > 'b", Fault::Operator('>')),
            ("'a' <b", Fault::Operator('<')),
            ("(a)", Fault::Operator('(')),
            ("a)", Fault::Operator(')')),
            ("$(a", Fault::Unclosed),
            ("a 'b", Fault::Unclosed),
            ("a \"b", Fault::Unclosed),
            ("a \\", Fault::Unclosed),
        ];
        for (line, fault) in cases {
            assert_eq!(split(line), Err(fault), "{line}");
        }
    }
}
