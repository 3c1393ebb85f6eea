use serde::{Deserialize, Serialize};

use crate::Head;

/// An error response of the server: `application/problem+json` (RFC 9457).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[non_exhaustive]
pub struct Problem {
    /// The stable name of the kind of problem; `about:blank` if the status says enough.
    #[serde(rename = "type", default = "about_blank")]
    pub kind: String,
    /// A short description of the kind, for people.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The head of the inbox, if a write in it was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
}

impl Problem {
    /// The beginning of the kind of every problem that an inbox server makes.
    pub const NAMESPACE: &str = "urn:internal-notifications:";

    /// Makes a problem of the kind `about:blank`.
    pub fn new(status: u16, title: impl Into<String>) -> Self {
        Self { kind: about_blank(), title: title.into(), status, detail: None, head: None }
    }

    /// Returns the last part of the kind if an inbox server made this problem: `forbidden` of
    /// `urn:internal-notifications:forbidden`.
    pub fn slug(&self) -> Option<&str> {
        self.kind.strip_prefix(Self::NAMESPACE)
    }

    /// Sets the stable name of the kind.
    pub fn with_kind(mut self, kind: impl Into<String>) -> Self {
        self.kind = kind.into();
        self
    }

    /// Sets what went wrong this time.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Sets the head of the inbox.
    pub fn with_head(mut self, head: Head) -> Self {
        self.head = Some(head);
        self
    }
}

fn about_blank() -> String {
    "about:blank".to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Position;

    #[test]
    fn a_problem_without_a_type_is_about_blank() {
        let problem: Problem = serde_json::from_value(json!({"title": "Not Found", "status": 404})).unwrap();
        assert_eq!(problem, Problem::new(404, "Not Found"));
        assert_eq!(
            serde_json::to_value(problem).unwrap(),
            json!({"type": "about:blank", "title": "Not Found", "status": 404})
        );
    }

    #[test]
    fn only_a_problem_of_an_inbox_server_has_a_slug() {
        let problem = |kind: &str| Problem::new(403, "Forbidden").with_kind(kind);
        assert_eq!(problem("urn:internal-notifications:forbidden").slug(), Some("forbidden"));
        for kind in ["about:blank", "https://example.org/forbidden", "forbidden"] {
            assert_eq!(problem(kind).slug(), None);
        }
    }

    #[test]
    fn a_problem_carries_its_kind_its_detail_and_the_head() {
        let problem = Problem::new(409, "Conflict")
            .with_kind("diverged")
            .with_detail("another history")
            .with_head(Head::new(Position::default(), 3));
        assert_eq!(
            serde_json::to_value(problem).unwrap(),
            json!({
                "type": "diverged", "title": "Conflict", "status": 409, "detail": "another history",
                "head": {"seq": 0, "tag": null, "pending": 3},
            })
        );
    }
}
