//! `demo` keeps serving, and prints a link to a page with both of its users.

use crate::support::binary;
use black_box_support::{Caller, Http};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;

#[tokio::test]
async fn the_demo_links_to_a_page_with_tokens_in_the_fragment_which_no_request_carries() {
    let mut command = Command::from(binary::command(&["demo"], &[]));
    let mut demo = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
    let mut lines = BufReader::new(demo.stdout.take().unwrap()).lines();
    let link = tokio::time::timeout(Duration::from_secs(60), async {
        loop {
            let line = lines.next_line().await.unwrap().expect("the demo keeps running");
            if let Some((base, fragment)) = line.trim().split_once("/#") {
                return (base.to_owned(), fragment.to_owned());
            }
        }
    });
    let (url, fragment) = link.await.expect("the demo prints a link in time");
    let users: Vec<(&str, &str)> = fragment
        .split('&')
        .map(|user| user.strip_prefix("user=").unwrap().split_once(':').unwrap())
        .collect();
    assert_eq!(users.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["ada", "bob"]);
    let address = url.strip_prefix("http://").unwrap().parse().unwrap();
    for (name, token) in users {
        let mut caller = Caller::new(Http::to(address), token);
        assert_eq!(caller.get("/v1/inbox").await.status, 200, "{name}");
    }
    assert_eq!(
        Caller::new(Http::to(address), "nobody").get("/").await.status,
        200,
        "the page needs no token"
    );
}
