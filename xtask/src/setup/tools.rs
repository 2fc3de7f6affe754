//! The programs that must be on PATH before anything starts, and what to do about a missing one.

use std::process::Command;

use crate::shell;

/// A program, how to see that it is usable, and the remedy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tool {
    name: &'static str,
    probe: &'static [&'static str],
    remedy: &'static str,
}

/// Of every build. Cargo itself runs us, so it is not in the list.
pub(super) const BUILDS: &[Tool] = &[
    Tool {
        name: "go",
        probe: &["go", "version"],
        remedy: "the development control plane (etcd, kube-apiserver) is built with Go 1.21 or newer: https://go.dev/dl",
    },
    Tool {
        name: "cc",
        probe: &["cc", "--version"],
        remedy: "the TLS library is built from C: `apt install gcc`, or any C compiler as `cc`",
    },
];

/// Of the tests besides.
pub(super) const TESTS: &[Tool] = &[
    Tool {
        name: "python3",
        probe: &["python3", "-c", "import sys; sys.exit(sys.version_info < (3, 9))"],
        remedy: "the AWS double runs on Python 3.9 or newer: https://www.python.org/downloads, or `apt install python3`",
    },
    Tool {
        name: "python3's venv module",
        probe: &["python3", "-c", "import venv, ensurepip"],
        remedy: "the AWS double gets a Python environment of its own: `apt install python3-venv`, or a Python with ensurepip",
    },
];

/// Looks for every tool before saying a word, so that one run names everything to install.
///
/// # Errors
/// When tools are missing; the message has a line with the remedy for each.
pub(super) fn check(tools: &[Tool]) -> anyhow::Result<()> {
    let missing: Vec<_> = tools
        .iter()
        .filter(|tool| !is_usable(tool))
        .map(|tool| format!("\n  {} is missing: {}", tool.name, tool.remedy))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    anyhow::bail!("this machine lacks what the build or the tests need:{}", missing.concat())
}

fn is_usable(tool: &Tool) -> bool {
    tool.probe
        .split_first()
        .is_some_and(|(program, arguments)| shell::succeeds(Command::new(program).args(arguments)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRESENT: Tool = Tool { name: "sh", probe: &["sh", "-c", "exit 0"], remedy: "" };
    const ABSENT: Tool =
        Tool { name: "gopher", probe: &["kompox-no-such-program"], remedy: "install gopher" };
    const BROKEN: Tool = Tool { name: "brk", probe: &["sh", "-c", "exit 1"], remedy: "mend brk" };

    #[test]
    fn all_missing_tools_are_named_with_their_remedies() {
        assert!(check(&[PRESENT]).is_ok());
        let error = check(&[PRESENT, ABSENT, BROKEN]).unwrap_err().to_string();
        assert_eq!(
            error,
            "this machine lacks what the build or the tests need:\n  gopher is missing: install gopher\n  brk is missing: mend brk"
        );
    }
}
