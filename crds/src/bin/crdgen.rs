//! Writes, prints or checks the manifests of the CRDs. All that touches files in this package is here.
//!
//! `crdgen` prints one YAML stream; `--out DIR` writes a file for each CRD; `--check DIR` exits with 1
//! and names every file that is stale, missing or not generated here.

use kompox_crds::manifests::{self, Manifest};
use std::{collections::BTreeMap, fs, io, path::Path, process::ExitCode};

const USAGE: &str = "usage: crdgen [--out DIR | --check DIR]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        [] => print(),
        ["--out", directory] => write(Path::new(directory)),
        ["--check", directory] => check(Path::new(directory)),
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

fn generate() -> io::Result<Vec<Manifest>> {
    manifests::all().map_err(io::Error::other)
}

fn print() -> io::Result<ExitCode> {
    for manifest in generate()? {
        print!("---\n{}", manifest.yaml);
    }
    Ok(ExitCode::SUCCESS)
}

fn write(directory: &Path) -> io::Result<ExitCode> {
    fs::create_dir_all(directory)?;
    for manifest in generate()? {
        fs::write(directory.join(&manifest.file_name), &manifest.yaml)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn check(directory: &Path) -> io::Result<ExitCode> {
    let stale = manifests::stale(&generate()?, &read(directory)?);
    if stale.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    for name in stale {
        eprintln!("stale: {name}");
    }
    eprintln!("run `cargo run -p kompox-crds --bin crdgen -- --out {}`", directory.display());
    Ok(ExitCode::FAILURE)
}

fn read(directory: &Path) -> io::Result<BTreeMap<String, String>> {
    let file = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into_owned(), fs::read_to_string(entry.path())?))
    };
    fs::read_dir(directory)?.map(file).collect()
}
