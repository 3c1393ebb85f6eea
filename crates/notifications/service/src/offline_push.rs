/// What a push does while there is no connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OfflinePush {
    /// It errs with [`Unavailable`](crate::ServiceErrorKind::Unavailable).
    #[default]
    Err,
    /// It waits for the connection, or for the end of the service.
    Wait,
}
