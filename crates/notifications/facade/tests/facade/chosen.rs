//! Which service is chosen.

use std::sync::Arc;

use internal_notifications::{ServiceErrorKind, ServiceKind};

use crate::support::{SERVICE, builder, from_env, lookup};

#[test]
fn the_environment_chooses() {
    let none = from_env(&[(SERVICE, "none")]).unwrap();
    assert_eq!(none.kind(), ServiceKind::None);
    let custom = builder().custom(Arc::new(none)).env(lookup(&[(SERVICE, "custom")])).build().unwrap();
    assert_eq!(custom.kind(), ServiceKind::Custom);
    assert_eq!(format!("{custom:?}"), "InternalNotifications { kind: Custom, status: Idle, .. }");
}

#[test]
fn code_goes_before_the_environment() {
    let built = builder().env(lookup(&[(SERVICE, "custom")])).service(ServiceKind::None).build();
    assert_eq!(built.unwrap().kind(), ServiceKind::None);
}

#[test]
fn a_service_that_the_builder_was_given_is_meant() {
    let none = Arc::new(from_env(&[(SERVICE, "none")]).unwrap());
    assert_eq!(builder().custom(none.clone()).build().unwrap().kind(), ServiceKind::Custom);
    let empty = [(SERVICE, "")];
    assert_eq!(
        builder().custom(none.clone()).env(lookup(&empty)).build().unwrap().kind(),
        ServiceKind::Custom
    );
    let switched_off = builder().custom(none).service(ServiceKind::None).build();
    assert_eq!(switched_off.unwrap().kind(), ServiceKind::None);
}

#[test]
fn an_app_with_notifications_switched_off_runs_whatever_else_is_wrong() {
    let variables = [
        (SERVICE, "none"),
        ("INTERNAL_NOTIFICATIONS_URL", "no url"),
        ("INTERNAL_NOTIFICATIONS_USER_ID", "no user!"),
        ("PUSHER_PORT", "no port"),
    ];
    assert_eq!(from_env(&variables).unwrap().kind(), ServiceKind::None);
}

#[test]
fn an_unknown_service_is_told_with_what_there_is() {
    let error = from_env(&[(SERVICE, "pushr")]).unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Configuration);
    let text = error.to_string();
    assert!(text.starts_with(
        "INTERNAL_NOTIFICATIONS_SERVICE is wrong: there is no service \"pushr\"; this build has "
    ));
    assert!(text.ends_with("none, custom"), "{text}");
}

#[test]
fn custom_without_a_service_is_told_where_it_comes_from() {
    for built in [from_env(&[(SERVICE, "custom")]), builder().service(ServiceKind::Custom).build()] {
        let error = built.unwrap_err();
        assert_eq!(error.kind(), ServiceErrorKind::Configuration);
        assert_eq!(
            error.to_string(),
            "the service is custom, and there is none: give the builder one with `custom`"
        );
    }
}

#[test]
fn a_service_in_code_and_another_kind_contradict_each_other() {
    let none = Arc::new(from_env(&[(SERVICE, "none")]).unwrap());
    let error = builder().custom(none).service(ServiceKind::Pusher).build().unwrap_err();
    let told =
        "the builder has `service(pusher)` and `custom`, which contradict each other: give it one of them";
    assert_eq!(error.to_string(), told);
}

#[cfg(all(feature = "mock", feature = "pusher"))]
#[test]
fn a_builder_for_every_service_needs_a_kind() {
    use internal_notifications::MockHub;

    let none = Arc::new(from_env(&[(SERVICE, "none")]).unwrap());
    let every =
        builder().hub(MockHub::new()).url("http://h").user("ada".parse().unwrap(), "token").custom(none);
    for kind in [ServiceKind::Pusher, ServiceKind::Mock, ServiceKind::None, ServiceKind::Custom] {
        let chosen = every.clone().env(lookup(&[(SERVICE, kind.as_str())])).build();
        assert_eq!(chosen.unwrap().kind(), kind);
    }
    let told = every.build().unwrap_err().to_string();
    assert!(told.contains("`custom`") && told.contains("`hub`"), "{told}");
    let told = builder().hub(MockHub::new()).url("http://h").build().unwrap_err().to_string();
    assert!(told.contains("`hub`") && told.contains("`url`"), "{told}");
}

#[cfg(feature = "mock")]
mod mock {
    use internal_notifications::{InternalNotificationsService, MockHub, Status};

    use super::*;

    #[tokio::test]
    async fn a_hub_makes_it_a_mock_of_the_user() {
        let hub = MockHub::new();
        let ada = builder().hub(hub.clone()).user_id("ada".parse().unwrap()).window(1).build().unwrap();
        assert_eq!(ada.kind(), ServiceKind::Mock);
        ada.init().await.unwrap();
        assert_eq!(ada.snapshot().status, Status::Live);
        for content in ["one", "two"] {
            hub.push_as_backend("shop", ["ada"], internal_notifications::InternalNotification::new(content))
                .unwrap();
        }
        let now = ada.snapshot();
        assert_eq!((now.notifications.len(), now.pending, now.has_older), (1, 2, true));
    }

    #[tokio::test]
    async fn the_environment_says_who_the_user_of_a_mock_is() {
        let ada = from_env(&[(SERVICE, "mock"), ("INTERNAL_NOTIFICATIONS_USER_ID", "ada")]).unwrap();
        ada.init().await.unwrap();
        ada.push(&["ada".parse().unwrap()], internal_notifications::InternalNotification::new("to me"))
            .await
            .unwrap();
        assert_eq!(ada.snapshot().pending, 1);
    }

    #[test]
    fn a_mock_without_a_user_is_told_who_says_it() {
        let told = from_env(&[(SERVICE, "mock")]).unwrap_err().to_string();
        assert!(told.contains("INTERNAL_NOTIFICATIONS_USER_ID") && told.contains("`user_id`"), "{told}");
        let wrong = from_env(&[(SERVICE, "mock"), ("INTERNAL_NOTIFICATIONS_USER_ID", "a b")]).unwrap_err();
        assert!(wrong.to_string().starts_with("INTERNAL_NOTIFICATIONS_USER_ID is wrong: "), "{wrong}");
    }
}
