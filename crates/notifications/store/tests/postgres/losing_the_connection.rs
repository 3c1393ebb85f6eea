use internal_notifications_store::postgres::{PostgresOptions, PostgresStore};
use internal_notifications_store::{Store, StoreErrorKind};

use crate::fixture::{Fixture, push, user};

#[tokio::test]
async fn calls_succeed_after_every_connection_was_cut() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.push("n0", &["ada"]).await;
    for round in 1..=10 {
        let condition = format!("application_name = '{}'", fixture.schema.name);
        let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {condition}");
        let pushing = fixture.store.push(push(&format!("n{round}"), &["ada", "bob"]));
        let (pushed, ()) = tokio::join!(pushing, fixture.schema.sql(&cut));
        // A push that was cut during its commit may be stored or not; the caller repeats it.
        if let Err(error) = pushed {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            fixture.push(&format!("n{round}"), &["ada", "bob"]).await;
        }
        assert_eq!(fixture.store.head(&user("ada")).await.unwrap().pending, round + 1);
    }
}

#[tokio::test]
async fn the_error_for_an_unreachable_database_does_not_show_its_password() {
    let url = "postgres://ada:sesame@127.0.0.1:1/inbox".parse().unwrap();
    let error = PostgresStore::open(&url, PostgresOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    assert!(!format!("{error} {error:?}").contains("sesame"), "{error}");
}
