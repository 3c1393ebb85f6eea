//! The app's tests, for any environment.

mod environment;

use std::time::Duration;

use examples::bell::Bell;

use crate::environment;
pub(crate) use environment::Environment;

#[tokio::test]
async fn a_greeting_rings_the_friends_bell() {
    let environment = environment().await;
    let (ada, bob) = (start(&environment, "ada").await, start(&environment, "bob").await);

    ada.greet("bob").await.unwrap();
    wait_for_face(&bob, "🔔 1").await;
    ada.greet("bob").await.unwrap();
    wait_for_face(&bob, "🔔 2").await;
    assert_eq!(ada.face(), "🔔");
}

#[tokio::test]
async fn a_greeting_waits_for_a_friend_who_is_not_online() {
    let environment = environment().await;
    start(&environment, "ada").await.greet("bob").await.unwrap();
    assert_eq!(start(&environment, "bob").await.face(), "🔔 1");
}

#[tokio::test]
async fn opening_all_silences_the_bell_on_every_device() {
    let environment = environment().await;
    let ada = start(&environment, "ada").await;
    let (phone, laptop) = (start(&environment, "bob").await, start(&environment, "bob").await);
    ada.greet("bob").await.unwrap();
    wait_for_face(&phone, "🔔 1").await;
    wait_for_face(&laptop, "🔔 1").await;

    phone.open_all().await.unwrap();
    assert_eq!(phone.face(), "🔔");
    wait_for_face(&laptop, "🔔").await;
}

/// Starts the app on a new device of this user.
pub(crate) async fn start(environment: &impl Environment, user: &str) -> Bell {
    let inbox = environment.inbox(user);
    inbox.init().await.unwrap();
    Bell { inbox }
}

/// Waits until the bell looks like this. With a mock it does already.
pub(crate) async fn wait_for_face(bell: &Bell, face: &str) {
    let waiting = bell.inbox.wait_for(|_| bell.face() == face);
    let found = tokio::time::timeout(Duration::from_secs(10), waiting).await;
    assert!(matches!(found, Ok(Some(_))), "{} is not {face}", bell.face());
}
