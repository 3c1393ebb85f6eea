use internal_notifications_models::{ChangesAnswer, InboxPage, Position};
use internal_notifications_store::InboxCommand;

use crate::backend::Backend;
use crate::fixture::{Fixture, id, push, user};

async fn page(fixture: &Fixture, limit: usize, before: Option<u64>) -> (Vec<u64>, Option<u64>) {
    let page = fixture.store.page(&user("ada"), limit, before).await.unwrap();
    (page.notifications.iter().map(|row| row.added).collect(), page.next)
}

async fn pages_are_newest_first_and_next_is_none_at_the_end(on: Backend) {
    let fixture = Fixture::new(on).await;
    for name in ["a", "b", "c", "d", "e"] {
        fixture.push(name, &["ada"]).await;
    }
    fixture.write("ada", InboxCommand::Remove(id("b"))).await.unwrap();
    assert_eq!(page(&fixture, 2, None).await, (vec![5, 4], Some(4)));
    assert_eq!(page(&fixture, 2, Some(4)).await, (vec![3, 1], None));
    assert_eq!(page(&fixture, 4, None).await, (vec![5, 4, 3, 1], None));
    assert_eq!(page(&fixture, 1, Some(2)).await, (vec![1], None));
    for before in [0, 1] {
        assert_eq!(page(&fixture, 2, Some(before)).await, (vec![], None));
    }
    for before in [100, i64::MAX as u64, i64::MAX as u64 + 1, u64::MAX] {
        assert_eq!(page(&fixture, 1, Some(before)).await, (vec![5], Some(5)));
    }
    assert_eq!(page(&fixture, usize::MAX, None).await.0.len(), 4);
}

async fn an_inbox_that_never_had_a_change_is_empty(on: Backend) {
    let fixture = Fixture::new(on).await;
    assert_eq!(fixture.store.page(&user("new"), 50, None).await.unwrap(), InboxPage::default());
    assert_eq!(fixture.changes("new", Position::default(), 10).await, (vec![], false));
}

async fn answers_end_early_at_a_mebibyte_but_are_never_empty(on: Backend) {
    let fixture = Fixture::new(on).await;
    for (name, bytes) in [("a", 600_000), ("b", 600_000), ("c", 10), ("d", 2_000_000)] {
        let mut pushed = push(name, &["ada"]);
        pushed.notification.content = "x".repeat(bytes);
        fixture.store.push(pushed).await.unwrap();
    }
    assert_eq!(page(&fixture, 50, None).await, (vec![4], Some(4)));
    assert_eq!(page(&fixture, 50, Some(4)).await, (vec![3, 2], Some(2)));
    assert_eq!(page(&fixture, 50, Some(2)).await, (vec![1], None));
    let mut after = Position::default();
    let mut lengths = Vec::new();
    loop {
        let (changes, more) = fixture.changes("ada", after, 50).await;
        lengths.push(changes.len());
        after = changes.last().unwrap().stamp.position();
        if !more {
            break;
        }
    }
    assert_eq!(lengths, [1, 2, 1]);
    let answer = fixture.store.changes(&user("ada"), Position { seq: 9, tag: None }, 10).await.unwrap();
    let ChangesAnswer::Reset { snapshot, .. } = answer else { panic!() };
    assert_eq!((snapshot.notifications.len(), snapshot.next), (1, Some(4)));
}

on_every_store!(
    pages_are_newest_first_and_next_is_none_at_the_end,
    an_inbox_that_never_had_a_change_is_empty,
    answers_end_early_at_a_mebibyte_but_are_never_empty
);
