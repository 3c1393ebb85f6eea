use black_box_support::{Caller, Http};
use futures_util::future::join_all;

use crate::measure::{median, seconds};
use crate::setup::{Database, Served, user};

/// Compares concurrent position checks of many clients with requests that need neither credentials
/// nor the database. Over HTTP, with one connection for each client.
pub(crate) async fn run(database: &Database, full: bool) {
    let (clients, requests, rounds) = if full { (256, 40_000, 3) } else { (4, 20, 1) };
    let served = database.serve().await;
    let users: Vec<String> = (0..clients).map(|index| user(index).to_string()).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    assert!(
        served.caller().push(&users, &serde_json::json!({"content": "A parcel has come"})).await.unwrap()
    );
    let (mut heads, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        heads.push(rate(&served, clients, requests / clients, "/v1/inbox/head").await);
        bare.push(rate(&served, clients, requests / clients, "/health/live").await);
    }
    let ratio = median(heads.iter().zip(&bare).map(|(heads, bare)| heads / bare).collect());
    println!("{}: {clients} clients, over HTTP", database.name());
    println!("  position checks                  {:9.0} requests/s", median(heads));
    println!("  /health/live                     {:9.0} requests/s", median(bare));
    println!("  position checks to that          {ratio:9.2} ×");
    served.stop().await;
}

async fn rate(served: &Served, clients: usize, each: usize, path: &str) -> f64 {
    let client = |number: usize| async move {
        let mut caller = Caller::new(Http::to(served.server.local_addr()), &served.token(&user(number)));
        for _ in 0..each {
            assert_eq!(caller.get(path).await.status, 200);
        }
    };
    (clients * each) as f64 / seconds(join_all((0..clients).map(client))).await
}
