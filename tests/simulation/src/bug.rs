/// A bug planted at a seam, which the simulation must find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A reconnected client uses the authorization of an earlier connection.
    StaleAuthorization,
    /// Changes are marked as published before they are published.
    MarkedBeforePublished,
    /// A client never compares its position with the server's.
    NoPositionCheck,
    /// An intent is handled twice, the second time as if it were another one.
    IntentTwice,
    /// The log is trimmed beyond a reader's position, and the reader is answered as if nothing were
    /// missing.
    TrimmedAboveReader,
    /// A device announces before what it has applied is kept.
    AnnouncedBeforeKept,
    /// A device reports a write as queued before it is kept.
    QueuedBeforeKept,
}

impl Bug {
    /// All bugs.
    pub const ALL: [Self; 7] = [
        Self::StaleAuthorization,
        Self::MarkedBeforePublished,
        Self::NoPositionCheck,
        Self::IntentTwice,
        Self::TrimmedAboveReader,
        Self::AnnouncedBeforeKept,
        Self::QueuedBeforeKept,
    ];
}
