//! Every rule the reader can report, in one list. A code's id is API: it is never reused or renumbered.

use crate::diagnostic::Severity;

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
    FILE_TOO_LARGE = "KPX0001", Error, "A source file is larger than the reader accepts.";
    INVALID_YAML = "KPX0002", Error, "The text is not well-formed YAML.";
    SEVERAL_DOCUMENTS = "KPX0003", Error, "A file holds more than one YAML document.";
    DUPLICATE_KEY = "KPX0004", Error, "A mapping holds the same key twice.";
    EXPANSION_LIMIT = "KPX0005", Error, "Aliases or nesting expand beyond the reader's bounds.";
    INVALID_MERGE = "KPX0006", Error, "A merge key `<<` has a value that is not a mapping or a list of mappings.";
    UNKNOWN_TAG = "KPX0007", Error, "A YAML tag that the Compose Specification does not know.";
    INVALID_KEY = "KPX0008", Error, "A mapping key is not a plain string.";
    EMPTY_FILE = "KPX0009", Error, "A file holds no Compose model.";
    NO_FILE = "KPX0010", Error, "There is no Compose file to read, or there are too many.";
    TOO_MANY_NOTES = "KPX0098", Info, "More warnings and notes were found than are kept.";
    TOO_MANY_ERRORS = "KPX0099", Error, "More errors were met than are kept.";
    MALFORMED_INTERPOLATION = "KPX0101", Error, "A `${…}` expression does not follow the interpolation grammar.";
    REQUIRED_VARIABLE = "KPX0102", Error, "A variable that the file marks as required is not set.";
    UNSET_VARIABLE = "KPX0103", Warning, "A variable is not set and was replaced by nothing.";
    INTERPOLATION_LIMIT = "KPX0104", Error, "Interpolation nests too deep, or it and environment files give too much text.";
    UNKNOWN_KEY = "KPX0201", Error, "A key that the Compose Specification does not define.";
    UNSUPPORTED_KEY = "KPX0202", Error, "A key of the Compose Specification that is not supported yet.";
    UNSUPPORTED_VALUE = "KPX0203", Error, "A value or form of a supported key that is not supported yet.";
    WRONG_TYPE = "KPX0204", Error, "A value is of another type than its key demands.";
    INVALID_VALUE = "KPX0205", Error, "A value is of the right type and makes no sense for its key.";
    MISSING_KEY = "KPX0206", Error, "A key that must be there is absent.";
    IGNORED_KEY = "KPX0207", Info, "A key that has no effect here and can stay in the file.";
    LENIENT_BOOLEAN = "KPX0208", Warning, "A boolean is written as yes, no, on or off.";
    REWRITTEN_SCALAR = "KPX0209", Warning, "An unquoted number or boolean reads back as different text.";
    IGNORED_OPTION = "KPX0210", Warning, "An option of a supported key has no effect here.";
    REPEATED_ENTRY = "KPX0211", Warning, "A list holds two entries for the same thing; the last one counts.";
    SHELL_OPERATOR = "KPX0301", Error, "A command written as a string holds an unquoted shell operator.";
    SHELL_QUOTING = "KPX0302", Error, "A command written as a string has an unclosed quote or escape.";
    ENV_FILE_UNREADABLE = "KPX0401", Error, "An environment file is missing or cannot be read.";
    ENV_FILE_SYNTAX = "KPX0402", Error, "An environment file does not follow the dotenv grammar.";
    VARIABLE_ABSENT = "KPX0403", Info, "A variable without a value in the file has none outside either, and is left out.";
    INVALID_VARIABLE_NAME = "KPX0404", Error, "An environment variable has a name that no container can receive.";
    NO_IMAGE = "KPX0501", Error, "A service has no image to run.";
    UNDEFINED_VOLUME = "KPX0502", Error, "A service mounts a volume that the file does not declare.";
    UNDEFINED_SERVICE = "KPX0503", Error, "A service depends on a service that does not exist.";
    DISABLED_DEPENDENCY = "KPX0504", Error, "A service depends on a service that the active profiles leave out.";
    DEPENDENCY_CYCLE = "KPX0505", Error, "Services depend on each other in a circle.";
    UNDEFINED_NETWORK = "KPX0506", Error, "A service joins a network that the file does not declare.";
    DUPLICATE_TARGET = "KPX0507", Error, "Two mounts of one service have the same target.";
    UNIQUE_CONTAINER_NAME = "KPX0508", Error, "A service with a container name cannot have several replicas.";
    HEALTH_NEVER_KNOWN = "KPX0509", Error, "A dependency waits for the health of a service that has no health check.";
    CONTAINER_NAME_CLASH = "KPX0510", Error, "Two services claim the same container name.";
    BIND_MOUNT = "KPX0601", Error, "A bind mount of a host path, which a cluster does not have.";
    FLAT_NETWORK = "KPX0602", Info, "Networks of the file are one flat network in the cluster.";
    FOREIGN_NETWORK = "KPX0603", Warning, "A network's isolation or its other members cannot be kept.";
}

/// The code with this id, such as `KPX0201`.
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
