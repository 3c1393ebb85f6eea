use pusher_client::{ErrorKind, UserEvent};

use crate::engine::RunningEngine;
use crate::known_differences::WATCHLIST;
use crate::next_event::{next, signed_in};

#[tokio::test]
async fn a_user_receives_events_on_every_connection() {
    let engine = RunningEngine::start().await;
    let mut first = signed_in(&engine.client("ada")).await;
    let mut second = signed_in(&engine.client("ada")).await;
    let mut other = signed_in(&engine.client("carol")).await;
    engine.api.send_to_user("ada", "news", "1").await.unwrap();
    engine.api.send_to_user("carol", "news", "2").await.unwrap();
    for (user, expected) in [(&mut first, "1"), (&mut second, "1"), (&mut other, "2")] {
        let seen = loop {
            match next(user).await {
                UserEvent::Event(event) => break event.data().to_owned(),
                UserEvent::Online(_) | UserEvent::Offline(_) => {}
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(seen, expected);
    }
}

#[tokio::test]
async fn watched_users_come_online_and_go_offline() {
    let engine = RunningEngine::start().await;
    let mut ada = signed_in(&engine.client("ada")).await;
    let bob = signed_in(&engine.client("bob")).await;
    engine.api.send_to_user("ada", "news", "bob has come").await.unwrap();
    let mut is_reported = false;
    loop {
        match next(&mut ada).await {
            UserEvent::Online(ids) => is_reported = ids == ["bob"],
            UserEvent::Offline(_) => {}
            UserEvent::Event(_) => break,
            other => panic!("{other:?}"),
        }
    }
    let seen =
        if is_reported { "reported in pusher_internal:watchlist_events" } else { "not reported there" };
    WATCHLIST.check(engine.kind, seen);
    if is_reported {
        let mut late = engine.client("ada").sign_in().await.unwrap();
        while next(&mut late).await != UserEvent::Online(vec!["bob".to_owned()]) {}
        drop(bob);
        while next(&mut ada).await != UserEvent::Offline(vec!["bob".to_owned()]) {}
    }
}

#[tokio::test]
async fn a_users_connections_are_terminated() {
    let engine = RunningEngine::start().await;
    let mut ada = signed_in(&engine.client("ada")).await;
    let mut carol = signed_in(&engine.client("carol")).await;
    engine.api.terminate_user_connections("ada").await.unwrap();
    loop {
        match next(&mut ada).await {
            UserEvent::Online(_) | UserEvent::Offline(_) => {}
            other => break assert_eq!(other, UserEvent::Interrupted),
        }
    }
    let UserEvent::Refused(error) = next(&mut ada).await else { panic!() };
    assert_eq!((error.kind(), error.code()), (ErrorKind::Refused, Some(4009)));
    engine.api.send_to_user("carol", "news", "x").await.unwrap();
    while !matches!(next(&mut carol).await, UserEvent::Event(_)) {}
}
