use crate::support::server::Server;
use crate::support::skip::skip;
use serde_json::json;
use std::collections::HashMap;
use std::env;
use std::process::{Command, Stdio};

const PUSHES: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_synced_between_the_write_of_a_push_and_its_acknowledgement() {
    if !has_strace() {
        return skip("strace");
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    // With -D the spawned process becomes the server, and strace its grandchild. A page of the log
    // has 4 KiB.
    let calls = "trace=fsync,fdatasync,write,writev,pwrite64,sendto,sendmsg";
    let strace = ["strace", "-D", "-f", "-y", "-s", "8192", "-e", calls, "-o", trace.to_str().unwrap()];
    let path = env::var("PATH").unwrap();
    let mut server = Server::start_with(&[("PATH", &path)], &strace).await;
    let mut shop = server.backend();
    for number in 0..PUSHES {
        assert!(shop.push(&["ada"], &json!({"id": id(number), "content": "c"})).await.unwrap());
    }
    server.stop().await;
    let trace = String::from_utf8_lossy(&std::fs::read(trace).unwrap()).into_owned();
    assert_eq!(acknowledged_unsynced(&trace), Vec::<String>::new());
}

fn id(number: usize) -> String {
    format!("push-{number:02}-of-the-trace")
}

fn has_strace() -> bool {
    let traced = Command::new("strace").args(["-o", "/dev/null", "true"]).stderr(Stdio::null()).status();
    traced.is_ok_and(|status| status.success())
}

/// Returns the pushes that were acknowledged before they were written to the log and the log was
/// synced, and those that were never acknowledged.
fn acknowledged_unsynced(trace: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut next, mut written, mut synced) = (0, false, false);
    for call in calls(trace) {
        let is_log = call.file.ends_with("inbox.db-wal");
        let id = id(next);
        match call.name.as_str() {
            "write" | "pwrite64" if is_log && call.text.contains(&id) => (written, synced) = (true, false),
            "fsync" | "fdatasync" if is_log && written && call.text.ends_with("= 0") => synced = true,
            _ if call.text.contains("HTTP/1.1 201") => {
                if !synced {
                    wrong.push(format!("{id}: written {written}"));
                }
                (next, written, synced) = (next + 1, false, false);
            }
            _ => {}
        }
    }
    wrong.extend((next..PUSHES).map(id));
    wrong
}

#[derive(Debug, Default)]
struct Call {
    name: String,
    file: String,
    text: String,
}

/// Parses the output of `strace -f -y`. Writes to a socket are placed where they begin, all other
/// calls where they end.
fn calls(trace: &str) -> Vec<Call> {
    let (mut calls, mut begun) = (Vec::new(), HashMap::new());
    for line in trace.lines() {
        let Some((pid, text)) = line.split_once(' ') else { continue };
        let text = text.trim_start();
        if text.starts_with("<... ") {
            let Some(call) = begun.remove(pid) else { continue };
            calls.push(Call { text: format!("{}{text}", call_text(&call)), ..call });
            continue;
        }
        let Some((name, rest)) = text.split_once('(') else { continue };
        let file =
            rest.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(file, _)| file);
        let call = Call { name: name.to_owned(), file: file.to_owned(), text: text.to_owned() };
        if text.ends_with("<unfinished ...>") && !file.starts_with("socket:") {
            begun.insert(pid.to_owned(), call);
        } else {
            calls.push(call);
        }
    }
    calls
}

fn call_text(call: &Call) -> &str {
    call.text.trim_end_matches("<unfinished ...>")
}

#[test]
fn a_missing_or_early_sync_is_detected() {
    let all =
        |lines: &dyn Fn(usize) -> String| acknowledged_unsynced(&(0..PUSHES).map(lines).collect::<String>());
    let write = |number| format!("7 pwrite64(9</tmp/inbox.db-wal>, \"{}\", 40, 0) = 40\n", id(number));
    let acknowledge = "8  sendto(12<socket:[1]>, \"HTTP/1.1 201 Created\", 20) = 20\n";
    let sync = "7 fdatasync(9</tmp/inbox.db-wal>) = 0\n";
    let begun = "7 fdatasync(9</tmp/inbox.db-wal> <unfinished ...>\n";
    let ended = "7 <... fdatasync resumed>) = 0\n";
    assert!(all(&|number| format!("{}{sync}{acknowledge}", write(number))).is_empty());
    assert!(all(&|number| format!("{}{begun}{ended}{acknowledge}", write(number))).is_empty());
    for wrong in [
        &|number| format!("{}{acknowledge}", write(number)),
        &|number| format!("{sync}{}{acknowledge}", write(number)),
        &|number| format!("{}{begun}{acknowledge}{ended}", write(number)),
        &|number| format!("{}{}{acknowledge}", write(number), sync.replace("= 0", "= -1 EIO")),
        &|number| format!("{}{}{acknowledge}", write(number), sync.replace("-wal", "")),
        &|_| format!("{sync}{acknowledge}"),
        &|number| format!("{}{sync}", write(number)),
    ] as [&dyn Fn(usize) -> String; 7]
    {
        assert_eq!(all(wrong).len(), PUSHES, "{}", wrong(0));
    }
}
