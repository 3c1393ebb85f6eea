//! The limit of open files, read from Linux's `/proc`.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::server::terminate;

/// Runs a broker under a soft and a hard limit. Returns its own soft limit, and what it logged.
fn broker_under(soft: u64, hard: u64) -> (u64, String) {
    let script = format!(
        "ulimit -Sn {soft} && ulimit -Hn {hard} && exec '{}' broker --listen 127.0.0.1:0",
        env!("CARGO_BIN_EXE_internal-notifications")
    );
    let mut process = Command::new("/bin/sh")
        .args(["-c", &script])
        .env_clear()
        .envs([("PUSHER_APP_ID", "17"), ("PUSHER_APP_KEY", "key"), ("PUSHER_APP_SECRET", "secret")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let limits = fs::read_to_string(format!("/proc/{}/limits", process.id())).unwrap();
    terminate(&process);
    let mut log = String::new();
    process.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    process.wait().unwrap();
    let files = limits.lines().find_map(|line| line.strip_prefix("Max open files")).unwrap();
    (files.split_whitespace().next().unwrap().parse().unwrap(), log)
}

#[test]
fn the_soft_limit_is_raised_as_far_as_the_hard_one_allows() {
    let (files, log) = broker_under(256, 15_000);
    assert_eq!((files, log.contains("open files")), (15_000, false), "{log}");
}

#[test]
fn a_hard_limit_below_the_limit_of_connections_is_warned_of() {
    let (files, log) = broker_under(256, 1_024);
    assert_eq!(files, 1_024);
    let warning = log.lines().find(|line| line.contains("the limit of open files is too low")).unwrap();
    for part in ["WARN", "open_files.allowed=1024", "open_files.needed=10320", "LimitNOFILE"] {
        assert!(warning.contains(part), "{part}: {warning}");
    }
}
