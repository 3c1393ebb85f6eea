use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use internal_notifications_models::UserId;
use internal_notifications_server::store::Store;
use serde_json::json;

use crate::measure::{median, seconds};
use crate::setup::{Database, Served, push};

/// Rates of 256 pushers on the databases measured so far, to compare them.
#[derive(Default)]
pub(crate) struct Rates(Vec<(&'static str, f64)>);

/// Compares many concurrent backends with a single one, and with the relay of an outbox. Each
/// backend waits for its response before it pushes again. Over HTTP, with one connection for each
/// backend.
pub(crate) async fn run(database: &Database, rates: &mut Rates, full: bool) {
    let (most, pushes, rounds) = if full { (256, 20_000, 3) } else { (4, 20, 1) };
    let served = database.serve().await;
    let (mut alone, mut together, mut relayed) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..rounds {
        alone.push(rate(&served, 1, pushes / 10, &format!("alone-{round}")).await);
        together.push(rate(&served, most, pushes / most, &format!("together-{round}")).await);
        relayed.push(relay(&served, pushes, round).await);
    }
    served.stop().await;
    let ratio = |of: &[f64], to: &[f64]| median(of.iter().zip(to).map(|(of, to)| of / to).collect());
    println!("{}: pushes to one user each, over HTTP", database.name());
    println!("  1 pusher                         {:9.0} pushes/s", median(alone.clone()));
    println!("  {most:3} pushers                      {:9.0} pushes/s", median(together.clone()));
    println!("  {most} pushers to 1                 {:9.1} ×  (goal: 8)", ratio(&together, &alone));
    println!("  relayed from an outbox           {:9.0} pushes/s", median(relayed.clone()));
    println!("  relay to {most} pushers             {:9.2} ×  (goal: 0.8)", ratio(&relayed, &together));
    let together = median(together);
    for (name, other) in &rates.0 {
        println!("  {most} pushers to those on {name}   {:9.2} ×  (goal: 0.6)", together / other);
    }
    rates.0.push((database.name(), together));
    if matches!(database, Database::Postgres(_)) {
        nodes(database, most, pushes, rounds).await;
    }
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

/// Returns how many intents, committed in one transaction, are relayed per second.
async fn relay(served: &Served, intents: usize, round: usize) -> f64 {
    served
        .execute(&format!(
            r#"INSERT INTO internal_notifications_intents (id, sender, user_ids, body)
             WITH RECURSIVE s (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {intents})
             SELECT 'relayed-{round}-' || n, 'outbox:bench', '["user-' || (n % 2560) || '"]',
                 '{{"heading":"Parcel","content":"A parcel has come"}}' FROM s"#
        ))
        .await;
    let relayed = async {
        let left = "SELECT count(*) FROM (SELECT 1 FROM internal_notifications_intents LIMIT 1) i";
        while served.number(left).await > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    intents as f64 / seconds(relayed).await
}

/// Compares two nodes with one, both with the same number of pushers and without HTTP.
async fn nodes(database: &Database, most: usize, pushes: usize, rounds: usize) {
    let opened = database.open().await;
    let second = opened.another().await;
    let (mut one, mut two) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let (first, other) = (&opened.store, &second);
        one.push(stores_rate([first, first], most, pushes / most, round * 2).await);
        two.push(stores_rate([first, other], most, pushes / most, round * 2 + 1).await);
    }
    let ratio = median(two.iter().zip(&one).map(|(two, one)| two / one).collect());
    println!("{}: {most} pushers, without HTTP", database.name());
    println!("  one node                         {:9.0} pushes/s", median(one));
    println!("  two nodes                        {:9.0} pushes/s", median(two));
    println!("  two nodes to one                 {ratio:9.2} ×  (goal: more than 1)");
    second.close().await;
    opened.close().await;
}

async fn stores_rate(stores: [&Arc<dyn Store>; 2], pushers: usize, each: usize, round: usize) -> f64 {
    let pusher = |number: usize| {
        let store = stores[number % 2].clone();
        tokio::spawn(async move {
            for index in 0..each {
                let user = UserId::new(format!("user-{number}-{}", index % 10)).unwrap();
                let id = (round * pushers + number) * each + index;
                store.push(push(id, vec![user])).await.unwrap();
            }
        })
    };
    let all = async {
        for pushed in join_all((0..pushers).map(pusher)).await {
            pushed.unwrap();
        }
    };
    (pushers * each) as f64 / seconds(all).await
}
