use futures_util::FutureExt;
use pusher_client::{Client, User, UserEvent};

/// A sign-in, and whether what it yields is lawful.
pub(super) struct SignedIn {
    user: User,
    stands: bool,
    is_refused: bool,
}

impl SignedIn {
    pub(super) async fn to(client: &Client) -> Self {
        Self { user: client.sign_in().await.unwrap(), stands: false, is_refused: false }
    }

    /// Reads what came: events only while signed in, and nothing after a refusal.
    pub(super) fn check(&mut self) {
        while let Some(event) = self.user.next().now_or_never() {
            let Some(event) = event else { return assert!(self.is_refused, "the sign-in ended") };
            assert!(!self.is_refused, "{event:?} after a refusal");
            let lawful = match &event {
                UserEvent::SignedIn(user) => {
                    !std::mem::replace(&mut self.stands, true) && !user.id.is_empty()
                }
                UserEvent::Interrupted => std::mem::replace(&mut self.stands, false),
                UserEvent::Refused(_) => {
                    self.is_refused = true;
                    true
                }
                UserEvent::Event(_) | UserEvent::Online(_) | UserEvent::Offline(_) => self.stands,
                _ => true,
            };
            assert!(lawful, "{event:?}, signed in: {}", self.stands);
        }
    }
}
