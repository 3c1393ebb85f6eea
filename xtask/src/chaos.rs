//! `cargo xtask chaos`, and the chaos steps of `cargo xtask test`.

use crate::runner::Step;
use crate::tools;
use std::fs;
use std::process::ExitCode;

/// Builds the chaos program and the server, and becomes the chaos program.
pub(crate) fn run(args: &[String]) -> ExitCode {
    tools::run_black_box("chaos", args)
}

/// One minute on each database, or ten if `long`; at the same time if the machine has both.
/// Earlier steps have built the programs.
pub(crate) fn steps(long: bool) -> Vec<Step> {
    let on = |database: &str, nodes: &str| {
        let report = tools::built("chaos").with_file_name(format!("chaos-{database}.json"));
        let mut command = tools::black_box("chaos");
        command.args([
            "--seconds",
            if long { "600" } else { "60" },
            "--database",
            database,
            "--nodes",
            nodes,
        ]);
        // Both runs at once, in the dev profile, share the machine with whatever else it does: how
        // long a delivery takes there says more about the machine than about the server.
        command.args(if long { &["--latency-limit", "3000"][..] } else { &["--allow-late"] });
        command.arg("--report").arg(report);
        command
    };
    let (sqlite, postgres) = (on("sqlite", "1"), on("postgres", "2"));
    if has_postgres() {
        return vec![Step::new("chaos, on SQLite and on PostgreSQL", vec![sqlite, postgres]).at_once()];
    }
    vec![
        Step::new("chaos, on SQLite", vec![sqlite]),
        Step::new("chaos, on PostgreSQL", vec![postgres])
            .needs("PostgreSQL's server programs (/usr/lib/postgresql/*/bin/initdb)", false),
    ]
}

fn has_postgres() -> bool {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.map(|version| version.path().join("bin/initdb")).any(|initdb| initdb.exists())
}
