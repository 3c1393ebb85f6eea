use serde::Serialize;

/// How far a write has come when the call returns.
///
/// There is no third case, so a `match` over both always compiles. As JSON it is `"stored"` or
/// `"queued"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Written {
    /// The server and the list have the write, or it changed nothing.
    Stored,
    /// There is no connection: the list shows the write, and it is sent when the connection is
    /// back.
    ///
    /// If the server then refuses it, it is rolled back and announced as
    /// [`Announcement::WriteRefused`](crate::Announcement::WriteRefused).
    Queued,
}

impl Written {
    /// Returns whether the server has the write.
    pub fn is_stored(self) -> bool {
        self == Self::Stored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_stored_write_is_stored() {
        assert!(Written::Stored.is_stored() && !Written::Queued.is_stored());
        assert_eq!(serde_json::to_value(Written::Queued).unwrap(), "queued");
    }
}
