use serde::{Deserialize, Serialize};

use crate::Tag;

/// A point in the history of an inbox: the last change applied. A new inbox is at (0, none).
///
/// A position is exactly this pair, so it can be built and matched in full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Position {
    /// The number of the change. Numbers have no gaps.
    pub seq: u64,
    /// The tag of the change; absent exactly at seq 0.
    #[serde(default)]
    pub tag: Option<Tag>,
}

/// The newest position of an inbox, with the pending count that belongs to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Head {
    /// The newest change.
    #[serde(flatten)]
    pub position: Position,
    /// How many notifications in the inbox are not opened.
    pub pending: u64,
}

impl Head {
    /// Makes a head of a position and the pending count there.
    pub fn new(position: Position, pending: u64) -> Self {
        Self { position, pending }
    }
}
