//! Pushes that wait together and share a transaction.

use futures_util::FutureExt;
use futures_util::future::join_all;
use internal_notifications_models::Receipt;
use internal_notifications_store::{IdempotencyKey, Push, Store, StoreError, StoreErrorKind};

use crate::fixture::{Fixture, Schema, at, log, push, user};

/// Each row knows the transaction that inserted it.
const TRANSACTIONS: &str = "SELECT count(DISTINCT xmin::text) FROM notifications";

fn accepted(answers: Vec<Result<Receipt, StoreError>>) -> Vec<Option<u64>> {
    answers.into_iter().map(|answer| answer.ok().map(|receipt| receipt.accepted)).collect()
}

#[tokio::test]
async fn pushes_that_wait_together_share_a_transaction() {
    let Some(fixture) = Fixture::new().await else { return };
    let pushes = (0..200).map(|n| fixture.store.push(push(&format!("n{n}"), &["ada", &format!("u{n}")])));
    assert_eq!(accepted(join_all(pushes).await), [Some(2); 200]);
    // The test has one thread, so nearly all pushes wait before the first transaction begins.
    assert!(fixture.schema.number(TRANSACTIONS).await < 10);
    let log = log(&fixture.store, "ada").await;
    assert!(log.windows(2).all(|pair| pair[1].stamp.follows(pair[0].stamp.position())));
    assert_eq!((log.len(), fixture.store.retries()), (200, 0));
}

#[tokio::test]
async fn pushes_in_one_call_share_a_transaction() {
    let Some(fixture) = Fixture::new().await else { return };
    let pushes = (0..200).map(|n| push(&format!("n{n}"), &["ada"])).collect();
    assert_eq!(accepted(fixture.store.push_all(pushes).await), [Some(1); 200]);
    assert_eq!(fixture.schema.number(TRANSACTIONS).await, 1);
}

#[tokio::test]
async fn a_shared_transaction_has_a_bounded_number_of_rows() {
    let Some(fixture) = Fixture::new().await else { return };
    let users: Vec<String> = (0..400).map(|n| format!("u{n}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let pushes = (0..25).map(|n| push(&format!("n{n}"), &users));
    assert_eq!(accepted(fixture.store.push_all(pushes.collect()).await), [Some(400); 25]);
    let transactions = "SELECT count(*) FROM deliveries GROUP BY xmin::text ORDER BY 1 DESC LIMIT 1";
    assert_eq!(fixture.schema.number(transactions).await, 12 * 400);
}

#[tokio::test]
async fn a_push_that_the_database_rejects_fails_alone() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.schema.sql("ALTER TABLE notifications ADD CHECK (id NOT IN ('n7', 'n12'))").await;
    let pushes = || (0..20).map(|n| push(&format!("n{n}"), &["ada"]));
    let (mut expected, mut again) = ([Some(1); 20], [Some(0); 20]);
    for rejected in [7, 12] {
        (expected[rejected], again[rejected]) = (None, None);
    }
    assert_eq!(accepted(join_all(pushes().map(|push| fixture.store.push(push))).await), expected);
    assert_eq!(accepted(fixture.store.push_all(pushes().collect()).await), again);
    let error = fixture.store.push(push("n7", &["ada"])).await.unwrap_err();
    assert_eq!((error.kind(), error.is_outage()), (StoreErrorKind::Unavailable, false));
    assert_eq!(fixture.store.head(&user("ada")).await.unwrap().pending, 18);
}

#[tokio::test]
async fn pushes_in_one_call_are_stored_in_order_beside_one_that_is_rejected() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.schema.sql("ALTER TABLE notifications ADD CHECK (id <> 'n3')").await;
    fixture.store.push_all((0..10).map(|n| push(&format!("n{n}"), &["ada"])).collect()).await;
    let page = fixture.store.page(&user("ada"), 20, None).await.unwrap();
    let ids: Vec<_> = page.notifications.iter().rev().map(|row| row.id.as_str()).collect();
    assert_eq!(ids, ["n0", "n1", "n2", "n4", "n5", "n6", "n7", "n8", "n9"]);
}

fn keyed(mut push: Push, key: &str, request: &str) -> Push {
    let json = format!(r#"{{"user_ids":["ada"],"notification":{{"content":"{request}"}}}}"#);
    push.idempotency_key = IdempotencyKey::new(key, &serde_json::from_str(&json).unwrap());
    push
}

#[tokio::test]
async fn rejected_pushes_leave_nothing_in_a_shared_transaction() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.push("taken", &["ada"]).await;
    let mut taken = push("taken", &["bob"]);
    taken.sender = "key:other".to_owned();
    let mut expired = push("expired", &["cyd"]);
    expired.notification.expires_at = Some(at(-1));
    let pushes = [
        keyed(push("first", &["ada"]), "k", "one"),
        keyed(push("same", &["dan"]), "k", "one"),
        keyed(push("reused", &["eve"]), "k", "two"),
        keyed(taken, "j", "one"),
        expired,
        push("last", &["fay"]),
    ];
    let answers = join_all(pushes.map(|push| fixture.store.push(push))).await;
    let answers: Vec<_> = answers
        .into_iter()
        .map(|answer| answer.map(|receipt| receipt.id.to_string()).map_err(|error| error.kind()))
        .collect();
    let ok = |id: &str| Ok(id.to_owned());
    use StoreErrorKind::{Expired, IdTaken, KeyReused};
    assert_eq!(answers, [ok("first"), ok("first"), Err(KeyReused), Err(IdTaken), Err(Expired), ok("last")]);
    let transactions = "SELECT count(DISTINCT xmin::text) FROM notifications WHERE id <> 'taken'";
    for (expected, sql) in [
        (1, transactions),
        (3, "SELECT count(*) FROM notifications"),
        (2, "SELECT count(*) FROM inboxes"),
        (1, "SELECT count(*) FROM idempotency"),
    ] {
        assert_eq!(fixture.schema.number(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn a_push_whose_caller_is_gone_is_stored_and_so_are_those_beside_it() {
    let Some(schema) = Schema::new() else { return };
    let store = schema.open(schema.options()).await;
    assert!(store.push(push("a", &["ada"])).now_or_never().is_none());
    assert_eq!(store.push(push("b", &["ada"])).await.unwrap().accepted, 1);
    store.close().await;
    assert_eq!(schema.number("SELECT count(*) FROM deliveries").await, 2);
}
