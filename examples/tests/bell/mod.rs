//! The app's tests, wherever they take place.

mod world;

use std::time::Duration;

use examples::bell::Bell;
use internal_notifications::{InternalNotificationsService, InternalNotificationsServiceExt};

use crate::world;
pub(crate) use world::World;

#[tokio::test]
async fn a_greeting_rings_the_friends_bell() {
    let world = world().await;
    let (ada, bob) = (open(&world, "ada").await, open(&world, "bob").await);

    ada.greet("bob".parse().unwrap()).await.unwrap();
    looks(&bob, "🔔 1").await;
    ada.greet("bob".parse().unwrap()).await.unwrap();
    looks(&bob, "🔔 2").await;
    assert_eq!(ada.face(), "🔔");
}

#[tokio::test]
async fn a_greeting_waits_for_a_friend_who_is_not_there() {
    let world = world().await;
    open(&world, "ada").await.greet("bob".parse().unwrap()).await.unwrap();
    assert_eq!(open(&world, "bob").await.face(), "🔔 1");
}

#[tokio::test]
async fn an_answer_silences_the_bell_on_every_device() {
    let world = world().await;
    let (ada, phone, laptop) =
        (open(&world, "ada").await, open(&world, "bob").await, open(&world, "bob").await);
    ada.greet("bob".parse().unwrap()).await.unwrap();
    looks(&phone, "🔔 1").await;
    looks(&laptop, "🔔 1").await;

    phone.answer().await.unwrap();
    assert_eq!(phone.face(), "🔔");
    looks(&laptop, "🔔").await;
}

/// The app on a device of this user.
pub(crate) async fn open(world: &impl World, user: &str) -> Bell {
    let inbox = world.inbox(user);
    inbox.init().await.unwrap();
    Bell(inbox)
}

/// Waits until the bell looks so: with a mock it does already.
pub(crate) async fn looks(bell: &Bell, face: &str) {
    let looks = bell.0.wait_for(|_| bell.face() == face);
    let waited = tokio::time::timeout(Duration::from_secs(10), looks).await;
    assert!(matches!(waited, Ok(Some(_))), "{} is not {face}", bell.face());
}
