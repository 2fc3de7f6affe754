//! The help texts are part of the product: a change of them is seen in a golden file.

use super::{kompoxops, stderr, stdout};

fn help(arguments: &[&str]) -> String {
    let folder = tempfile::tempdir().unwrap();
    let output = kompoxops(arguments, folder.path());
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    stdout(&output)
}

#[test]
fn every_command_explains_itself_with_examples() {
    for (name, arguments) in [
        ("kompoxops", &["--help"][..]),
        ("up", &["up", "--help"]),
        ("render", &["render", "--help"]),
        ("status", &["status", "--help"]),
        ("driver", &["driver", "--help"]),
        ("driver-inspect", &["driver", "inspect", "--help"]),
        ("driver-verify", &["driver", "verify", "--help"]),
        ("driver-install", &["driver", "install", "--help"]),
        ("driver-uninstall", &["driver", "uninstall", "--help"]),
        ("driver-ls", &["driver", "ls", "--help"]),
        ("driver-push", &["driver", "push", "--help"]),
        ("driver-pull", &["driver", "pull", "--help"]),
        ("driver-save", &["driver", "save", "--help"]),
        ("driver-load", &["driver", "load", "--help"]),
        ("driver-keygen", &["driver", "keygen", "--help"]),
        ("driver-sign", &["driver", "sign", "--help"]),
        ("dev", &["dev", "--help"]),
        ("dev-up", &["dev", "up", "--help"]),
    ] {
        let text = help(arguments);
        insta::assert_snapshot!(format!("help-{name}"), text);
        assert!(name == "dev-up" || text.contains("Examples:"), "{name}");
        assert!(!text.contains("supervise"), "{name} shows what is not for users");
    }
}

#[test]
fn a_wrong_command_line_is_exit_code_2_on_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["nonsense"][..], &[], &["up", "--timeout", "soon"], &["dev", "up", "--nodes", "0"]] {
        let output = kompoxops(arguments, folder.path());
        assert_eq!((output.status.code(), stdout(&output)), (Some(2), String::new()), "{arguments:?}");
        assert!(!stderr(&output).is_empty());
    }
}
