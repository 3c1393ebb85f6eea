//! Tests of TLS with a certificate of a private authority, and of how a failure is explained.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::Stdio;

use crate::command_runner::{command, run};
use crate::server::{API_KEY, JWT_SECRET, Server};
use crate::tail_process::{spawn_tail, tail};
use crate::tls_terminator::{CA, terminate_tls};

const URL: &str = "INTERNAL_NOTIFICATIONS_URL";
const CA_FILE: &str = "INTERNAL_NOTIFICATIONS_CA_FILE";

#[test]
fn push_and_tail_trust_the_authorities_of_a_file_or_of_the_system() {
    let server = Server::start();
    let url = format!("https://127.0.0.1:{}", terminate_tls(&server.url));
    let ada = server.token("ada", &[]);
    let key = ("INTERNAL_NOTIFICATIONS_API_KEY", API_KEY);
    let push = |more: &[&str], env: &[(&str, &str)]| {
        let args = [&["push", "--to", "ada", "--url", &url], more, &["c"]].concat();
        run(&args, &[&[key], env].concat())
    };
    let untrusted = push(&[], &[]);
    let error = untrusted.error(1);
    assert!(error.contains("the certificate of 127.0.0.1 is self-signed, or of an authority"), "{error}");
    let mut tail = tail(&url, "ada", &ada, &["--json", "--ca-file", CA]);
    tail.until_live();
    push(&["--ca-file", CA], &[]).ok();
    push(&[], &[(CA_FILE, CA)]).ok();
    push(&[], &[("SSL_CERT_FILE", CA)]).ok();
    for _ in 0..3 {
        tail.until("added");
    }
    assert!(push(&[], &[(CA_FILE, "/no/such/file")]).error(2).contains(CA_FILE));
    assert!(push(&[], &[("SSL_CERT_FILE", "/no/such/file")]).error(2).contains("SSL_CERT_FILE"));
}

#[test]
fn tail_says_why_it_is_offline() {
    let server = Server::start();
    let ada = server.token("ada", &[]);
    let url = format!("https://127.0.0.1:{}", terminate_tls(&server.url));
    for (url, reason) in [
        (url.as_str(), "the certificate of 127.0.0.1 is self-signed"),
        ("http://no-such-host.invalid", "the name no-such-host.invalid could not be resolved"),
    ] {
        let (mut process, _stdout) = spawn_tail(url, "ada", &ada, &["--json"]);
        let stderr = BufReader::new(process.stderr.take().unwrap());
        let line = stderr.lines().map(Result::unwrap).find(|line| line.contains(reason));
        process.kill().unwrap();
        process.wait().unwrap();
        assert!(line.is_some(), "{reason}");
    }
}

#[test]
fn serve_publishes_through_an_engine_with_a_certificate_of_a_private_authority() {
    let app = [("PUSHER_APP_ID", "1"), ("PUSHER_APP_KEY", "key"), ("PUSHER_APP_SECRET", "secret")];
    let args = ["broker", "--listen", "127.0.0.1:0"];
    let mut broker = command(&args, &app).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(broker.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = terminate_tls(line.trim().strip_prefix("listening on ").unwrap()).to_string();
    let server = |ca: Option<&str>| {
        let mut env: Vec<_> = app.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        env.push(("PUSHER_HOST", "127.0.0.1".to_owned()));
        env.push(("PUSHER_PORT", port.clone()));
        env.push(("INTERNAL_NOTIFICATIONS_API_KEYS", format!("shop:{API_KEY}")));
        env.push(("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET.to_owned()));
        env.extend(ca.map(|path| (CA_FILE, path.to_owned())));
        Server::start_with(env)
    };
    let trusting = server(Some(CA));
    let ada = trusting.token("ada", &[]);
    let mut tail = tail(&trusting.url, "ada", &ada, &["--json", "--ca-file", CA, "--count", "1"]);
    tail.until_live();
    trusting.push(&["--to", "ada", "over TLS"]).ok();
    tail.until("added");
    let other = server(None);
    run(&["push", "--to", "ada", "c"], &[(URL, &other.url), ("INTERNAL_NOTIFICATIONS_API_KEY", API_KEY)])
        .ok();
    until_unready(&other.url);
    let (_, log) = other.terminate();
    assert!(log.contains("cannot be trusted") && log.contains("127.0.0.1 is self-signed"), "{log}");
    broker.kill().unwrap();
    broker.wait().unwrap();
}

/// Waits until the server says that it is not ready.
fn until_unready(url: &str) {
    loop {
        let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let request = "GET /health/ready HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        if response.starts_with("HTTP/1.1 503") {
            return;
        }
    }
}
