/// What a push does without a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OfflinePush {
    /// It returns [`Unavailable`](crate::ServiceErrorKind::Unavailable).
    #[default]
    Err,
    /// It waits until the connection is back or the service is disposed.
    Wait,
}
