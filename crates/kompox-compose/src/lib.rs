//! The Compose Specification, read into a normalised project with spans.
