//! The choice of a service.

use internal_notifications::{ServiceErrorKind, ServiceKind};

use crate::support::{SERVICE, builder, from_env, lookup};

#[test]
fn the_environment_chooses_the_service() {
    let none = from_env(&[(SERVICE, "none")]).unwrap();
    assert_eq!(none.kind(), ServiceKind::None);
    let custom = builder().custom(none).env(lookup(&[(SERVICE, "custom")])).build().unwrap();
    assert_eq!(custom.kind(), ServiceKind::Custom);
    assert_eq!(format!("{custom:?}"), "InternalNotifications { kind: Custom, status: Idle, .. }");
}

#[test]
fn code_takes_precedence_over_the_environment() {
    let built = builder().env(lookup(&[(SERVICE, "custom")])).service(ServiceKind::None).build();
    assert_eq!(built.unwrap().kind(), ServiceKind::None);
}

#[test]
fn a_custom_service_is_the_default_if_the_builder_has_one() {
    let none = from_env(&[(SERVICE, "none")]).unwrap();
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
fn with_notifications_switched_off_invalid_settings_do_no_harm() {
    let variables = [
        (SERVICE, "none"),
        ("INTERNAL_NOTIFICATIONS_URL", "no url"),
        ("INTERNAL_NOTIFICATIONS_USER_ID", "no user!"),
        ("PUSHER_PORT", "no port"),
    ];
    assert_eq!(from_env(&variables).unwrap().kind(), ServiceKind::None);
}

#[test]
fn the_error_for_an_unknown_service_lists_the_known_ones() {
    let error = from_env(&[(SERVICE, "pushr")]).unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Configuration);
    let text = error.to_string();
    assert!(text.starts_with(
        "INTERNAL_NOTIFICATIONS_SERVICE is invalid: there is no service \"pushr\"; this build has "
    ));
    assert!(text.ends_with("none, custom"), "{text}");
}

#[test]
fn the_error_for_a_missing_custom_service_names_the_setter() {
    for built in [from_env(&[(SERVICE, "custom")]), builder().service(ServiceKind::Custom).build()] {
        let error = built.unwrap_err();
        assert_eq!(error.kind(), ServiceErrorKind::Configuration);
        assert_eq!(error.to_string(), "the service is custom, but the builder has none: set it by `custom`");
    }
}

#[test]
fn a_custom_service_contradicts_another_kind() {
    let none = from_env(&[(SERVICE, "none")]).unwrap();
    let error = builder().custom(none).service(ServiceKind::Pusher).build().unwrap_err();
    let expected = "the builder has both `service(pusher)` and `custom`, which contradict each other: set only one of them";
    assert_eq!(error.to_string(), expected);
}

#[cfg(all(feature = "mock", feature = "pusher"))]
#[test]
fn a_builder_with_settings_of_several_services_needs_a_kind() {
    use internal_notifications::MockHub;

    let none = from_env(&[(SERVICE, "none")]).unwrap();
    let every = builder().hub(MockHub::new()).url("http://h").user("ada", "token").custom(none);
    for kind in [ServiceKind::Pusher, ServiceKind::Mock, ServiceKind::None, ServiceKind::Custom] {
        let chosen = every.clone().env(lookup(&[(SERVICE, kind.as_str())])).build();
        assert_eq!(chosen.unwrap().kind(), kind);
    }
    let error = every.build().unwrap_err().to_string();
    assert!(error.contains("`custom`") && error.contains("`hub`"), "{error}");
    let error = builder().hub(MockHub::new()).url("http://h").build().unwrap_err().to_string();
    assert!(error.contains("`hub`") && error.contains("`url`"), "{error}");
}

#[cfg(feature = "mock")]
mod mock {
    use internal_notifications::{MockHub, Status};

    use super::*;

    #[tokio::test]
    async fn a_hub_implies_a_mock() {
        let hub = MockHub::new();
        let ada = builder().hub(hub.clone()).user_id("ada").window(1).build().unwrap();
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
    async fn the_environment_can_name_the_user_of_a_mock() {
        let ada = from_env(&[(SERVICE, "mock"), ("INTERNAL_NOTIFICATIONS_USER_ID", "ada")]).unwrap();
        ada.init().await.unwrap();
        ada.push(["ada"], internal_notifications::InternalNotification::new("to me")).await.unwrap();
        assert_eq!(ada.snapshot().pending, 1);
    }

    #[test]
    fn the_error_for_a_mock_without_a_user_names_the_settings() {
        let error = from_env(&[(SERVICE, "mock")]).unwrap_err().to_string();
        assert!(error.contains("INTERNAL_NOTIFICATIONS_USER_ID") && error.contains("`user_id`"), "{error}");
        let wrong = from_env(&[(SERVICE, "mock"), ("INTERNAL_NOTIFICATIONS_USER_ID", "a b")]).unwrap_err();
        assert!(wrong.to_string().starts_with("INTERNAL_NOTIFICATIONS_USER_ID is invalid: "), "{wrong}");
    }
}
