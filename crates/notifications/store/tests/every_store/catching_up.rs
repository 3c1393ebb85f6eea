use futures_util::{StreamExt, stream};
use internal_notifications_models::{ChangesAnswer, Position, ResetReason, Tag};

use crate::backend::Backend;
use crate::fixture::{Fixture, push, user};

async fn fixture_with(on: Backend, changes: usize) -> (Fixture, Vec<Position>) {
    let fixture = Fixture::new(on).await;
    for n in 0..changes {
        fixture.push(&format!("n{n}"), &["ada"]).await;
    }
    let mut positions = vec![Position::default()];
    positions.extend(fixture.log("ada").await.iter().map(|change| change.stamp.position()));
    (fixture, positions)
}

async fn pages_of_changes_are_contiguous_and_more_is_exact(on: Backend) {
    let (fixture, positions) = fixture_with(on, 6).await;
    for limit in 1..8 {
        let mut after = Position::default();
        loop {
            let (changes, more) = fixture.changes("ada", after, limit).await;
            assert!(changes.len() == limit || !more);
            for change in changes {
                assert!(change.stamp.follows(after));
                after = change.stamp.position();
            }
            assert_eq!(more, after != positions[6]);
            if !more {
                break;
            }
        }
    }
    assert_eq!(fixture.changes("ada", positions[6], 10).await, (vec![], false));
}

async fn a_position_of_another_history_has_diverged(on: Backend) {
    let (fixture, positions) = fixture_with(on, 3).await;
    let tag = positions[2].tag;
    let other = Some(Tag::from_bits(7));
    for (seq, tag) in [(0, tag), (1, tag), (1, None), (3, other), (3, None), (4, tag), (u64::MAX, tag)] {
        assert_eq!(fixture.reset("ada", Position { seq, tag }).await, Some(ResetReason::Diverged), "{seq}");
    }
    assert_eq!(fixture.reset("ada", positions[2]).await, None);
    for after in [positions[1], Position { seq: 0, tag }, Position { seq: u64::MAX, tag: None }] {
        assert_eq!(fixture.reset("new", after).await, Some(ResetReason::Diverged));
    }
}

async fn a_position_is_trimmed_below_the_floor_but_not_at_it(on: Backend) {
    let (fixture, positions) = fixture_with(on, 5).await;
    assert_eq!(fixture.cut_logs(2).await.trimmed, 3);
    for after in [positions[0], positions[1], positions[2]] {
        assert_eq!(fixture.reset("ada", after).await, Some(ResetReason::Trimmed));
    }
    let (changes, more) = fixture.changes("ada", positions[3], 10).await;
    assert_eq!((changes.len(), more), (2, false));
    let other = Position { tag: Some(Tag::from_bits(7)), ..positions[3] };
    assert_eq!(fixture.reset("ada", other).await, Some(ResetReason::Diverged));
    assert_eq!(fixture.cut_logs(0).await.trimmed, 2);
    assert_eq!(fixture.changes("ada", positions[5], 10).await, (vec![], false));
    assert_eq!(fixture.reset("ada", positions[4]).await, Some(ResetReason::Trimmed));
}

async fn a_reset_returns_the_newest_two_hundred_notifications(on: Backend) {
    let fixture = Fixture::new(on).await;
    let pushes = (0..201).map(|n| fixture.store.push(push(&format!("n{n}"), &["ada"])));
    // Limits concurrency, since calls that wait too long for the inbox fail.
    let mut pushed = stream::iter(pushes).buffer_unordered(8);
    while let Some(pushed) = pushed.next().await {
        pushed.unwrap();
    }
    let after = Position { seq: 1_000, tag: Some(Tag::from_bits(7)) };
    let answer = fixture.store.changes(&user("ada"), after, 10).await.unwrap();
    let ChangesAnswer::Reset { reason: ResetReason::Diverged, snapshot, .. } = answer else { panic!() };
    assert_eq!(snapshot, fixture.store.page(&user("ada"), 200, None).await.unwrap());
    assert_eq!((snapshot.notifications.len(), snapshot.next), (200, Some(2)));
}

on_every_store!(
    pages_of_changes_are_contiguous_and_more_is_exact,
    a_position_of_another_history_has_diverged,
    a_position_is_trimmed_below_the_floor_but_not_at_it,
    a_reset_returns_the_newest_two_hundred_notifications
);
