use serde_json::json;

use crate::measure::{median, seconds};
use crate::setup::Database;

/// Compares one push to many users with one push to each of them, one after another, over the HTTP
/// API.
pub(crate) async fn run(database: &Database, full: bool) {
    let (users, rounds) = if full { (10_000, 3) } else { (20, 1) };
    let served = database.serve().await;
    let mut caller = served.caller();
    let (mut wide, mut single) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        let all: Vec<String> = (0..users).map(|index| format!("user-{index}")).collect();
        let all: Vec<&str> = all.iter().map(String::as_str).collect();
        let notification =
            |id: String| json!({"id": id, "heading": "Parcel", "content": "A parcel has come"});
        let pushed = async {
            assert!(caller.push(&all, &notification(format!("wide-{round}"))).await.unwrap());
        };
        wide.push(users as f64 / seconds(pushed).await);
        let pushed = async {
            for (index, user) in all.iter().enumerate() {
                assert!(
                    caller.push(&[user], &notification(format!("single-{round}-{index}"))).await.unwrap()
                );
            }
        };
        single.push(users as f64 / seconds(pushed).await);
    }
    let ratio = median(wide.iter().zip(&single).map(|(wide, single)| wide / single).collect());
    println!("{}: {users} users, over HTTP", database.name());
    println!("  one push to all                  {:9.0} notifications/s", median(wide));
    println!("  a push to each, in turn          {:9.0} notifications/s", median(single));
    println!("  one push to a push to each       {ratio:9.1} ×");
    served.stop().await;
}
