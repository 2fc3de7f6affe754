//! The one list of reasons: used by conditions, events, metrics and the CLI's `explain`. The words and
//! the codes are API: they are never renamed or reused. Nothing is decided here.
//!
//! Codes: 0 states, 1 the spec, 2 the provider, 3 disks, 4 snapshots, 5 apps, 6 drivers, 9 the operator.

mod list;

pub use list::Reason;

use std::fmt;

impl Reason {
    /// The reason with this CamelCase word or `KPXnnnn` code.
    pub fn find(word_or_code: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|r| r.as_str() == word_or_code || r.code() == word_or_code)
    }
}

/// The CamelCase word.
impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;
    use std::collections::BTreeSet;

    #[test]
    fn words_and_codes_are_unique_and_well_formed() {
        let (mut words, mut codes) = (BTreeSet::new(), BTreeSet::new());
        for reason in Reason::ALL {
            let (word, code) = (reason.as_str(), reason.code());
            assert!(words.insert(word) && codes.insert(code), "{word} {code} twice");
            assert!(word.starts_with(|c: char| c.is_ascii_uppercase()), "{word}");
            assert!(word.chars().all(|c| c.is_ascii_alphanumeric()), "{word}");
            let digits = code.strip_prefix("KPX").expect("KPX in front");
            assert!(digits.len() == 4 && digits.chars().all(|c| c.is_ascii_digit()), "{code}");
            assert!(reason.summary().ends_with('.') && reason.remedy().ends_with('.'), "{word}");
            assert!(!reason.summary().contains('\n'), "{word}: one line");
        }
    }

    /// The API conventions limit a condition's reason to this form; events to 128 characters.
    #[test]
    fn reasons_fit_conditions_and_events() {
        assert!(Reason::ALL.iter().all(|r| r.as_str().len() <= 128));
    }

    #[test]
    fn found_by_word_and_by_code() {
        for reason in Reason::ALL.iter().copied() {
            assert_eq!(Reason::find(reason.as_str()), Some(reason));
            assert_eq!(Reason::find(reason.code()), Some(reason));
        }
        assert_eq!(Reason::find("NoSuchReason"), None);
    }

    #[test]
    fn codes_are_sorted() {
        let codes: Vec<_> = Reason::ALL.iter().map(|r| r.code()).collect();
        assert!(codes.is_sorted(), "keep the list in the order of the codes: {codes:?}");
    }
}
