/// A connection on which an intent can be written: `PgConnection` (feature `postgres`), `SqliteConnection` (feature `sqlite`). A
/// `sqlx::Transaction` gives it as `&mut *transaction`.
pub trait OutboxConnection: sealed::Connection {}

impl<C: sealed::Connection> OutboxConnection for C {}

#[allow(unreachable_pub, missing_docs, reason = "it seals a public trait")]
pub(crate) mod sealed {
    /// A row to be written. Its key and time are the database's; so is its id where the sender gave none.
    pub struct Intent<'a> {
        pub id: Option<&'a str>,
        pub sender: &'a str,
        /// A JSON array.
        pub user_ids: String,
        /// The notification's JSON, without its id.
        pub body: String,
    }

    pub trait Connection: Send {
        /// Writes the row and gives its id.
        fn insert(&mut self, intent: Intent<'_>) -> impl Future<Output = Result<String, sqlx::Error>> + Send;

        fn create_table(&mut self) -> impl Future<Output = Result<(), sqlx::Error>> + Send;
    }
}
