//! Where the programs are looked for, without starting or building any.

use super::{Binaries, BinarySource, Environment, Error, Source};
use crate::{part::PartName, progress::Reporter};
use std::fs;

#[tokio::test]
async fn an_explicit_path_must_be_a_file() {
    let directory = tempfile::tempdir().unwrap();
    let environment =
        Environment { binary: Some(directory.path().join("nothing").into()), ..Environment::default() };
    let error = Binaries::search(&environment, &Reporter::default()).await.unwrap_err();
    assert!(matches!(error, Error::NotAFile { source_name: Source::Variable, .. }), "{error}");
    assert!(error.to_string().contains("KOMPOX_CONTROLPLANE"), "{error}");
}

#[tokio::test]
async fn a_given_path_wins_over_everything() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let from = BinarySource::Path(file.path().to_owned());
    let found = Binaries::find(&from, &Reporter::default()).await.unwrap();
    assert_eq!(found.source(), Source::Given);
    let (program, first) = found.command_line(PartName::Etcd);
    assert_eq!((program.as_path(), first), (found.path(), Some("etcd")));
}

#[test]
fn assets_without_a_part_are_passed_over_by_name() {
    let directory = tempfile::tempdir().unwrap();
    for program in ["etcd", "kube-apiserver", "kubectl"] {
        fs::write(directory.path().join(program), "").unwrap();
    }
    let reason = Binaries::assets(directory.path()).unwrap_err();
    assert!(reason.contains("has no kube-controller-manager, kube-scheduler"), "{reason}");

    for program in ["kube-controller-manager", "kube-scheduler"] {
        fs::write(directory.path().join(program), "").unwrap();
    }
    let found = Binaries::assets(directory.path()).unwrap();
    let (program, first) = found.command_line(PartName::ApiServer);
    assert!(program.ends_with("kube-apiserver"), "{}", program.display());
    assert_eq!((found.source(), first), (Source::Assets, None));
}
