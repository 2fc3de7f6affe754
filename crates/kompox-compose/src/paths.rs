//! Paths as text: nothing here asks a file system.

/// Whether the source of a mount is a path on the host rather than the name of a volume.
pub(crate) fn is_path(source: &str) -> bool {
    source.starts_with(['.', '/', '~']) || source.starts_with("\\\\") || is_drive(source)
}

/// Whether the path begins with a drive letter.
fn is_drive(path: &str) -> bool {
    let mut start = path.chars();
    start.next().is_some_and(|c| c.is_ascii_alphabetic()) && start.next() == Some(':')
}

/// Whether the path does not depend on a directory.
pub(crate) fn is_absolute(path: &str) -> bool {
    path.starts_with(['/', '~']) || path.starts_with("\\\\") || is_drive(path)
}

/// Whether this names something that only a network can give.
pub(crate) fn is_remote(path: &str) -> bool {
    let prefixes = ["http://", "https://", "git://", "ssh://", "oci://", "git@", "github.com/"];
    path.contains("://") || prefixes.iter().any(|prefix| path.starts_with(prefix))
}

/// The path without `.`, doubled slashes and what `..` takes back.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            _ => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

/// A path relative to a directory.
pub(crate) fn join(directory: &str, path: &str) -> String {
    if is_absolute(path) {
        path.to_owned()
    } else {
        clean(&format!("{directory}/{path}").replacen("//", "/", 1))
    }
}

/// The directory of a file; `.` for a bare name.
pub(crate) fn directory(path: &str) -> String {
    match path.rsplit_once('/') {
        Some(("", _)) => "/".to_owned(),
        Some((directory, _)) => clean(directory),
        None => ".".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_cleaned_and_joined() {
        for (path, expected) in [
            ("/a/", "/a"),
            ("/a//b/./c", "/a/b/c"),
            ("a/../b", "b"),
            ("../a", "../a"),
            ("/..", "/"),
            ("./", "."),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
        for (directory, path, expected) in [
            ("sub", "./a", "sub/a"),
            (".", "a", "a"),
            ("sub", "../a", "a"),
            ("sub", "/a", "/a"),
            ("/", "a", "/a"),
        ] {
            assert_eq!(join(directory, path), expected, "{directory} {path}");
        }
        for (path, expected) in [("a/b.yml", "a"), ("b.yml", "."), ("/b.yml", "/"), ("./a/b", "a")] {
            assert_eq!(directory(path), expected, "{path}");
        }
    }

    #[test]
    fn names_are_told_from_paths() {
        for path in ["./a", "/a", "~/a", ".", "c:/a", "\\\\pipe"] {
            assert!(is_path(path), "{path}");
        }
        for name in ["data", "a/b", "", "ab:c"] {
            assert!(!is_path(name), "{name}");
        }
    }
}
