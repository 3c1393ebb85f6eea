//! The steps of `cargo xtask test`, in order.

use crate::runner::Step;
use crate::tools::cargo;
use crate::{chaos, demo, fuzzing, interop, packages, soak, tools, web};
use std::env;
use std::path::Path;
use std::process::Command;

/// The options on the command line.
pub(crate) struct Options {
    pub(crate) all: bool,
    pub(crate) long: bool,
}

impl Options {
    /// Returns `None` if an argument is unknown.
    pub(crate) fn parse(args: &[String]) -> Option<Self> {
        let given = |flag: &str| args.iter().any(|arg| arg == flag);
        let known = args.iter().all(|arg| arg == "--all" || arg == "--long");
        known.then(|| Self { all: given("--all"), long: given("--long") })
    }
}

/// Returns the steps that the options ask for.
pub(crate) fn steps(options: &Options, root: &Path) -> Vec<Step> {
    let mut steps = vec![
        Step::new("format", format()),
        web::build_step(root),
        Step::new("clippy, all features", vec![clippy("--all-features")]),
        Step::new("clippy, no default features", vec![clippy("--no-default-features")]),
        Step::new("clippy, one feature at a time", FEATURES.iter().map(one_feature).collect()),
        Step::new("rustdoc", vec![documentation()]),
        Step::new("tests", vec![tests(options)]),
        Step::new("services left out", vec![cargo(["test", "--package", FACADE, "--no-default-features"])]),
        Step::new("doctests", vec![doctests()]),
        Step::new("large cases, in their small form", vec![large_cases()]),
        Step::new("demo", vec![cargo(demo::RUN.into_iter().chain(["--once"]))]),
        Step::new("bans, licences, sources", deny())
            .needs("cargo-deny (cargo install --locked cargo-deny)", tools::cargo_has("deny")),
        packages::step(root),
    ];
    if env::var_os("TEST_POSTGRES_URL").is_none() {
        // Otherwise they are part of the step `tests`.
        steps.push(Step::new("tests on PostgreSQL", vec![]).needs("TEST_POSTGRES_URL=postgres://…", false));
    }
    steps.extend(chaos::steps(options.long));
    steps.extend(interop::steps(root));
    steps.extend(web::test_steps(root));
    if options.long {
        steps.push(soak::step());
        steps.push(interop::sockudo());
        steps.push(fuzzing::step(root));
        steps.push(mutants());
    }
    steps
}

/// With all features, the facade never reports a service that its build leaves out.
const FACADE: &str = "internal-notifications";

/// The fuzz targets are a separate workspace.
fn format() -> Vec<Command> {
    vec![cargo(["fmt", "--all", "--check"]), cargo(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"])]
}

fn clippy(features: &str) -> Command {
    cargo(["clippy", "--workspace", "--all-targets", features, "--", "-D", "warnings"])
}

/// Features that somebody may build alone. A build of the workspace has what any member needs.
const FEATURES: &[(&str, &str)] = &[
    ("pusher-client", "http"),
    ("pusher-client", "websocket"),
    ("internal-notifications-store", "memory"),
    ("internal-notifications-store", "sqlite"),
    ("internal-notifications-store", "postgres"),
    ("internal-notifications-server", "sqlite"),
    ("internal-notifications-server", "postgres"),
    (FACADE, "client"),
    (FACADE, "mock"),
    (FACADE, "pusher"),
];

fn one_feature((package, feature): &(&str, &str)) -> Command {
    let alone = ["clippy", "--package", package, "--no-default-features", "--features", feature];
    cargo(alone.into_iter().chain(["--", "-D", "warnings"]))
}

fn documentation() -> Command {
    let mut command = cargo(["doc", "--workspace", "--all-features", "--no-deps"]);
    command.env("RUSTDOCFLAGS", "-D warnings");
    command
}

/// Runs the large cases of inbox and broker without measuring. With the workspace's features,
/// earlier steps have built what they need.
fn large_cases() -> Command {
    cargo(["test", "--workspace", "--all-features", "--bench", "inbox", "--bench", "broker", "--", "size"])
}

fn doctests() -> Command {
    cargo(["test", "--workspace", "--all-features", "--doc"])
}

/// Includes the repository rules, which are tests of the package `repo_rules`.
fn tests(options: &Options) -> Command {
    let (command, long) = if tools::cargo_has("nextest") {
        (["nextest", "run"], ["--run-ignored", "all"])
    } else {
        (["test", "--tests"], ["--", "--include-ignored"])
    };
    let mut tests = cargo(command.into_iter().chain(["--workspace", "--all-features"]));
    if options.long {
        tests.args(long).env("LEAK_CYCLES", "10000").env("MODEL_SCHEDULES", "200000");
    }
    if options.all {
        tests.env("ACCEPTANCE_ALL", "1");
    }
    // Cargo builds this binary for the tests. A build by a test would replace it under the others.
    tests.env("INTERNAL_NOTIFICATIONS_BIN", tools::built_binary());
    tests
}

/// Fetches first: cargo-deny reads the crates of all platforms, a build only those of this one.
fn deny() -> Vec<Command> {
    vec![
        cargo(["fetch", "--quiet", "--locked"]),
        cargo(["deny", "--offline", "check", "bans", "licenses", "sources"]),
    ]
}

fn mutants() -> Step {
    let mut command = Command::new(env::current_exe().unwrap_or_else(|_| "cargo-xtask".into()));
    command.arg("mutants");
    Step::new("mutants", vec![command])
        .needs("cargo-mutants (cargo install --locked cargo-mutants)", tools::cargo_has("mutants"))
}
