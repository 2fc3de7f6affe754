//! Writes, prints or checks the page of the conversion table. All that touches files in this package is here.
//!
//! `matrixgen` prints the page; `--out FILE` writes it; `--check FILE` exits with 1 when the file is stale.

#![expect(clippy::disallowed_methods, reason = "a generator of files, not a part of the pure library")]

use std::{fs, io, path::Path, process::ExitCode};

use kompox_core::app::matrix;

const USAGE: &str = "usage: matrixgen [--out FILE | --check FILE]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        [] => {
            print!("{}", matrix::markdown());
            Ok(ExitCode::SUCCESS)
        }
        ["--out", file] => fs::write(file, matrix::markdown()).map(|()| ExitCode::SUCCESS),
        ["--check", file] => check(Path::new(file)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("error: {error}");
        ExitCode::FAILURE
    })
}

fn check(file: &Path) -> io::Result<ExitCode> {
    let current = match fs::read_to_string(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        read => read?,
    };
    if current == matrix::markdown() {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("stale: {}", file.display());
    Ok(ExitCode::FAILURE)
}
