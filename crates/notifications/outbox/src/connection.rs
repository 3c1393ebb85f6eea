/// A connection that an [`Outbox`](crate::Outbox) can push on: sqlx's `PgConnection` with the
/// feature `postgres`, or its `SqliteConnection` with the feature `sqlite`.
///
/// Pass a `sqlx::Transaction` as `&mut *transaction`.
#[diagnostic::on_unimplemented(
    message = "an outbox cannot push on `{Self}`",
    label = "not a `PgConnection` or `SqliteConnection` of sqlx 0.9",
    note = "pass a transaction as `&mut *transaction`, and a pooled connection as `&mut *connection`",
    note = "enable the feature `postgres` or `sqlite` of internal-notifications-outbox",
    note = "use sqlx 0.9, which this crate re-exports as `internal_notifications_outbox::sqlx`"
)]
pub trait OutboxConnection: sealed::Connection {}

impl<C: sealed::Connection> OutboxConnection for C {}

#[allow(unreachable_pub, missing_docs, reason = "it seals a public trait")]
pub(crate) mod sealed {
    /// A row to insert. The database sets its key and time, and its id if there is none.
    pub struct Intent<'a> {
        pub id: Option<&'a str>,
        pub sender: &'a str,
        /// The recipients as a JSON array.
        pub user_ids: String,
        /// The notification as JSON, without its id.
        pub body: String,
    }

    // The compiler reports a missing implementation here and not at `OutboxConnection`.
    #[diagnostic::on_unimplemented(
        message = "an outbox cannot push on `{Self}`",
        label = "not a `PgConnection` or `SqliteConnection` of sqlx 0.9",
        note = "pass a transaction as `&mut *transaction`, and a pooled connection as `&mut *connection`",
        note = "enable the feature `postgres` or `sqlite` of internal-notifications-outbox",
        note = "use sqlx 0.9, which this crate re-exports as `internal_notifications_outbox::sqlx`"
    )]
    pub trait Connection: Send {
        /// Inserts the row and returns its id.
        fn insert(&mut self, intent: Intent<'_>) -> impl Future<Output = Result<String, sqlx::Error>> + Send;

        fn create_table(&mut self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
    }
}
