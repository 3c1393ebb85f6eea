use futures_util::{StreamExt, stream};
use internal_notifications_models::{MAX_IDS, NotificationId, Timestamp, UserId};
use internal_notifications_server::store::{InboxCommand, Write};

use crate::measure::{median, seconds};
use crate::setup::{Database, Opened, push, user};

/// Compares opening everything in one write with opening it by id, [`MAX_IDS`] ids in each write.
pub(crate) async fn run(database: &Database, full: bool) {
    let (rows, rounds) = if full { (21_000, 5) } else { (1_000, 1) };
    let opened = database.open().await;
    let reader = user(0);
    let empty = opened.bytes().await;
    stream::iter((0..rows).map(|index| opened.store.push(push(index, vec![reader.clone()]))))
        .buffer_unordered(256)
        .for_each(async |pushed| drop(pushed.unwrap()))
        .await;
    let bytes = (opened.bytes().await - empty) / rows as f64;
    let ids: Vec<NotificationId> =
        (0..rows).map(|index| NotificationId::new(format!("n-{index}")).unwrap()).collect();
    let (mut at_once, mut by_ids) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        at_once.push(
            seconds(write(&opened, &reader, InboxCommand::OpenedAll { through: None, tag: None })).await,
        );
        assert_eq!(opened.store.head(&reader).await.unwrap().pending, 0);
        unopen(&opened, &reader, &ids).await;
        by_ids.push(
            seconds(async {
                for ids in ids.chunks(MAX_IDS) {
                    write(&opened, &reader, InboxCommand::Opened(ids.to_vec())).await;
                }
            })
            .await,
        );
        unopen(&opened, &reader, &ids).await;
    }
    let (at_once, by_ids) = (median(at_once), median(by_ids));
    println!("{}: {rows} pending notifications opened", database.name());
    println!("  all at once, one write           {:9.1} ms", at_once * 1e3);
    println!("  by their ids, {MAX_IDS} a write        {:9.1} ms", by_ids * 1e3);
    println!("  all at once to by ids            {:9.3} ×", at_once / by_ids);
    println!("  on the disk, each its own body   {bytes:9.0} bytes each");
    opened.close().await;
}

async fn unopen(opened: &Opened, reader: &UserId, ids: &[NotificationId]) {
    for ids in ids.chunks(MAX_IDS) {
        write(opened, reader, InboxCommand::Unopened(ids.to_vec())).await;
    }
    assert_eq!(opened.store.head(reader).await.unwrap().pending as usize, ids.len());
}

async fn write(opened: &Opened, reader: &UserId, command: InboxCommand) {
    opened.store.write(reader, Write::new(command, Timestamp::now())).await.unwrap();
}
