use futures_util::future::join_all;
use internal_notifications_store::{Store, StoreErrorKind};

use crate::fixture::{Fixture, Schema, user};

#[tokio::test]
async fn a_newer_schema_is_rejected() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.push("n", &["ada"]).await;
    fixture.store.close().await;
    fixture
        .schema
        .sql("INSERT INTO _sqlx_migrations VALUES (999, 'from the future', now(), true, '\\x00', 0)")
        .await;
    let error = fixture.schema.try_open(fixture.schema.options()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unusable);
    assert!(error.to_string().contains("newer"), "{error}");
}

#[tokio::test]
async fn servers_that_start_at_the_same_time_create_one_schema() {
    let Some(schema) = Schema::new() else { return };
    let stores = join_all((0..6).map(|_| schema.open(schema.options()))).await;
    for store in stores {
        store.ready().await.unwrap();
    }
}

#[tokio::test]
async fn data_outlives_the_store_and_a_closed_store_returns_errors() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.push("n", &["ada"]).await;
    fixture.store.close().await;
    assert_eq!(fixture.store.head(&user("ada")).await.unwrap_err().kind(), StoreErrorKind::Unavailable);
    let again = fixture.schema.open(fixture.schema.options()).await;
    assert_eq!(again.head(&user("ada")).await.unwrap().pending, 1);
}

#[tokio::test]
async fn a_store_opens_no_more_connections_than_configured() {
    let Some(schema) = Schema::new() else { return };
    let store = schema.open(schema.options().with_connections(3)).await;
    join_all((0..50).map(|number| {
        let store = &store;
        async move { store.head(&user(&format!("u{number}"))).await.unwrap() }
    }))
    .await;
    let sql = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}'", schema.name);
    let connections = schema.number(&sql).await;
    assert!((1..=3).contains(&connections), "{connections}");
}
