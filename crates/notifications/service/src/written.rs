/// How far a write came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Written {
    /// The server has it, and the replica too; or there was nothing to do.
    Stored,
    /// There is no connection: it is shown, and is sent when there is one. If the server then refuses it, it is rolled back, and
    /// [`Announcement::WriteRefused`](crate::Announcement::WriteRefused) says so.
    Queued,
}
