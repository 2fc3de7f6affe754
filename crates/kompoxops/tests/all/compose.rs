//! The commands about Compose files alone: `config`, `check`, `explain` and the report of `render`.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::{gitea, kompoxops, stderr, stdout};

const ODD: &str = "\
services:
  web:
    image: nginx:${TAG:-1}
    logging: {driver: json-file}
    ports: [\"8080:80\"]
  debug:
    image: busybox
    profiles: [debug]
";

const REFUSED: &str = "services:\n  web:\n    image: nginx:1\n    devices: [/dev/dri]\n";

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn json(output: &Output) -> Value {
    serde_json::from_str(&stdout(output)).unwrap()
}

fn config(arguments: &[&str], folder: &Path) -> Value {
    let output = kompoxops(&[&["config", "--format=json"], arguments].concat(), folder);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    json(&output)
}

#[test]
fn a_finding_in_an_included_file_shows_its_line() {
    let own =
        "include: [other.yml]\nservices: {web: {image: nginx:1, extends: {file: base.yml, service: b}}}\n";
    let other = "services:\n  db:\n    image: postgres:18\n    oom_score_adj: -500\n";
    let base = "services:\n  b:\n    image: nginx:1\n    mac_address: 02:42:ac:11:65:43\n";
    let files = folder(&[("compose.yml", own), ("other.yml", other), ("base.yml", base)]);
    let output = kompoxops(&["check"], files.path());
    assert_eq!(output.status.code(), Some(3), "{}", stderr(&output));
    for line in ["other.yml:4:5", "oom_score_adj: -500", "base.yml:4:5", "mac_address: 02:42:ac:11:65:43"] {
        assert!(stdout(&output).contains(line), "{line} is not in\n{}", stdout(&output));
    }
}

#[test]
fn config_prints_the_canonical_project() {
    let folder = folder(&[("compose.yml", ODD)]);
    let project = config(&["--project-name=app"], folder.path());
    assert_eq!(project["name"], "app");
    assert_eq!(project["services"]["web"]["image"], "nginx:1");
    assert_eq!(project["services"]["web"]["ports"][0]["target"], 80);
    assert_eq!(project["services"]["web"]["ports"][0]["published"], "8080");
    assert_eq!(project["services"]["debug"], Value::Null);
    assert_eq!(config(&["-p=a", "--profile=*"], folder.path())["services"]["debug"]["image"], "busybox");
    let yaml = kompoxops(&["config", "-p", "app"], folder.path());
    let of_yaml: Value = serde_saphyr::from_str(&stdout(&yaml)).unwrap();
    assert_eq!(of_yaml["services"]["web"]["image"], "nginx:1");
}

#[test]
fn variables_come_from_the_shell_then_from_files_then_from_dotenv() {
    let folder = folder(&[("compose.yml", ODD), (".env", "TAG=2\n"), ("other.env", "TAG=3\n")]);
    let image = |arguments: &[&str]| config(arguments, folder.path())["services"]["web"]["image"].clone();
    assert_eq!(image(&[]), "nginx:2");
    assert_eq!(image(&["--env-file=other.env"]), "nginx:3");
    assert_eq!(image(&["--no-interpolate"]), "nginx:${TAG:-1}");
    let output = Command::new(env!("CARGO_BIN_EXE_kompoxops"))
        .args(["config", "--format=json", "--env-file=other.env"])
        .current_dir(folder.path())
        .env_clear()
        .env("TAG", "4")
        .output()
        .unwrap();
    assert_eq!(json(&output)["services"]["web"]["image"], "nginx:4");
}

#[test]
fn later_files_are_merged_over_earlier_ones_and_reach_the_app() {
    let override_text = "services:\n  web:\n    image: httpd\n    environment: {A: b}\n";
    let files = folder(&[("compose.yml", ODD), ("more.yml", override_text)]);
    let both: &[&str] = &["-f", "compose.yml", "-f", "more.yml"];
    assert_eq!(config(both, files.path())["services"]["web"]["image"], "httpd");
    let render = kompoxops(&[&["render", "-o=json"], both].concat(), files.path());
    assert_eq!(render.status.code(), Some(0), "{}", stderr(&render));
    assert!(stdout(&render).contains("\"httpd\""));
    let up = kompoxops(&[&["up", "--dry-run=client", "--provider=eks"], both].concat(), files.path());
    assert!(stdout(&up).contains("overrideKeys"), "{}{}", stdout(&up), stderr(&up));
    // A default name brings its override without being told.
    let files = folder(&[("compose.yaml", ODD), ("compose.override.yaml", override_text)]);
    assert_eq!(config(&[], files.path())["services"]["web"]["environment"]["A"], "b");
}

#[test]
fn only_variables_that_the_file_refers_to_leave_the_shell() {
    let folder = folder(&[("compose.yml", ODD)]);
    let output = Command::new(env!("CARGO_BIN_EXE_kompoxops"))
        .args(["up", "--dry-run=client", "--provider=eks"])
        .current_dir(folder.path())
        .env_clear()
        .env("TAG", "7")
        .env("PASSWORD_OF_SOMETHING", "hunter2")
        .output()
        .unwrap();
    let text = stdout(&output);
    assert!(text.contains("TAG:") && !text.contains("PASSWORD_OF_SOMETHING"), "{text}{}", stderr(&output));
}

#[test]
fn check_accepts_with_0_and_refuses_with_3() {
    let accepted = folder(&[("compose.yml", ODD)]);
    let output = kompoxops(&["check"], accepted.path());
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    assert!(stdout(&output).contains("info[KPX7801]: `logging` has no effect"), "{}", stdout(&output));
    let refused = folder(&[("compose.yml", REFUSED)]);
    let output = kompoxops(&["check"], refused.path());
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("compose.yml:4:5"), "{}", stdout(&output));
    let unreadable = folder(&[("compose.yml", "services: [\n")]);
    assert_eq!(kompoxops(&["check"], unreadable.path()).status.code(), Some(3));
    assert_eq!(kompoxops(&["check"], &gitea()).status.code(), Some(0));
}

