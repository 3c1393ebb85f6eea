use crate::backend::Backend;
use crate::fixture::{Fixture, at};

async fn the_recorded_time_outlives_a_store(on: Backend) {
    let mut fixture = Fixture::new(on).await;
    assert_eq!(fixture.store.time().await.unwrap().recorded, None);
    for time in [at(30), at(10)] {
        fixture.store.record_time(time).await.unwrap();
        assert_eq!(fixture.store.time().await.unwrap().recorded, Some(time));
    }
    fixture.reopen().await;
    assert_eq!(fixture.store.time().await.unwrap().recorded, Some(at(10)));
}

async fn only_a_shared_store_has_a_time_of_its_own(on: Backend) {
    let fixture = Fixture::new(on).await;
    let Some(now) = fixture.store.time().await.unwrap().now else {
        assert!(!fixture.store.is_shared());
        return;
    };
    assert!(fixture.store.is_shared());
    let again = fixture.another().await.time().await.unwrap().now.unwrap();
    assert!(now <= again && again.duration_since(now).as_secs() < 60, "{now} {again}");
}

on_every_store!(the_recorded_time_outlives_a_store, only_a_shared_store_has_a_time_of_its_own);
