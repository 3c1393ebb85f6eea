/// A fault planted at a seam, to see that the simulation finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bug {
    /// A reconnected client shows the authorization of an earlier connection.
    StaleAuthorization,
    /// Changes count as published before they are.
    MarkedBeforePublished,
    /// A client never compares its position with the server's.
    NoPositionCheck,
    /// An intent is handled again, as if it were another.
    IntentTwice,
    /// The log is cut above where a reader stands, and it is answered as if nothing were missing.
    TrimmedAboveReader,
}

impl Bug {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::StaleAuthorization,
        Self::MarkedBeforePublished,
        Self::NoPositionCheck,
        Self::IntentTwice,
        Self::TrimmedAboveReader,
    ];
}
