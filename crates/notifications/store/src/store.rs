use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use internal_notifications_models::{
    ChangesAnswer, Head, InboxNotification, InboxPage, NotificationId, Position, Receipt, Retraction,
    Timestamp, UserId, WriteAnswer,
};

use crate::{
    Advanced, CommitListener, PublishLimits, Push, StoreError, StoreTime, Sweep, Swept, Unpublished, Write,
};

/// The most inboxes from which [`Store::retract`] itself removes a notification.
///
/// If more have it, all removals are left to [`Store::advance`].
pub const RETRACTED_AT_ONCE: u64 = 1_000;

/// Durable inboxes: acknowledged changes survive a crash of the process or of the machine.
///
/// Every change of an inbox is one record of its log, stored in one transaction with its effect
/// (`docs/protocol.md`). Each method reads one consistent state.
///
/// Every method may return the errors that [`is_retryable`](StoreError::is_retryable) describes and
/// [`Unusable`](crate::StoreErrorKind::Unusable); the lists of errors name the others.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Adds a notification to the inboxes of its recipients.
    ///
    /// If its `send_after` is later than `push.at`, it is stored now and added when it falls due. A
    /// recipient who has it, had it, or is already scheduled to receive it counts as a duplicate.
    /// So does everyone once it was retracted or has expired. A repeated idempotency key stores
    /// nothing and returns the first receipt.
    ///
    /// # Errors
    /// Stores nothing and returns [`IdTaken`](crate::StoreErrorKind::IdTaken) if the id belongs to
    /// another body or sender, [`KeyReused`](crate::StoreErrorKind::KeyReused) if the idempotency
    /// key belongs to another request, or [`Expired`](crate::StoreErrorKind::Expired) if the
    /// notification is new and has expired.
    async fn push(&self, push: Push) -> Result<Receipt, StoreError>;

    /// Executes pushes in order, like [`push`](Self::push), and returns the answer of each. They
    /// share transactions where possible.
    ///
    /// A rejected push fails alone. After a failure that concerns the store as a whole, all
    /// further pushes fail too, so that none overtakes another.
    async fn push_all(&self, pushes: Vec<Push>) -> Vec<Result<Receipt, StoreError>>;

    /// Changes a user's own inbox.
    ///
    /// A repeat of an `op` that made a change does nothing and returns the current head.
    ///
    /// # Errors
    /// Returns [`NotFound`](crate::StoreErrorKind::NotFound) if the notification to remove is not
    /// there, or [`Diverged`](crate::StoreErrorKind::Diverged) if the position of an opened-all is
    /// beyond the head or has another tag. Both carry the head.
    async fn write(&self, user_id: &UserId, write: Write) -> Result<WriteAnswer, StoreError>;

    /// Retracts a notification: cancels scheduled deliveries and removes it from every inbox.
    ///
    /// Nobody receives it after the answer, which counts the deliveries that are cancelled and the
    /// inboxes that have it. If at most [`RETRACTED_AT_ONCE`] inboxes have it, it is out of all of
    /// them by then; otherwise [`advance`](Self::advance) removes it. It also finishes what a crash
    /// interrupted. A repeat counts nothing. Where counting takes too long, the counts are those of
    /// the first 100,000.
    ///
    /// # Errors
    /// Returns [`NotFound`](crate::StoreErrorKind::NotFound) if no notification has this id.
    async fn retract(&self, id: &NotificationId, at: Timestamp) -> Result<Retraction, StoreError>;

    /// Takes a step with what has fallen due by `now`.
    ///
    /// First removes expired and retracted notifications from inboxes, then adds scheduled ones,
    /// each in at most `limit` inboxes. Due notifications share the limit, so that one for few
    /// users does not wait until others for many are finished. Call it again until it reports
    /// [`Advanced::is_idle`].
    async fn advance(&self, now: Timestamp, limit: usize) -> Result<Advanced, StoreError>;

    /// Sweeps some inboxes, in the order of their user ids.
    ///
    /// Repairs pending counts, removes notifications beyond the [`Retention`](crate::Retention),
    /// and trims logs. Unpublished changes are never trimmed. The end of the pass also forgets
    /// notifications to which nothing refers any more, and old idempotency keys.
    ///
    /// An inbox that cannot be swept although the database works is passed over and reported. While
    /// another server sweeps the same inboxes, the call does nothing and reports the end of the
    /// pass.
    async fn sweep(&self, sweep: Sweep) -> Result<Swept, StoreError>;

    /// Returns a page of an inbox: its newest notifications, or the newest added before the seq
    /// `before`.
    ///
    /// A page has at most `limit` notifications. It ends early once its bodies reach 1 MiB, but
    /// always has at least one notification if there is one.
    async fn page(
        &self,
        user_id: &UserId,
        limit: usize,
        before: Option<u64>,
    ) -> Result<InboxPage, StoreError>;

    /// Returns one notification of an inbox, or `None` if it is not there.
    async fn notification(
        &self,
        user_id: &UserId,
        id: &NotificationId,
    ) -> Result<Option<InboxNotification>, StoreError>;

    /// Returns the changes after a position, or a reset with a snapshot.
    ///
    /// An answer has at most `limit` changes. It ends early once its bodies reach 1 MiB, but always
    /// has at least one change if there is one.
    async fn changes(
        &self,
        user_id: &UserId,
        after: Position,
        limit: usize,
    ) -> Result<ChangesAnswer, StoreError>;

    /// Returns the head of an inbox; the default head if it never had a change.
    async fn head(&self, user_id: &UserId) -> Result<Head, StoreError>;

    /// Returns whether other servers may work on the same inboxes.
    ///
    /// If so, [`claim_unpublished`](Self::claim_unpublished) leases each inbox that it returns, and
    /// the caller must call [`mark_published`](Self::mark_published) as soon as it has published.
    fn is_shared(&self) -> bool;

    /// Sets the listener that is informed of each commit from now on, in place of an earlier one.
    fn set_commit_listener(&self, listener: Arc<dyn CommitListener>);

    /// Reserves the embedded broker of these inboxes for this store until it is closed or dropped.
    ///
    /// Clients of one embedded broker miss what another publishes, so a shared store has at most
    /// one. A store that is not shared always succeeds, and so does a repeat.
    ///
    /// # Errors
    /// Returns [`Unusable`](crate::StoreErrorKind::Unusable) if another store has the reservation.
    async fn lock_broker(&self) -> Result<(), StoreError>;

    /// Returns at most `limit` users with unpublished changes, except those that another server has
    /// leased.
    ///
    /// Successive calls go through the users in turn, so that inboxes that cannot be published do
    /// not hide the others.
    async fn unpublished_users(&self, limit: usize) -> Result<Vec<UserId>, StoreError>;

    /// Returns the unpublished changes of these users, in the order of `users`.
    ///
    /// Each user is paired with a seq. Changes up to that seq are left out, even if they are not
    /// yet marked published. Users without unpublished changes are left out, and so are those that
    /// another server has leased: its [`mark_published`](Self::mark_published) reports their newer
    /// changes.
    async fn claim_unpublished(
        &self,
        users: &[(UserId, u64)],
        limits: PublishLimits,
    ) -> Result<Vec<Unpublished>, StoreError>;

    /// Marks the changes of each user as published up to a seq, and ends the leases of these users.
    ///
    /// A mark never moves backwards. If the store [is shared](Self::is_shared), returns the users
    /// that still have unpublished changes. Otherwise returns none, since the [`CommitListener`]
    /// has already reported them.
    ///
    /// [`CommitListener`]: crate::CommitListener
    async fn mark_published(&self, marks: &[(UserId, u64)]) -> Result<Vec<UserId>, StoreError>;

    /// Returns how long the inbox that has had unpublished changes for longest has had them, or
    /// `None` if everything is marked published.
    ///
    /// It takes no longer if many inboxes have unpublished changes.
    async fn unpublished_age(&self) -> Result<Option<Duration>, StoreError>;

    /// Returns the setting with this name, after storing `value` if there is none.
    async fn get_or_insert_setting(&self, name: &str, value: String) -> Result<String, StoreError>;

    /// Returns the times that servers compare with their clocks.
    ///
    /// The database's own time decides where servers share it, so that they agree.
    async fn time(&self) -> Result<StoreTime, StoreError>;

    /// Records the current time, for the next start to compare its clock with, and whether the
    /// clock is in doubt.
    async fn record_time(&self, now: Timestamp, in_doubt: bool) -> Result<(), StoreError>;

    /// Checks that the store can be read and written now.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Waits until a task of the store has ended unexpectedly, and returns its name.
    ///
    /// The store has to be opened again then. Waits for ever as long as all tasks work, after
    /// [`close`](Self::close), and for a store without tasks.
    async fn failed(&self) -> &'static str;

    /// Finishes accepted calls and closes the store. Later calls return an error.
    async fn close(&self);
}
