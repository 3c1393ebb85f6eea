use crate::support::server::Server;
use serde_json::json;
use std::collections::HashMap;
use std::env;
use std::process::{Command, Stdio};

const PUSHES: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_synced_after_a_push_was_written_and_before_it_is_acknowledged() {
    if !has_strace() {
        assert_ne!(env::var("ACCEPTANCE_ALL").as_deref(), Ok("1"), "strace is missing");
        println!("skipped: it needs strace");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    // -D: what is started becomes the server, and strace its grandchild. A page of the log is 4 KiB.
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

/// The pushes, in their order, that were acknowledged while they were not in the log or the log was not synced; and those that were not
/// acknowledged.
fn acknowledged_unsynced(trace: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let (mut next, mut written, mut synced) = (0, false, false);
    for call in calls(trace) {
        let of_log = call.file.ends_with("inbox.db-wal");
        let id = id(next);
        match call.name.as_str() {
            "write" | "pwrite64" if of_log && call.text.contains(&id) => (written, synced) = (true, false),
            "fsync" | "fdatasync" if of_log && written && call.text.ends_with("= 0") => synced = true,
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

/// The calls of `strace -f -y`: what writes to a socket where it begins, everything else where it ends.
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
fn a_missing_or_early_sync_is_found() {
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
