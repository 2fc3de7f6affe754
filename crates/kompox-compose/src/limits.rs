//! The bounds that keep hostile input from costing more than its size deserves.

/// Largest source file read, in bytes. A ConfigMap holds no more than this either.
pub const MAX_FILE_BYTES: usize = 1 << 20;

/// Largest number of Compose files in one project.
pub const MAX_FILES: usize = 64;

/// Deepest nesting of YAML collections, aliases expanded.
pub const MAX_DEPTH: usize = 64;

/// Largest size of one document with its aliases expanded: its bytes of text, and 32 for every value.
pub const MAX_EXPANDED: usize = 16 << 20;

/// What a value costs of [`MAX_EXPANDED`] besides its text, about what it takes in memory.
pub(crate) const NODE_COST: usize = 32;

/// Deepest nesting of `${A:-${B:-…}}`.
pub const MAX_INTERPOLATION_DEPTH: usize = 32;

/// Largest total of what a small file can blow up to for one project, in bytes: interpolated text, the text of
/// environment files, and [`PORT_COST`] for every port of a range.
pub const MAX_PRODUCED_BYTES: usize = 32 << 20;

/// Most ports of one service, ranges expanded.
pub const MAX_PORTS: usize = 4096;

/// What an expanded port costs of [`MAX_PRODUCED_BYTES`].
pub const PORT_COST: usize = 64;

/// Most diagnostics kept for one project: half of them errors, half others. One more of each kind says how
/// many were left out.
pub const MAX_DIAGNOSTICS: usize = 500;

/// Longest piece of the user's text shown inside a message, in characters.
pub(crate) const MAX_SHOWN: usize = 60;
