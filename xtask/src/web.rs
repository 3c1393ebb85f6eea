//! The steps of `web/`: build it into the server, test it, and try it in a browser, with npm.

use crate::runner::Step;
use crate::tools;
use crate::tools::cargo;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

/// npm's arguments that install the packages of the lock file.
pub(crate) const CI: &[&str] = &["ci", "--no-audit", "--no-fund"];

pub(crate) const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// Builds the library and the page, and checks the package. The page must exist before anything is
/// compiled: it becomes part of the server.
pub(crate) fn build_step(root: &Path) -> Step {
    let commands = [CI, &["run", "check"], &["run", "build"], &["run", "check:package"]];
    Step::new("web", commands.map(|arguments| npm(&root.join("web"), arguments)).into())
        .needs("npm", tools::has(NPM))
}

/// Tests the client, also against the real server, and the elements and the page in a browser.
pub(crate) fn test_steps(root: &Path) -> [Step; 2] {
    let with_server = |arguments: &[&str]| {
        let mut command = npm(&root.join("web"), arguments);
        command.env("INTERNAL_NOTIFICATIONS_BIN", tools::built_binary());
        vec![cargo(["build", "--package", "internal-notifications-cli"]), command]
    };
    let tests = Step::new("web, tests", with_server(&["test"])).needs("npm", tools::has(NPM));
    let browser = Step::new("web, browser", with_server(&["run", "test:browser"]))
        .needs("npm", tools::has(NPM))
        .needs("Chromium (Debian's package chromium)", tools::has("chromium"));
    [tests, browser]
}

/// Builds the page if it is out of date. Without npm there is no page, which is not an error.
pub(crate) fn build_page(root: &Path) -> Result<(), String> {
    if is_fresh(root) || !tools::has(NPM) {
        return Ok(());
    }
    eprintln!("building the page (web/)");
    let commands = [CI, &["run", "--silent", "build"]];
    Step::new("page", commands.map(|arguments| npm(&root.join("web"), arguments)).into()).run(root)
}

/// Returns npm with these arguments, in a folder.
pub(crate) fn npm(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(NPM);
    command.args(arguments).current_dir(folder);
    command
}

fn is_fresh(root: &Path) -> bool {
    let web = root.join("web");
    let page = root.join("crates/notifications/server/page/dist/index.html");
    let built = page.metadata().and_then(|file| file.modified()).ok();
    let sources = ["src", "page", "package-lock.json", "vite.page.config.ts"];
    built.is_some() && sources.iter().all(|source| newest(&web.join(source)) <= built)
}

/// Returns when anything at or below the path was last changed.
fn newest(path: &Path) -> Option<SystemTime> {
    let itself = path.metadata().and_then(|file| file.modified()).ok();
    let below = fs::read_dir(path).into_iter().flatten().flatten();
    below.map(|entry| newest(&entry.path())).chain([itself]).max().flatten()
}
