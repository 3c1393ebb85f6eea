use internal_notifications_mock::MockHub;
use internal_notifications_service::InternalNotificationsService;

use super::{UUID, id, live, note, now, shown, user};

#[test]
fn a_call_that_is_never_polled_does_not_happen() {
    let hub = MockHub::new();
    hub.push_as_backend("shop", ["ada"], note("a")).unwrap();
    let ada = hub.service("ada");
    drop(ada.init());
    assert!(shown(&ada).is_empty());
    let ada = live(ada);
    let to = [user("ada")];
    drop(ada.push(&to, note(UUID)));
    let ids = [id("a")];
    drop(ada.mark_opened(&ids));
    drop(ada.dispose());
    assert_eq!(shown(&ada), ["a"]);
    now(ada.push(&to, note(UUID))).unwrap();
    assert_eq!(shown(&ada), [UUID, "a"]);
}
