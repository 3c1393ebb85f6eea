use futures_util::future::join_all;
use serde_json::json;

use crate::measure::{median, seconds};
use crate::setup::{Database, Served};

/// Compares many concurrent backends with a single one. Each waits for its response before it
/// pushes again. Over HTTP, with one connection for each backend.
pub(crate) async fn run(database: &Database, full: bool) {
    let (most, pushes, rounds) = if full { (256, 20_000, 3) } else { (4, 20, 1) };
    let served = database.serve().await;
    let (mut alone, mut together) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        alone.push(rate(&served, 1, pushes / 10, &format!("alone-{round}")).await);
        together.push(rate(&served, most, pushes / most, &format!("together-{round}")).await);
    }
    let ratio = median(together.iter().zip(&alone).map(|(together, alone)| together / alone).collect());
    println!("{}: pushes to one user each, over HTTP", database.name());
    println!("  1 pusher                         {:9.0} pushes/s", median(alone));
    println!("  {most:3} pushers                      {:9.0} pushes/s", median(together));
    println!("  {most} pushers to 1                 {ratio:9.1} ×");
    served.stop().await;
}

async fn rate(served: &Served, pushers: usize, each: usize, name: &str) -> f64 {
    let pusher = |number: usize| async move {
        let mut caller = served.caller();
        for index in 0..each {
            let id = format!("{name}-{number}-{index}");
            let user = format!("user-{number}-{}", index % 10);
            let notification = json!({"id": id, "heading": "Parcel", "content": "A parcel has come"});
            assert!(caller.push(&[&user], &notification).await.unwrap());
        }
    };
    (pushers * each) as f64 / seconds(join_all((0..pushers).map(pusher))).await
}
