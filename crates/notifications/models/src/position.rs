use serde::{Deserialize, Serialize};

use crate::Tag;

/// A point in the history of an inbox: the last change applied. A new inbox is at (0, none).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Position {
    /// The change's number; they have no holes.
    pub seq: u64,
    /// The change's tag; none exactly at seq 0.
    #[serde(default)]
    pub tag: Option<Tag>,
}

/// The newest position, with the count of pending notifications that belongs to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Head {
    /// The newest change.
    #[serde(flatten)]
    pub position: Position,
    /// Notifications in the inbox that are not opened.
    pub pending: u64,
}
