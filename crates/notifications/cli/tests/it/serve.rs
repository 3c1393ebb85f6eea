use crate::command_runner::{command, env_file, run};
use crate::server::{API_KEY, JWT_SECRET, Server, terminate};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::Stdio;

#[test]
fn sigterm_ends_the_server_with_0_and_no_secret_is_logged() {
    let server = Server::start();
    server.push(&["--to", "ada", "a body that no log may hold"]).ok();
    let (code, output) = server.terminate();
    assert_eq!(code, 0, "{output}");
    for secret in [API_KEY, JWT_SECRET, "no log may hold"] {
        assert!(!output.contains(secret), "a secret was logged");
    }
}

#[test]
fn a_second_signal_ends_a_server_that_waits_for_a_request() {
    let server = Server::start_with(vec![
        ("INTERNAL_NOTIFICATIONS_API_KEYS", format!("shop:{API_KEY}")),
        ("INTERNAL_NOTIFICATIONS_SHUTDOWN_SECONDS", "600".to_owned()),
    ]);
    let mut slow = std::net::TcpStream::connect(server.url.strip_prefix("http://").unwrap()).unwrap();
    let head = "POST /v1/notifications HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\nexpect: 100-continue\r\n";
    write!(slow, "{head}authorization: Bearer {API_KEY}\r\n\r\n").unwrap();
    // The server asks for the body, so the request is running.
    let mut answer = [0; 12];
    slow.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 100");
    assert_eq!(server.terminate_twice(), 1);
}

#[test]
fn with_json_the_address_is_an_object() {
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("inbox.db").display());
    let args = ["serve", "--json", "--listen", "127.0.0.1:0", "--database", &database];
    let mut process = command(&args, &[]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    terminate(&process);
    assert_eq!(process.wait().unwrap().code(), Some(0));
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(line["type"], "listening");
    assert!(line["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
}

#[test]
fn beyond_loopback_the_server_does_not_start_without_authentication() {
    let ran = run(&["serve", "--listen", "0.0.0.0:0", "--database", "sqlite:///nowhere/inbox.db"], &[]);
    assert!(ran.error(2).contains("INTERNAL_NOTIFICATIONS_JWT_SECRET"));
}

#[test]
fn an_unusable_database_and_an_address_in_use_are_failures() {
    let ran = run(&["serve", "--listen", "127.0.0.1:0", "--database", "sqlite:///nowhere/inbox.db"], &[]);
    ran.error(1);
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let database = format!("sqlite://{}", folder.path().join("inbox.db").display());
    let address = taken.local_addr().unwrap().to_string();
    let ran = run(&["serve", "--listen", &address, "--database", &database], &[]);
    assert!(ran.error(1).contains(&address));
}

#[test]
fn the_error_of_a_wrong_variable_names_it_and_its_values() {
    let ran = run(&["serve"], &[("INTERNAL_NOTIFICATIONS_REALTIME", "carrier pigeon")]);
    let error = ran.error(2);
    assert!(error.contains("INTERNAL_NOTIFICATIONS_REALTIME") && error.contains("embedded"), "{error}");
}

#[test]
fn the_token_hint_names_the_database_from_the_file_the_environment_or_the_option() {
    let folder = tempfile::tempdir().unwrap();
    let url = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
    let (ours, others) = (url("a.db"), url("b.db"));
    let file = env_file(&format!("INTERNAL_NOTIFICATIONS_DATABASE_URL={ours}\n"));
    let path = file.path().to_str().unwrap();
    for (args, env, database) in [
        (&["--env-file", path][..], &[][..], &ours),
        (&["--env-file", path], &[("INTERNAL_NOTIFICATIONS_DATABASE_URL", others.as_str())], &others),
        (&["--env-file", path, "--database", &others], &[], &others),
    ] {
        let args = [&["serve", "--listen", "127.0.0.1:0"], args].concat();
        let mut process = command(&args, env).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().take(2).map(Result::unwrap);
        let hint = lines.last().unwrap();
        terminate(&process);
        assert_eq!(process.wait().unwrap().code(), Some(0));
        assert!(hint.contains(&format!(" --database {database}`")), "{hint}");
    }
}
