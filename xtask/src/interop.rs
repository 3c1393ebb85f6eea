//! The interop steps: other people's clients and libraries against our programs, with npm and pip.

use crate::runner::Step;
use crate::tools;
use crate::tools::cargo;
use crate::web::{CI, NPM, npm};
use std::env;
use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

pub(crate) fn steps(root: &Path) -> [Step; 2] {
    let folder = root.join("tests").join("interop");
    let node = Step::new("interop, Node", node(&folder))
        .needs("node 20.14 or later", tools::has("node"))
        .needs("npm", tools::has(NPM));
    let virtual_environments = tools::succeeds(Command::new(PYTHON).args(["-c", "import ensurepip, venv"]));
    let python = Step::new("interop, Python", python(root, &folder.join("python")))
        .needs("python3 with venv", virtual_environments);
    [node, python]
}

/// Our client's tests against sockudo, a server of the same protocol.
pub(crate) fn sockudo() -> Step {
    let program = env::var_os("SOCKUDO_BIN").unwrap_or_else(|| OsString::from("sockudo"));
    let mut test = cargo(["test", "--package", "pusher-client", "--all-features", "--test", "engine"]);
    test.env("ENGINE", "sockudo").env("SOCKUDO_BIN", &program);
    Step::new("interop, sockudo", vec![test]).needs(
        "sockudo on the PATH or in SOCKUDO_BIN (cargo install sockudo --version 5.2.0 --locked --no-default-features \
         --features local,v2, with libprotobuf-dev and protobuf-compiler)",
        tools::has(program),
    )
}

const PYTHON: &str = if cfg!(windows) { "python" } else { "python3" };
const PYTHON_OF_VENV: &str = if cfg!(windows) { "Scripts/python" } else { "bin/python" };

fn node(folder: &Path) -> Vec<Command> {
    let mut test = npm(folder, &["test"]);
    test.env("INTERNAL_NOTIFICATIONS_BIN", tools::built_binary());
    vec![build(), npm(folder, CI), with_program(test)]
}

fn python(root: &Path, folder: &Path) -> Vec<Command> {
    let venv = root.join("target").join("interop-venv");
    let mut make = Command::new(PYTHON);
    make.args(["-m", "venv"]).arg(&venv);
    let python = || Command::new(venv.join(PYTHON_OF_VENV));
    let mut install = python();
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]);
    install.args(["--requirement", "requirements.txt"]).current_dir(folder);
    let mut test = python();
    test.args(["-B", "-m", "unittest", "--failfast"]).current_dir(folder);
    test.env("INTERNAL_NOTIFICATIONS_BIN", tools::built_binary());
    vec![build(), make, install, with_program(test)]
}

fn build() -> Command {
    cargo(["build", "--package", "internal-notifications-cli", "--package", "interop"])
}

fn with_program(mut command: Command) -> Command {
    command.env("INTEROP_BIN", tools::built("interop"));
    command
}
