//! Commands that need no cluster, and what is said when there is none.

use std::fs;

use super::{gitea, kompoxops, stderr, stdout};

const UP: &[&str] = &[
    "up",
    "--dry-run=client",
    "--route=git.example.com=3000",
    "--provider=eks",
    "--config=region=us-west-2",
    "--credentials-secret=aws",
    "--zone=us-west-2a",
    "--disk-option=sku=gp3",
];

#[test]
fn the_example_becomes_custom_resources() {
    let output = kompoxops(UP, &gitea());
    let said = stderr(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("warning") && !said.contains("error"), "{said}");
    insta::assert_snapshot!("gitea-up", stdout(&output));
}

#[test]
fn the_example_becomes_workloads() {
    let output = kompoxops(&["render", "--output=name", "--route=git.example.com=3000"], &gitea());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    insta::assert_snapshot!("gitea-render-names", stdout(&output));
}

/// The manifests for kubectl users and what `up` makes say the same.
#[test]
fn the_examples_manifests_are_what_up_makes() {
    let output = kompoxops(&[UP, &["--namespace=gitea"]].concat(), &gitea());
    let text = stdout(&output);
    let made: Vec<serde_json::Value> = serde_saphyr::from_multiple(&text).unwrap();
    let made = |kind: &str| made.iter().find(|object| object["kind"] == kind).unwrap().clone();
    for (file, kind) in [("disk.yaml", "KompoxDisk"), ("app.yaml", "KompoxApp")] {
        let written: serde_json::Value =
            serde_saphyr::from_str(&fs::read_to_string(gitea().join(file)).unwrap()).unwrap();
        for part in [
            "/metadata/name",
            "/metadata/namespace",
            "/spec/provider",
            "/spec/size",
            "/spec/compose/configMapRef",
            "/spec/volumes",
        ] {
            assert_eq!(made(kind).pointer(part), written.pointer(part), "{file} {part}");
        }
        assert_eq!(
            made(kind).pointer("/spec/ingress/rules/0/hosts"),
            written.pointer("/spec/ingress/rules/0/hosts")
        );
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let render = || kompoxops(&["render"], &gitea()).stdout;
    assert_eq!(render(), render());
}

#[test]
fn a_fault_in_the_compose_file_is_exit_code_3_with_file_line_and_nothing_on_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("compose.yml"),
        "services:\n  web:\n    image: nginx\n    privilegedd: true\n",
    )
    .unwrap();
    for command in ["render", "up"] {
        let output = kompoxops(&[command], folder.path());
        assert_eq!((output.status.code(), stdout(&output)), (Some(3), String::new()));
        let text = stderr(&output);
        for expected in
            ["privilegedd", "compose.yml:4:5", "error: the Compose file has 1 error(s); nothing was changed"]
        {
            assert!(text.contains(expected), "{expected} is not in: {text}");
        }
        assert!(!text.contains('\u{1b}'), "colours where nobody sees them: {text:?}");
    }
}

#[test]
fn secrets_of_env_files_are_shown_only_inside_secrets() {
    let folder = tempfile::tempdir().unwrap();
    let compose = "services:\n  web:\n    image: nginx\n    env_file: web.env\n    bad_key: ${TOKEN}\n";
    fs::write(folder.path().join("compose.yml"), compose).unwrap();
    fs::write(folder.path().join("web.env"), "PASSWORD=canary-1\n").unwrap();
    fs::write(folder.path().join(".env"), "TOKEN=canary-2\n").unwrap();
    let output = kompoxops(&["up"], folder.path());
    assert_eq!(output.status.code(), Some(3));
    assert!(!stderr(&output).contains("canary"), "{}", stderr(&output));
}

#[test]
fn wrong_values_are_named_with_their_option() {
    for (argument, expected) in [
        ("--route=git.example.com=80", "error: --route: no service publishes port 80; published: 3000"),
        (
            "--disk-size=10gb",
            "error: --disk-size: '10gb' must be a positive whole number with a unit, such as 10Gi",
        ),
        ("--config=region", "error: --config: 'region' must be KEY=VALUE"),
    ] {
        let output = kompoxops(&["up", argument], &gitea());
        assert_eq!((output.status.code(), stderr(&output).trim_end()), (Some(3), expected));
    }
}

#[test]
fn without_a_cluster_the_remedy_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let output = kompoxops(&["status", "--kubeconfig=none"], folder.path());
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("remedy: choose a cluster with KUBECONFIG"), "{}", stderr(&output));
}

#[test]
fn a_development_cluster_that_does_not_run_is_not_ready() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["status", "kubeconfig"] {
        let output = kompoxops(&["dev", command], folder.path());
        assert_eq!((output.status.code(), stdout(&output)), (Some(4), String::new()));
        assert_eq!(
            stderr(&output),
            "error: the development cluster does not run; start it with `kompoxops dev up`\n"
        );
    }
    let output = kompoxops(&["dev", "down"], folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stderr(&output).contains("no development cluster was running"));
}
