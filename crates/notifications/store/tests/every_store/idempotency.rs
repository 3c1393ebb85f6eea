use internal_notifications_models::{PushRequest, Receipt};
use internal_notifications_store::{IdempotencyKey, Push, StoreError, StoreErrorKind};
use serde_json::json;

use crate::backend::Backend;
use crate::bench::{Bench, at, id, keep, push};

const DAY: i64 = 24 * 60 * 60;

/// A push whose request named no id: the server made this one.
fn keyed(key: &str, made: &str, users: &[&str]) -> Push {
    let request: PushRequest =
        serde_json::from_value(json!({"user_ids": users, "notification": {"content": "c"}})).unwrap();
    let mut push = push(made, users);
    push.notification = request.notification.clone();
    push.idempotency_key = Some(IdempotencyKey::new(key, &request).unwrap());
    push
}

fn kind(answer: Result<Receipt, StoreError>) -> Result<(String, u64), StoreErrorKind> {
    answer.map(|receipt| (receipt.id.to_string(), receipt.accepted)).map_err(|error| error.kind())
}

async fn a_repeat_gets_the_first_answer_and_does_nothing(on: Backend) {
    let mut bench = Bench::new(on).await;
    let first = bench.store.push(keyed("k", "made-1", &["ada", "bob"])).await.unwrap();
    assert_eq!(first.accepted, 2);
    for made in ["made-1", "made-2"] {
        assert_eq!(bench.store.push(keyed("k", made, &["ada", "bob"])).await.unwrap(), first);
        bench.reopen().await;
    }
    assert_eq!(bench.ids("ada").await, ["made-1"]);
    assert_eq!(bench.store.retract(&id("made-2"), at(1)).await.unwrap_err().kind(), StoreErrorKind::NotFound);
}

async fn the_answer_is_that_of_the_time_however_things_are_now(on: Backend) {
    let bench = Bench::new(on).await;
    let later = |made: &str| {
        let mut push = keyed("k", made, &["ada"]);
        push.notification.send_after = Some(at(10));
        bench.store.push(push)
    };
    let first = later("n").await.unwrap();
    assert_eq!(first.scheduled, 1);
    bench.advance(at(10), 10).await;
    assert_eq!(later("n").await.unwrap(), first);
    bench.store.retract(&id("n"), at(11)).await.unwrap();
    assert_eq!(later("other").await.unwrap(), first);
}

async fn another_request_with_the_key_is_refused(on: Backend) {
    let bench = Bench::new(on).await;
    bench.store.push(keyed("k", "n", &["ada"])).await.unwrap();
    let other = bench.store.push(keyed("k", "other", &["bob"])).await;
    assert_eq!(kind(other), Err(StoreErrorKind::KeyReused));
    assert!(bench.log("bob").await.is_empty());
    assert_eq!(
        bench.store.push(keyed("k", "again", &["ada"])).await.unwrap().id,
        id("n"),
        "the first stands"
    );
}

async fn a_key_belongs_to_its_caller(on: Backend) {
    let bench = Bench::new(on).await;
    bench.store.push(keyed("k", "n", &["ada"])).await.unwrap();
    let mut other = keyed("k", "m", &["bob"]);
    other.sender = "key:other".to_owned();
    assert_eq!(kind(bench.store.push(other).await), Ok(("m".to_owned(), 1)));
    assert_eq!(kind(bench.store.push(keyed("j", "o", &["ada"])).await), Ok(("o".to_owned(), 1)));
}

async fn a_refused_push_does_not_use_its_key_up(on: Backend) {
    let bench = Bench::new(on).await;
    bench.push("taken", &["ada"]).await;
    assert_eq!(kind(bench.store.push(keyed("k", "taken", &["bob"])).await), Err(StoreErrorKind::IdTaken));
    let mut expired = keyed("k", "n", &["bob", "eve"]);
    expired.notification.expires_at = Some(at(0));
    assert_eq!(kind(bench.store.push(expired).await), Err(StoreErrorKind::Expired));
    assert_eq!(kind(bench.store.push(keyed("k", "m", &["eve"])).await), Ok(("m".to_owned(), 1)));
}

async fn a_key_is_remembered_for_its_time(on: Backend) {
    let bench = Bench::new(on).await;
    bench.store.push(keyed("k", "n", &["ada"])).await.unwrap();
    bench.sweep(at(7 * DAY - 1), keep(|_| {}), 10).await;
    assert_eq!(kind(bench.store.push(keyed("k", "m", &["ada"])).await), Ok(("n".to_owned(), 1)));
    bench.sweep(at(7 * DAY), keep(|_| {}), 10).await;
    assert_eq!(kind(bench.store.push(keyed("k", "m", &["ada"])).await), Ok(("m".to_owned(), 1)));
}

on_every_store!(
    a_repeat_gets_the_first_answer_and_does_nothing,
    the_answer_is_that_of_the_time_however_things_are_now,
    another_request_with_the_key_is_refused,
    a_key_belongs_to_its_caller,
    a_refused_push_does_not_use_its_key_up,
    a_key_is_remembered_for_its_time,
);
