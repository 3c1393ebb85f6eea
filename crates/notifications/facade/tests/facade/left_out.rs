//! What this build leaves out: these run where a feature is off.

#[cfg(not(all(feature = "mock", feature = "pusher")))]
#[test]
fn a_service_that_is_left_out_is_told_with_what_there_is_and_what_to_enable() {
    use internal_notifications::{ServiceErrorKind, ServiceKind};

    use crate::support::{SERVICE, builder, from_env};

    for kind in [ServiceKind::Pusher, ServiceKind::Mock].into_iter().filter(|kind| !kind.is_available()) {
        let from_env = from_env(&[(SERVICE, kind.as_str())]);
        for error in [from_env.unwrap_err(), builder().service(kind).build().unwrap_err()] {
            assert_eq!(error.kind(), ServiceErrorKind::Configuration);
            let text = error.to_string();
            assert!(
                text.starts_with(&format!("the service {kind} is left out of this build, which has ")),
                "{text}"
            );
            assert!(text.contains("none, custom: enable the feature"), "{text}");
            assert!(text.contains(&format!("`{kind}`")), "{text}");
        }
    }
}

#[cfg(not(feature = "pusher"))]
#[test]
fn without_pusher_a_service_must_be_chosen() {
    let told = crate::support::from_env(&[]).unwrap_err().to_string();
    assert!(told.starts_with("the service pusher is left out of this build"), "{told}");
}
