use futures_util::{StreamExt, stream};
use internal_notifications_models::UserId;

use crate::measure::Times;
use crate::setup::{Database, user};

/// The number of inboxes, and how many of them share one notification.
const USERS: usize = 1_000;
const SHARED: usize = 10;

/// Measures reads of one inbox's head and of its newest 50 notifications in a database of 1,000,000
/// notifications, compared with a bare query of one row by its key on one connection to the same
/// database.
pub(crate) async fn run(database: &Database, full: bool) {
    let (rows, calls) = if full { (1_000_000, 20_000) } else { (1_000, 10) };
    let opened = database.open().await;
    let empty = opened.bytes().await;
    let pushes = (0..rows / SHARED).map(|index| {
        let users: Vec<UserId> = (0..SHARED).map(|place| user((index * SHARED + place) % USERS)).collect();
        opened.store.push(crate::setup::push(index, users))
    });
    stream::iter(pushes).buffer_unordered(256).for_each(async |pushed| drop(pushed.unwrap())).await;
    let users: Vec<UserId> = (0..USERS).map(user).collect();

    let bytes = (opened.bytes().await - empty) / rows as f64;
    let bare = opened.bare_reads(calls, USERS).await;
    let head = Times::of(calls, |index| opened.store.head(&users[index * 7 % USERS])).await;
    let page = Times::of(calls / 10, |index| opened.store.page(&users[index * 7 % USERS], 50, None)).await;

    let heads = opened.store.head(&users[7]).await.unwrap();
    assert_eq!(heads.pending as usize, rows / USERS, "every notification must be pending");
    println!("{}: {rows} notifications in {USERS} inboxes", database.name());
    println!(
        "  one row by its key, bare sqlx    p50 {:7.1} µs   p99 {:7.1} µs",
        bare.percentile(50),
        bare.percentile(99)
    );
    println!(
        "  head and pending count           p50 {:7.1} µs   p99 {:7.1} µs",
        head.percentile(50),
        head.percentile(99)
    );
    println!(
        "  the newest 50                    p50 {:7.1} µs   p99 {:7.1} µs",
        page.percentile(50),
        page.percentile(99)
    );
    println!(
        "  head to the bare query           p50 {:7.2} ×    p99 {:7.2} ×",
        head.percentile(50) / bare.percentile(50),
        head.percentile(99) / bare.percentile(99)
    );
    println!("  on the disk, {SHARED} sharing one body  {bytes:7.0} bytes each");
    opened.close().await;
}
