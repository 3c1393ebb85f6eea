use serde::{Deserialize, Serialize};

use crate::Head;

/// An error as the server answers it: `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// Names the kind of problem; stable. `about:blank` where the status says it all.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// The kind, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// This occurrence, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The head of the inbox, where a write in it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
}

fn about_blank() -> String {
    "about:blank".to_owned()
}
