use async_trait::async_trait;
use internal_notifications_models::{
    Change, ChangesAnswer, Head, InboxNotification, InboxPage, InternalNotification, NotificationId, OpId,
    Position, Receipt, Retraction, Timestamp, UserId, WriteAnswer,
};
use internal_notifications_service::InboxCommand as WriteKind;

use crate::{Advanced, IdempotencyKey, StoreError, Sweep, Swept};

/// The inboxes, durable: what a method has answered survives a crash of the process and of the machine.
///
/// Every change of an inbox is one record of its log, made in one transaction with its effect (docs/protocol.md). All reads of one call
/// see one moment.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Adds a notification to the inboxes of its recipients that do not have it yet; keeps it for them until its `send_after` where that
    /// is later than `at`. A recipient who has it, had it, or will get it is a duplicate, and so is everyone once it was retracted or has
    /// expired. With an idempotency key that is known, does nothing and gives the receipt of that time.
    ///
    /// # Errors
    /// [`StoreErrorKind::IdTaken`] when the id belongs to another body or sender, [`StoreErrorKind::KeyReused`] when the idempotency key
    /// belongs to another request, [`StoreErrorKind::Expired`] when it is new and its `expires_at` is over; nothing is stored then.
    async fn push(&self, push: Push) -> Result<Receipt, StoreError>;

    /// Changes a user's own inbox. A repeat of an `op` that made a change does nothing and answers the head.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] for a removal of what is not there, [`StoreErrorKind::Diverged`] for an opened-all whose tag is not the one
    /// of the record there, or whose `through` is beyond the head; both carry the head.
    async fn write(&self, user_id: &UserId, write: Write) -> Result<WriteAnswer, StoreError>;

    /// Takes a notification back: whoever was to get it later will not, and it leaves every inbox that has it. Once the first step of that
    /// is stored, [`advance`](Self::advance) finishes it, also after a crash.
    ///
    /// # Errors
    /// [`StoreErrorKind::NotFound`] when there is no notification of that id. A repeat is fine, and removes nothing.
    async fn retract(&self, id: &NotificationId, at: Timestamp) -> Result<Retraction, StoreError>;

    /// Does what has fallen due at `now`: expired and retracted notifications leave inboxes, then scheduled ones enter them. At most about
    /// `limit` inboxes a call; it is called again until it [was idle](Advanced::is_idle).
    async fn advance(&self, now: Timestamp, limit: usize) -> Result<Advanced, StoreError>;

    /// Looks after some inboxes, in the order of their users: compares their counters with their notifications, removes what is older or
    /// more than what is kept, shortens their logs. Changes that were not published are never cut. Does nothing, as at the end of a pass,
    /// while another server sweeps the same inboxes.
    async fn sweep(&self, sweep: Sweep) -> Result<Swept, StoreError>;

    /// The newest `limit` notifications, or those added before the seq `before`; fewer where their bodies pass 1 MiB, but at least one.
    async fn page(
        &self,
        user_id: &UserId,
        limit: usize,
        before: Option<u64>,
    ) -> Result<InboxPage, StoreError>;

    /// One notification of an inbox.
    async fn notification(
        &self,
        user_id: &UserId,
        id: &NotificationId,
    ) -> Result<Option<InboxNotification>, StoreError>;

    /// The changes after a position, at most `limit`, fewer where their bodies pass 1 MiB (but at least one); or a reset.
    async fn changes(
        &self,
        user_id: &UserId,
        after: Position,
        limit: usize,
    ) -> Result<ChangesAnswer, StoreError>;

    /// The head of an inbox; (0, none) and nothing pending for one that never had a change.
    async fn head(&self, user_id: &UserId) -> Result<Head, StoreError>;

    /// Whether other servers work on the same inboxes. Then [`unpublished`](Self::unpublished) takes a lease on what it gives, and marks are
    /// to be moved as soon as the changes are published.
    fn is_shared(&self) -> bool;

    /// Reserves the embedded broker of these inboxes for this store until it is closed.
    ///
    /// Clients of one embedded broker miss what another publishes, so a shared store has one broker.
    /// A store that is not shared always succeeds, and so does a repeat.
    ///
    /// # Errors
    /// Returns [`StoreErrorKind::Unusable`] if another store holds the reservation.
    async fn lock_broker(&self) -> Result<(), StoreError>;

    /// Users whose log holds changes that are not marked published, at most `limit`; not those that another server is at.
    async fn behind(&self, limit: usize) -> Result<Vec<UserId>, StoreError>;

    /// What is to be published of these users: the changes after the mark, or after the given seq where that is higher. Users that another
    /// server is at are left out: its `mark_published` will tell it of the changes that came meanwhile.
    async fn unpublished(
        &self,
        users: &[(UserId, u64)],
        most: Unpublishable,
    ) -> Result<Vec<Unpublished>, StoreError>;

    /// Moves the marks of published changes; one that is behind the stored one moves nothing. Lets go of these users, and gives those of
    /// them that have newer changes (only where the store [is shared](Self::is_shared); elsewhere the committer told them).
    async fn mark_published(&self, marks: &[(UserId, u64)]) -> Result<Vec<UserId>, StoreError>;

    /// The value of a setting; `make` is stored and returned when it has none.
    async fn setting(&self, name: &str, make: String) -> Result<String, StoreError>;

    /// Whether the store can be read and written now.
    async fn ready(&self) -> Result<(), StoreError>;

    /// Finishes what was accepted and lets go of the store. Later calls err.
    async fn close(&self);
}

/// A push, checked, with its recipients each named once.
#[derive(Clone, Debug)]
pub struct Push {
    /// Who pushes: `user:ID`, `key:NAME` or `outbox:NAME`.
    pub sender: String,
    /// What makes a repeat of the same request harmless, besides the notification's id.
    pub idempotency: Option<IdempotencyKey>,
    /// The notification's id; `notification.id` is not looked at.
    pub id: NotificationId,
    /// What.
    pub notification: InternalNotification,
    /// Whom to, without repeats.
    pub user_ids: Vec<UserId>,
    /// Now.
    pub at: Timestamp,
}

/// A write in a user's own inbox.
#[derive(Clone, Debug)]
pub struct Write {
    /// What.
    pub kind: WriteKind,
    /// The client's id of the operation.
    pub op: Option<OpId>,
    /// Now.
    pub at: Timestamp,
}

/// How much [`Store::unpublished`] gives.
#[derive(Clone, Copy, Debug)]
pub struct Unpublishable {
    /// A user with more unpublished changes than this gets only the newest.
    pub changes: usize,
    /// A body of more bytes than this is left out: its change comes as [`internal_notifications_models::ChangeKind::Gone`].
    pub body: usize,
}

/// The unpublished changes of one user, in order.
#[derive(Clone, Debug)]
pub struct Unpublished {
    /// Whose.
    pub user_id: UserId,
    /// All of them, or the newest alone.
    pub changes: Vec<Change>,
    /// Whether there were too many, and `changes` is only the newest.
    pub far_behind: bool,
}
