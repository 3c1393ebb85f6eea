use internal_notifications_models::UserId;

use super::Principal;

/// Decides what a known caller may do.
pub trait Policy: Send + Sync + 'static {
    /// Whether there is anyone whom the caller may push to. Asked before a push is read; who may not is refused without its being read.
    fn may_push_to_some(&self, caller: &Principal) -> bool {
        let _ = caller;
        true
    }

    /// Whether the caller may push to these users.
    fn may_push(&self, caller: &Principal, user_ids: &[UserId]) -> bool;
}

/// The default: backends push to anyone, app users only with the scope `notifications:push` in their token.
#[derive(Clone, Copy, Debug, Default)]
pub struct PushScope;

impl Policy for PushScope {
    fn may_push_to_some(&self, caller: &Principal) -> bool {
        match caller {
            Principal::Key { .. } => true,
            Principal::User { may_push, .. } => *may_push,
        }
    }

    fn may_push(&self, caller: &Principal, _: &[UserId]) -> bool {
        self.may_push_to_some(caller)
    }
}
