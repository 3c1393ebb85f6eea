use futures_util::FutureExt;
use pusher_client::{Client, User, UserEvent};

/// A sign-in, with a check of the events that it yields.
pub(super) struct SignedIn {
    user: User,
    is_signed_in: bool,
    is_refused: bool,
}

impl SignedIn {
    pub(super) async fn to(client: &Client) -> Self {
        Self { user: client.sign_in().await.unwrap(), is_signed_in: false, is_refused: false }
    }

    /// Checks the events: none before the sign-in, and nothing after a refusal.
    pub(super) fn check(&mut self) {
        while let Some(event) = self.user.next().now_or_never() {
            let Some(event) = event else { return assert!(self.is_refused, "the sign-in ended") };
            assert!(!self.is_refused, "{event:?} after a refusal");
            let allowed = match &event {
                UserEvent::SignedIn(user) => {
                    !std::mem::replace(&mut self.is_signed_in, true) && !user.id.is_empty()
                }
                UserEvent::Interrupted => std::mem::replace(&mut self.is_signed_in, false),
                UserEvent::Refused(_) => {
                    self.is_refused = true;
                    true
                }
                UserEvent::Event(_) | UserEvent::Online(_) | UserEvent::Offline(_) => self.is_signed_in,
                _ => true,
            };
            assert!(allowed, "{event:?}, signed in: {}", self.is_signed_in);
        }
    }
}