#[test]
fn check_speaks_json_and_sarif() {
    let folder = folder(&[("compose.yml", REFUSED)]);
    let output = kompoxops(&["check", "-o=json"], folder.path());
    assert_eq!(output.status.code(), Some(3));
    let found = json(&output);
    assert_eq!((&found["kind"], &found["accepted"]), (&Value::from("CheckResult"), &Value::from(false)));
    assert_eq!(found["diagnostics"][0]["code"], "KPX7804");
    assert_eq!(found["diagnostics"][0]["path"], "services.web.devices");
    let output = kompoxops(&["check", "-o=sarif"], folder.path());
    let sarif = json(&output);
    assert_eq!(sarif["version"], "2.1.0");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!((&result["ruleId"], &result["level"]), (&Value::from("KPX7804"), &Value::from("error")));
    let rule = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
    assert_eq!(run["tool"]["driver"]["rules"][rule]["id"], "KPX7804");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "compose.yml");
    assert_eq!(
        (&place["region"]["startLine"], &place["region"]["startColumn"]),
        (&Value::from(4), &Value::from(5))
    );
}

#[test]
fn findings_never_show_values() {
    let text = "services: {web: {image: i, environment: {PASSWORD: \"${PASSWORD}\", \"a=b\": \"${PASSWORD}\"}, restart: \"${PASSWORD}\"}}";
    let folder = folder(&[("compose.yml", text), (".env", "PASSWORD=hunter2\n")]);
    for output in ["text", "json", "sarif"] {
        let found = kompoxops(&["check", "-o", output], folder.path());
        assert_eq!(found.status.code(), Some(3));
        assert!(!stdout(&found).contains("hunter2") && !stderr(&found).contains("hunter2"), "{output}");
    }
}

#[test]
fn explain_knows_findings_and_reasons_and_the_nearest() {
    let folder = folder(&[]);
    let page = kompoxops(&["explain", "kpx7301"], folder.path());
    assert_eq!(page.status.code(), Some(0));
    for expected in ["KPX7301 (error in a Compose file)", "command: a && b", "Remedy: Start a shell"] {
        assert!(stdout(&page).contains(expected), "{expected}: {}", stdout(&page));
    }
    assert!(stdout(&kompoxops(&["explain", "ComposeInvalid"], folder.path())).contains("Remedy: "));
    let unknown = kompoxops(&["explain", "KPX7300"], folder.path());
    assert_eq!((unknown.status.code(), stdout(&unknown)), (Some(3), String::new()));
    assert!(stderr(&unknown).contains("KPX7301"), "{}", stderr(&unknown));
    assert!(stdout(&kompoxops(&["explain"], folder.path())).lines().count() > 100);
}

#[test]
fn the_report_accounts_for_every_value_next_to_the_manifests() {
    let folder = folder(&[("compose.yml", ODD)]);
    let output = kompoxops(&["render", "--report=json", "-o=name"], folder.path());
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("deployment/"), "{}", stdout(&output));
    let report: Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("conversion.json")).unwrap()).unwrap();
    let entry = |path: &str| {
        let entries = report["entries"].as_array().unwrap();
        entries
            .iter()
            .find(|entry| entry["path"] == path)
            .unwrap_or_else(|| panic!("{path}: {report:#}"))
            .clone()
    };
    assert_eq!(entry("services.web.image")["outcome"], "mapped");
    assert_eq!(entry("services.web.logging.driver")["code"], "KPX7801");
    assert_eq!(entry("services.debug.image")["remark"], "no active profile enables the service");
    let output = kompoxops(&["render", "--report=md", "--report-file=r.md"], folder.path());
    assert_eq!(output.status.code(), Some(0));
    assert!(fs::read_to_string(folder.path().join("r.md")).unwrap().starts_with("# Conversion report"));
}

#[test]
fn the_report_is_written_for_refused_files_too() {
    let folder = folder(&[("compose.yml", REFUSED)]);
    let output = kompoxops(&["render", "--report=md"], folder.path());
    assert_eq!((output.status.code(), stdout(&output)), (Some(3), String::new()));
    let report = fs::read_to_string(folder.path().join("conversion.md")).unwrap();
    assert!(report.contains("refused") && report.contains("KPX7804"), "{report}");
}

#[test]
fn what_only_a_privileged_namespace_has_is_refused_elsewhere() {
    let host = "services:\n  web:\n    image: nginx:1\n    network_mode: host\n";
    let folder = folder(&[("compose.yml", host)]);
    let refused = kompoxops(&["check"], folder.path());
    assert_eq!(refused.status.code(), Some(3));
    assert!(stdout(&refused).contains("kubectl label"), "{}", stdout(&refused));
    for command in ["check", "render"] {
        let accepted = kompoxops(&[command, "--pod-security=privileged"], folder.path());
        assert_eq!(accepted.status.code(), Some(0), "{}", stderr(&accepted));
    }
}
