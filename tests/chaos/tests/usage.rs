//! The command, mistyped. With a test from outside cargo builds the command for `cargo xtask test`.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::process::Command;

fn told(args: &[&str]) -> (Option<i32>, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_chaos")).args(args).env_clear().output().unwrap();
    (ran.status.code(), String::from_utf8(ran.stderr).unwrap())
}

#[test]
fn what_cannot_be_done_is_told_before_anything_starts() {
    for (args, why) in [
        (&["--nodes", "2"][..], "several nodes share PostgreSQL"),
        (&["--database", "mysql://h"], "sqlite, postgres or postgres://"),
        (&["--seconds", "0"], "0 is not in 1"),
    ] {
        let (code, told) = told(args);
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(why), "{told}");
    }
    let (code, told) = told(&[]);
    assert_eq!(code, Some(1));
    assert!(told.contains("INTERNAL_NOTIFICATIONS_BIN"), "{told}");
}
