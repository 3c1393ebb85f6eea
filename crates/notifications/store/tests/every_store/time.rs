use crate::backend::Backend;
use crate::fixture::{Fixture, at};

async fn the_recorded_time_outlives_a_store(on: Backend) {
    let mut fixture = Fixture::new(on).await;
    assert_eq!(fixture.store.time().await.unwrap().recorded, None);
    for (time, in_doubt) in [(at(30), false), (at(10), true), (at(20), false), (at(25), true)] {
        fixture.store.record_time(time, in_doubt).await.unwrap();
        let recorded = fixture.store.time().await.unwrap();
        assert_eq!((recorded.recorded, recorded.in_doubt), (Some(time), in_doubt));
    }
    fixture.reopen().await;
    let recorded = fixture.store.time().await.unwrap();
    assert_eq!((recorded.recorded, recorded.in_doubt), (Some(at(25)), true));
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
