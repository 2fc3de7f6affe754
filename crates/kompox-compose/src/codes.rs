//! Every rule the reader can report, in one list. A code's id is API: it is never reused or renumbered.
//! Codes that begin with `KPX7` are findings about Compose files; `KPX0` are reasons of the API.

use crate::severity::Severity;

/// A rule of the reader: its stable id, its severity and one sentence about it.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Code {
    /// Stable id, `KPX` and four digits.
    pub id: &'static str,
    /// Severity of every diagnostic with this code.
    pub severity: Severity,
    /// What the rule is about, in one sentence.
    pub summary: &'static str,
}

/// Declares the codes and lists them all, so that none can be left out of the list.
macro_rules! codes {
    ($($name:ident = $id:literal, $severity:ident, $summary:literal;)*) => {
        $(
            #[doc = $summary]
            pub const $name: Code = Code { id: $id, severity: Severity::$severity, summary: $summary };
        )*

        /// All codes, by id.
        pub const ALL: &[Code] = &[$($name),*];
    };
}

codes! {
    FILE_TOO_LARGE = "KPX7001", Error, "A source file is larger than the reader accepts.";
    INVALID_YAML = "KPX7002", Error, "The text is not well-formed YAML.";
    DUPLICATE_KEY = "KPX7004", Error, "A mapping holds the same key twice.";
    EXPANSION_LIMIT = "KPX7005", Error, "Aliases or nesting expand beyond the reader's bounds.";
    INVALID_MERGE = "KPX7006", Error, "A merge key `<<` has a value that is not a mapping or a list of mappings.";
    UNKNOWN_TAG = "KPX7007", Error, "A YAML tag that the Compose Specification does not know.";
    INVALID_KEY = "KPX7008", Error, "A mapping key is not a plain string.";
    EMPTY_FILE = "KPX7009", Error, "A file holds no Compose model.";
    NO_FILE = "KPX7010", Error, "There is no Compose file to read, or there are too many.";
    FILE_UNREADABLE = "KPX7011", Error, "A file that is included or extended cannot be read.";
    TOO_MANY_NOTES = "KPX7098", Info, "More warnings and notes were found than are kept.";
    TOO_MANY_ERRORS = "KPX7099", Error, "More errors were met than are kept.";
    MALFORMED_INTERPOLATION = "KPX7101", Error, "A `${…}` expression does not follow the interpolation grammar.";
    REQUIRED_VARIABLE = "KPX7102", Error, "A variable that the file marks as required is not set.";
    UNSET_VARIABLE = "KPX7103", Warning, "A variable is not set and was replaced by nothing.";
    INTERPOLATION_LIMIT = "KPX7104", Error, "Interpolation nests too deep, or it and environment files give too much text.";
    UNKNOWN_KEY = "KPX7201", Error, "A key that the Compose Specification does not define.";
    UNSUPPORTED_VALUE = "KPX7203", Error, "A value or form of a supported key that is not supported yet.";
    WRONG_TYPE = "KPX7204", Error, "A value is of another type than its key demands.";
    INVALID_VALUE = "KPX7205", Error, "A value is of the right type and makes no sense for its key.";
    MISSING_KEY = "KPX7206", Error, "A key that must be there is absent.";
    LENIENT_BOOLEAN = "KPX7208", Warning, "A boolean is written as yes, no, on or off.";
    REWRITTEN_SCALAR = "KPX7209", Warning, "An unquoted number or boolean reads back as different text.";
    IGNORED_OPTION = "KPX7210", Warning, "An option of a supported key has no effect here.";
    REPEATED_ENTRY = "KPX7211", Warning, "A list holds two entries for the same thing; the last one counts.";
    SHELL_OPERATOR = "KPX7301", Error, "A command written as a string holds an unquoted shell operator.";
    SHELL_QUOTING = "KPX7302", Error, "A command written as a string has an unclosed quote or escape.";
    ENV_FILE_UNREADABLE = "KPX7401", Error, "An environment file is missing or cannot be read.";
    ENV_FILE_SYNTAX = "KPX7402", Error, "An environment file does not follow the dotenv grammar.";
    VARIABLE_ABSENT = "KPX7403", Info, "A variable without a value in the file has none outside either, and is left out.";
    INVALID_VARIABLE_NAME = "KPX7404", Error, "An environment variable has a name that no container can receive.";
    NO_IMAGE = "KPX7501", Error, "A service has no image to run.";
    UNDEFINED_VOLUME = "KPX7502", Error, "A service mounts a volume that the file does not declare.";
    UNDEFINED_SERVICE = "KPX7503", Error, "A service depends on a service that does not exist.";
    DISABLED_DEPENDENCY = "KPX7504", Error, "A service depends on a service that the active profiles leave out.";
    DEPENDENCY_CYCLE = "KPX7505", Error, "Services depend on each other in a circle.";
    UNDEFINED_NETWORK = "KPX7506", Error, "A service joins a network that the file does not declare.";
    DUPLICATE_TARGET = "KPX7507", Error, "Two mounts of one service have the same target.";
    UNIQUE_CONTAINER_NAME = "KPX7508", Error, "A service with a container name cannot have several replicas.";
    HEALTH_NEVER_KNOWN = "KPX7509", Error, "A dependency waits for the health of a service that has no health check.";
    CONTAINER_NAME_CLASH = "KPX7510", Error, "Two services claim the same container name.";
    UNDEFINED_SOURCE = "KPX7511", Error, "A service uses a config, secret or model that the file does not declare.";
}

/// The code with this id, such as `KPX7201`.
#[must_use]
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().find(|code| code.id.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_sorted_and_well_formed() {
        assert!(ALL.is_sorted_by(|a, b| a.id < b.id));
        for code in ALL {
            let digits = code.id.strip_prefix("KPX").expect("prefix");
            assert!(digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()), "{}", code.id);
            assert!(code.summary.ends_with('.'), "{}", code.id);
            assert_eq!(find(&code.id.to_lowercase()), Some(code));
        }
    }
}
