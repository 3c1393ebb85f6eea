use internal_notifications_models::{PushRequest, Receipt};
use internal_notifications_store::{IdempotencyKey, Push, StoreError, StoreErrorKind};
use serde_json::json;

use crate::backend::Backend;
use crate::fixture::{Fixture, at, id, push, user};

fn counts(answer: Result<Receipt, StoreError>) -> Result<(u64, u64), StoreErrorKind> {
    answer.map(|receipt| (receipt.accepted, receipt.duplicates)).map_err(|error| error.kind())
}

fn ids(answer: Result<Receipt, StoreError>) -> Result<String, StoreErrorKind> {
    answer.map(|receipt| receipt.id.to_string()).map_err(|error| error.kind())
}

/// Returns a push of a request with an idempotency key.
fn keyed(key: &str, name: &str, users: &[&str]) -> Push {
    let request: PushRequest =
        serde_json::from_value(json!({"user_ids": users, "notification": {"content": "c"}})).unwrap();
    let mut push = push(name, users);
    push.notification = request.notification.clone();
    push.with_idempotency_key(IdempotencyKey::new(key, &request))
}

async fn pushes_in_one_call_are_executed_in_order(on: Backend) {
    let fixture = Fixture::new(on).await;
    let mut taken = push("a", &["ada", "eve"]);
    taken.sender = "key:other".to_owned();
    let pushes = vec![
        push("a", &["ada"]),
        push("b", &["bob", "ada"]),
        taken,
        push("a", &["ada", "bob"]),
        push("c", &["ada"]),
    ];
    let answers: Vec<_> = fixture.store.push_all(pushes).await.into_iter().map(counts).collect();
    assert_eq!(answers, [Ok((1, 0)), Ok((2, 0)), Err(StoreErrorKind::IdTaken), Ok((1, 1)), Ok((1, 0))]);
    assert_eq!(fixture.ids("ada").await, ["c", "b", "a"]);
    assert_eq!(fixture.ids("bob").await, ["a", "b"]);
    assert!(fixture.log("eve").await.is_empty());
    let log = fixture.log("ada").await;
    assert!(log.windows(2).all(|pair| pair[1].stamp.follows(pair[0].stamp.position())));
}

async fn a_key_used_twice_in_one_call_gets_the_first_answer(on: Backend) {
    let fixture = Fixture::new(on).await;
    fixture.push("taken", &["ada"]).await;
    let pushes = vec![
        keyed("k", "m", &["ada"]),
        keyed("k", "n", &["ada"]),
        keyed("k", "o", &["bob"]),
        keyed("j", "taken", &["bob"]),
        keyed("j", "p", &["bob"]),
    ];
    let answers: Vec<_> = fixture.store.push_all(pushes).await.into_iter().map(ids).collect();
    let (first, last) = (Ok("m".to_owned()), Ok("p".to_owned()));
    use StoreErrorKind::{IdTaken, KeyReused};
    assert_eq!(answers, [first.clone(), first.clone(), Err(KeyReused), Err(IdTaken), last]);
    assert_eq!(
        (fixture.ids("ada").await, fixture.ids("bob").await),
        (vec!["m".into(), "taken".into()], vec!["p".into()])
    );
    assert_eq!(ids(fixture.store.push(keyed("k", "q", &["ada"])).await), first);
    for unused in ["n", "o"] {
        let error = fixture.store.retract(&id(unused), at(1)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::NotFound, "{unused}");
    }
}

async fn a_push_that_repeats_a_key_does_not_lend_its_body_to_a_later_one(on: Backend) {
    let fixture = Fixture::new(on).await;
    let mut later = push("x", &["bob"]);
    later.sender = "key:other".to_owned();
    later.notification.content = "other".to_owned();
    let pushes =
        vec![keyed("k", "a", &["ada"]), keyed("k", "x", &["bob"]), later.clone(), push("z", &["bob"])];
    let answers: Vec<_> = fixture.store.push_all(pushes).await.into_iter().map(ids).collect();
    let ok = |id: &str| Ok(id.to_owned());
    assert_eq!(answers, [ok("a"), Err(StoreErrorKind::KeyReused), ok("x"), ok("z")]);
    let stored = fixture.store.notification(&user("bob"), &id("x")).await.unwrap().unwrap();
    assert_eq!(stored.content, "other");
    assert_eq!(counts(fixture.store.push(later).await), Ok((0, 1)));
    assert_eq!(counts(fixture.store.push(push("x", &["eve"])).await), Err(StoreErrorKind::IdTaken));
}

async fn an_expired_push_does_not_take_its_id_from_a_later_one(on: Backend) {
    let fixture = Fixture::new(on).await;
    let mut expired = push("n", &["ada"]);
    expired.notification.expires_at = Some(at(0));
    let mut scheduled = push("m", &["ada", "bob"]);
    scheduled.notification.send_after = Some(at(10));
    let pushes = vec![expired.clone(), push("n", &["ada"]), expired, scheduled.clone(), scheduled];
    let answers: Vec<_> = fixture.store.push_all(pushes).await.into_iter().map(counts).collect();
    use StoreErrorKind::{Expired, IdTaken};
    assert_eq!(answers, [Err(Expired), Ok((1, 0)), Err(IdTaken), Ok((0, 0)), Ok((0, 2))]);
    fixture.advance(at(10), 10).await;
    assert_eq!(fixture.ids("ada").await, ["m", "n"]);
}

async fn one_call_may_have_any_number_of_pushes(on: Backend) {
    let fixture = Fixture::new(on).await;
    assert!(fixture.store.push_all(Vec::new()).await.is_empty());
    let users: Vec<_> = (0..30).map(|n| format!("u{n}")).collect();
    let users: Vec<_> = users.iter().map(String::as_str).collect();
    let pushes = (0..600).map(|n| push(&format!("n{n}"), &users[..1 + n % 30])).collect();
    let answers: Vec<_> = fixture.store.push_all(pushes).await.into_iter().map(counts).collect();
    assert_eq!(answers, (0..600).map(|n| Ok((1 + n % 30, 0))).collect::<Vec<_>>());
    let newest: Vec<_> = (400..600).rev().map(|n| format!("n{n}")).collect();
    assert_eq!((fixture.ids("u0").await, fixture.pending("u29").await), (newest, 20));
}

on_every_store!(
    pushes_in_one_call_are_executed_in_order,
    a_key_used_twice_in_one_call_gets_the_first_answer,
    a_push_that_repeats_a_key_does_not_lend_its_body_to_a_later_one,
    an_expired_push_does_not_take_its_id_from_a_later_one,
    one_call_may_have_any_number_of_pushes,
);
