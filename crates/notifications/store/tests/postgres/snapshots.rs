use std::sync::Arc;

use internal_notifications_models::{ChangesAnswer, InboxPage, Position, Tag};
use internal_notifications_store::Store;

use crate::fixture::{Schema, push, user};

/// Checks that a page agrees with its head.
///
/// No notification was opened, so all are pending, and the newest change added the newest one.
fn assert_consistent(page: &InboxPage) {
    let newest = page.notifications.first().map_or(0, |notification| notification.added);
    let head = page.head;
    assert_eq!((head.position.seq, head.pending), (newest, page.notifications.len() as u64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_and_its_head_show_the_same_state() {
    let Some(schema) = Schema::new() else { return };
    let store = Arc::new(schema.open(schema.options()).await);
    let cloned = store.clone();
    let pushing = tokio::spawn(async move {
        for number in 0..150 {
            cloned.push(push(&format!("n{number}"), &["ada"])).await.unwrap();
        }
    });
    let of_another_history = Position { seq: 1, tag: Some(Tag::from_bits(7)) };
    let mut resets = 0;
    while !pushing.is_finished() {
        assert_consistent(&store.page(&user("ada"), 200, None).await.unwrap());
        let answer = store.changes(&user("ada"), of_another_history, 500).await.unwrap();
        if let ChangesAnswer::Reset { snapshot, .. } = answer {
            assert_consistent(&snapshot);
            resets += 1;
        }
    }
    pushing.await.unwrap();
    assert!(resets > 0);
}
