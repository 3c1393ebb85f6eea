use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::command_runner::{env_file, run};
use crate::server::{JWT_SECRET, Server, terminate};
use crate::tail_process::{TIMEOUT, spawn_tail, tail};

#[test]
fn a_token_of_another_user_is_a_configuration_error() {
    let server = Server::start();
    let bob = server.token("bob", &[]);
    for command in [&["tail", "--user", "ada"][..], &["open", "--user", "ada", "--all"]] {
        let ran = server.run_as(&bob, command);
        assert!(ran.error(2).contains("INTERNAL_NOTIFICATIONS_TOKEN"), "{}", ran.stderr);
    }
}

#[test]
fn the_error_names_a_missing_variable() {
    let args = ["tail", "--user", "ada"];
    assert!(run(&args, &[]).error(2).contains("INTERNAL_NOTIFICATIONS_URL"));
    let url = ("INTERNAL_NOTIFICATIONS_URL", "http://127.0.0.1:9");
    assert!(run(&args, &[url]).error(2).contains("INTERNAL_NOTIFICATIONS_TOKEN"));
}

#[test]
fn a_rejected_token_ends_tail_at_once() {
    let server = Server::start();
    let env = [("INTERNAL_NOTIFICATIONS_JWT_SECRET", "another secret that is 32 bytes long")];
    let forged = run(&["token", "--user", "ada"], &env).ok().to_owned();
    let ran = server.run_as(&forged, &["tail", "--user", "ada", "--json"]);
    ran.error(1);
}

#[test]
fn a_timeout_is_exit_code_1_even_without_a_server() {
    let server = Server::start();
    let ada = server.token("ada", &[]);
    server.run_as(&ada, &["tail", "--user", "ada", "--count", "1", "--timeout", "0.2"]).error(1);
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut tail = tail(&format!("http://{nobody}"), "ada", &ada, &["--timeout", "0.2"]);
    assert_eq!(tail.end().0, 1);
}

#[test]
fn tail_waits_for_a_server_that_has_not_started() {
    let mut server = Server::start();
    let ada = server.token("ada", &[]);
    server.push(&["--to", "ada", "kept"]).ok();
    let mut tail = server.restart_after(|url| {
        let mut tail = tail(url, "ada", &ada, &["--json", "--timeout", "30"]);
        let line = tail.stderr_line();
        assert!(line.starts_with("-- offline: ") && line.contains("refused"), "{line}");
        tail
    });
    assert_eq!(tail.until("snapshot")["notifications"][0]["content"], "kept");
    assert_eq!(tail.seen.len(), 1, "the snapshot is the first line: {:?}", tail.seen);
    tail.until_live();
}

#[test]
fn a_temporary_rejection_does_not_end_tail() {
    let mut server = Server::start();
    let ada = server.token("ada", &[]);
    let soon = env_file("INTERNAL_NOTIFICATIONS_POSITION_CHECK_SECONDS=1\n");
    let args = ["--json", "--env-file", soon.path().to_str().unwrap()];
    let mut tail = tail(&server.url, "ada", &ada, &args);
    tail.until_live();
    server.kill_and_restart_with("INTERNAL_NOTIFICATIONS_JWT_SECRET", "another secret that is 32 bytes long");
    let failed = tail.until_json(|line| line["status"] == "failed");
    assert!(failed["reason"].as_str().unwrap().contains("401"), "{failed}");
    server.kill_and_restart_with("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET);
    server.push(&["--to", "ada", "--id", "after", "c"]).ok();
    tail.until_json(|line| line["notification"]["id"] == "after");
    tail.until_live();
}

#[test]
fn a_service_other_than_pusher_is_rejected() {
    let service = ("INTERNAL_NOTIFICATIONS_SERVICE", "mock");
    for args in [&["tail", "--user", "ada"][..], &["open", "--user", "ada", "--all"]] {
        let ran = run(args, &[service]);
        let error = ran.error(2);
        assert!(error.contains("INTERNAL_NOTIFICATIONS_SERVICE") && error.contains("pusher"), "{error}");
    }
}

#[test]
fn sigterm_ends_tail_with_0() {
    let server = Server::start();
    let mut tail = tail(&server.url, "ada", &server.token("ada", &[]), &[]);
    tail.until_line(|line| line.contains("live"));
    terminate(&tail.process);
    assert_eq!(tail.end(), (0, String::new()));
}

#[test]
fn a_closed_output_ends_tail_quietly() {
    let server = Server::start();
    let (mut process, stdout) = spawn_tail(&server.url, "ada", &server.token("ada", &[]), &["--json"]);
    let mut stdout = BufReader::new(stdout);
    let mut line = String::new();
    while !line.contains("live") {
        line.clear();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0);
    }
    drop(stdout);
    server.push(&["--to", "ada", "nobody reads this"]).ok();
    assert_eq!(process.wait().unwrap().code(), Some(0));
    let mut stderr = String::new();
    process.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(stderr, "");
}

#[test]
fn a_full_pipe_does_not_prevent_tail_from_ending() {
    let server = Server::start();
    server.push(&["--to", "ada", &"more than a pipe holds ".repeat(4_000)]).ok();
    let (mut process, mut stdout) = spawn_tail(&server.url, "ada", &server.token("ada", &[]), &["--json"]);
    stdout.read_exact(&mut [0]).unwrap();
    terminate(&process);
    let deadline = Instant::now() + TIMEOUT;
    while process.try_wait().unwrap().is_none() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(5));
    }
    let _ = process.kill();
    assert_eq!(process.wait().unwrap().code(), Some(0));
}
