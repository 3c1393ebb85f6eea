//! Services that this build does not include. These tests run in builds without a feature.

#[cfg(not(all(feature = "mock", feature = "pusher")))]
#[test]
fn the_error_for_a_service_not_in_this_build_lists_the_others_and_names_the_feature() {
    use internal_notifications::{ServiceErrorKind, ServiceKind};

    use crate::support::{SERVICE, builder, from_env};

    for kind in [ServiceKind::Pusher, ServiceKind::Mock].into_iter().filter(|kind| !kind.is_available()) {
        let from_env = from_env(&[(SERVICE, kind.as_str())]);
        for error in [from_env.unwrap_err(), builder().service(kind).build().unwrap_err()] {
            assert_eq!(error.kind(), ServiceErrorKind::Configuration);
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("the service {kind} is not in this build, which has ")),
                "{text}"
            );
            assert!(text.contains("none, custom: enable the feature"), "{text}");
            assert!(text.contains(&format!("`{kind}`")), "{text}");
        }
    }
}

#[cfg(not(feature = "pusher"))]
#[test]
fn without_the_feature_pusher_a_service_must_be_chosen() {
    let error = crate::support::from_env(&[]).unwrap_err().to_string();
    assert!(error.starts_with("the service pusher is not in this build"), "{error}");
}
