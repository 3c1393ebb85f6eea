//! Tests wrong uses of the command. As an integration test it also makes cargo build the command,
//! which `cargo xtask test` needs.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

fn run(args: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_chaos")).args(args).env_clear().output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn impossible_arguments_are_rejected_before_anything_starts() {
    for (args, why) in [
        (&["--nodes", "2"][..], "several nodes share PostgreSQL"),
        (&["--database", "mysql://h"], "sqlite, postgres or postgres://"),
        (&["--seconds", "0"], "0 is not in 1"),
    ] {
        let (code, error) = run(args);
        assert_eq!(code, Some(2), "{error}");
        assert!(error.contains(why), "{error}");
    }
    let (code, error) = run(&[]);
    assert_eq!(code, Some(1));
    assert!(error.contains("INTERNAL_NOTIFICATIONS_BIN"), "{error}");
}
