//! The grammar: `$$`, `$NAME`, `${NAME}`, and `:-` `-` `:?` `?` `:+` `+` with operands that nest.

use std::ops::Range;

use crate::limits;

/// Why a template could not be expanded, and which part of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) kind: FaultKind,
    /// Bytes of the template.
    pub(crate) range: Range<usize>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FaultKind {
    Malformed,
    /// `reason` is the operand when it is literal; one with variables in it is not repeated.
    Required {
        name: String,
        reason: Option<String>,
    },
    TooDeep,
    TooMuch,
}

/// Expands templates with one lookup and one budget.
pub(crate) struct Expander<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    budget: &'a mut usize,
    /// Variables without a value that were replaced by nothing, and where in the template.
    pub(crate) unset: Vec<(String, Range<usize>)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Operator {
    Default,
    Required,
    Replacement,
}

/// What stands between the braces, as byte ranges of the whole template.
struct Braced {
    name: Range<usize>,
    operator: Option<(Operator, bool)>,
    operand: Range<usize>,
    /// One past the closing brace.
    end: usize,
}

impl<'a> Expander<'a> {
    pub(crate) fn new(lookup: &'a dyn Fn(&str) -> Option<String>, budget: &'a mut usize) -> Self {
        Self { lookup, budget, unset: Vec::new() }
    }

    /// The template with its expressions replaced.
    pub(crate) fn expand(&mut self, template: &str) -> Result<String, Fault> {
        let mut out = String::new();
        self.expand_range(template, 0..template.len(), 0, &mut out)?;
        Ok(out)
    }

    fn expand_range(
        &mut self,
        t: &str,
        range: Range<usize>,
        depth: usize,
        out: &mut String,
    ) -> Result<(), Fault> {
        if depth > limits::MAX_INTERPOLATION_DEPTH {
            return Err(Fault { kind: FaultKind::TooDeep, range });
        }
        let mut at = range.start;
        while let Some(rest) = t.get(at..range.end).filter(|rest| !rest.is_empty()) {
            let literal = rest.find('$').unwrap_or(rest.len());
            self.push(rest.get(..literal).unwrap_or_default(), &(at..at + literal), out)?;
            at += literal;
            if at < range.end {
                at = self.expression(t, at, range.end, depth, out)?;
            }
        }
        Ok(())
    }

    /// Expands the expression whose `$` is at `at`, and returns where it ends.
    fn expression(
        &mut self,
        t: &str,
        at: usize,
        end: usize,
        depth: usize,
        out: &mut String,
    ) -> Result<usize, Fault> {
        let after = t.get(at + 1..end).unwrap_or_default();
        if after.starts_with('$') {
            self.push("$", &(at..at + 2), out)?;
            return Ok(at + 2);
        }
        if let Some(inner) = after.strip_prefix('{') {
            let braced = braced(inner, at + 2).ok_or_else(|| {
                let line = after.split('\n').next().unwrap_or_default();
                Fault { kind: FaultKind::Malformed, range: at..at + 1 + line.len() }
            })?;
            self.braced(t, at, &braced, depth, out)?;
            return Ok(braced.end);
        }
        let name = name_of(after);
        if name.is_empty() {
            self.push("$", &(at..at + 1), out)?;
            return Ok(at + 1);
        }
        let range = at..at + 1 + name.len();
        let value = self.value(name, &range);
        self.push(&value, &range, out)?;
        Ok(range.end)
    }

    fn braced(
        &mut self,
        t: &str,
        at: usize,
        b: &Braced,
        depth: usize,
        out: &mut String,
    ) -> Result<(), Fault> {
        let name = t.get(b.name.clone()).unwrap_or_default();
        let range = at..b.end;
        let Some((operator, empty_counts_as_unset)) = b.operator else {
            let value = self.value(name, &range);
            return self.push(&value, &range, out);
        };
        let value = (self.lookup)(name);
        let present = value.as_deref().is_some_and(|value| !(empty_counts_as_unset && value.is_empty()));
        match operator {
            Operator::Default | Operator::Required if present => {
                self.push(value.as_deref().unwrap_or_default(), &range, out)
            }
            Operator::Replacement if !present => Ok(()),
            Operator::Default | Operator::Replacement => {
                self.expand_range(t, b.operand.clone(), depth + 1, out)
            }
            Operator::Required => {
                let operand = t.get(b.operand.clone()).unwrap_or_default();
                let reason = (!operand.is_empty() && !operand.contains('$')).then(|| operand.to_owned());
                Err(Fault { kind: FaultKind::Required { name: name.to_owned(), reason }, range })
            }
        }
    }

    fn value(&mut self, name: &str, range: &Range<usize>) -> String {
        (self.lookup)(name).unwrap_or_else(|| {
            self.unset.push((name.to_owned(), range.clone()));
            String::new()
        })
    }

    fn push(&mut self, text: &str, range: &Range<usize>, out: &mut String) -> Result<(), Fault> {
        *self.budget = self
            .budget
            .checked_sub(text.len())
            .ok_or_else(|| Fault { kind: FaultKind::TooMuch, range: range.clone() })?;
        out.push_str(text);
        Ok(())
    }
}

/// The variable name at the beginning of the text, possibly empty: `[_A-Za-z][_A-Za-z0-9]*`.
fn name_of(text: &str) -> &str {
    let end = text.find(|c: char| c != '_' && !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let name = text.get(..end).unwrap_or_default();
    if name.starts_with(|c: char| c.is_ascii_digit()) { "" } else { name }
}

/// Reads what follows `${`, which is at `start` of the template. An operand ends on its line.
fn braced(inner: &str, start: usize) -> Option<Braced> {
    let name = name_of(inner);
    if name.is_empty() {
        return None;
    }
    let after = inner.get(name.len()..)?;
    let name_range = start..start + name.len();
    if after.starts_with('}') {
        let end = name_range.end + 1;
        return Some(Braced { name: name_range, operator: None, operand: 0..0, end });
    }
    let (colon, symbol) = match after.strip_prefix(':') {
        Some(rest) => (true, rest),
        None => (false, after),
    };
    let operator = match symbol.chars().next()? {
        '-' => Operator::Default,
        '?' => Operator::Required,
        '+' => Operator::Replacement,
        _ => return None,
    };
    let operand = symbol.get(1..)?.split('\n').next()?;
    let length = closing_brace(operand)?;
    let from = name_range.end + usize::from(colon) + 1;
    let operand = from..from + length;
    let end = operand.end + 1;
    Some(Braced { name: name_range, operator: Some((operator, colon)), operand, end })
}

/// The brace that closes the operand: braces inside pair up; if they do not, the line's last one.
fn closing_brace(operand: &str) -> Option<usize> {
    let mut open = 1_usize;
    for (index, byte) in operand.bytes().enumerate() {
        match byte {
            b'{' => open += 1,
            b'}' => open -= 1,
            _ => {}
        }
        if open == 0 {
            return Some(index);
        }
    }
    operand.rfind('}')
}
