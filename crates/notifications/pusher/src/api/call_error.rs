use internal_notifications_models::Problem;
use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::HttpResponse;

/// Why a call to the inbox server failed.
#[derive(Debug)]
pub(crate) enum CallError {
    /// There was no usable response.
    Failed(ServiceError),
    /// The server answered with an error status.
    Rejected { status: u16, problem: Option<Problem> },
}

/// The most characters of the server's text that an error shows.
const MAX_DETAIL: usize = 300;

impl CallError {
    /// Reads an error response. `token` was sent with the request; text that contains it is not
    /// shown.
    pub(crate) fn rejected(response: &HttpResponse, token: &str) -> Self {
        let is_object = response.body.trim_ascii_start().starts_with(b"{");
        let mut problem = serde_json::from_slice::<Problem>(&response.body).ok().filter(|_| is_object);
        if let Some(problem) = &mut problem {
            let texts = [Some(&problem.title), problem.detail.as_ref()];
            if texts.into_iter().flatten().any(|text| text.contains(token)) {
                problem.title.clear();
                problem.detail = None;
            }
        }
        Self::Rejected { status: response.status, problem }
    }

    pub(crate) fn kind(&self) -> ServiceErrorKind {
        match self {
            Self::Failed(error) => error.kind(),
            Self::Rejected { status, .. } => kind_of_status(*status),
        }
    }

    pub(crate) fn is_retryable(&self) -> bool {
        self.kind() == ServiceErrorKind::Unavailable
    }
}

impl From<ServiceError> for CallError {
    fn from(error: ServiceError) -> Self {
        Self::Failed(error)
    }
}

impl From<CallError> for ServiceError {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Failed(error) => error,
            CallError::Rejected { status, problem } => {
                let explanation = problem
                    .map(|problem| problem.detail.unwrap_or(problem.title))
                    .filter(|explanation| !explanation.is_empty());
                let detail = match explanation {
                    Some(explanation) => {
                        format!("the server answered {status}: {}", printable(&explanation))
                    }
                    None => format!("the server answered {status}"),
                };
                Self::new(kind_of_status(status), detail)
            }
        }
    }
}

fn kind_of_status(status: u16) -> ServiceErrorKind {
    match status {
        401 => ServiceErrorKind::Unauthorized,
        403 => ServiceErrorKind::Forbidden,
        404 => ServiceErrorKind::Unknown,
        409 => ServiceErrorKind::Conflict,
        400 | 413 | 422 => ServiceErrorKind::Invalid,
        408 | 429 | 500..=599 => ServiceErrorKind::Unavailable,
        _ => ServiceErrorKind::Protocol,
    }
}

/// Returns the text bounded and without control or bidi characters, safe for logs and terminals.
fn printable(text: &str) -> String {
    let is_bidi = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    let replaced = |c: char| if c.is_control() || is_bidi(c) { '\u{fffd}' } else { c };
    text.chars().take(MAX_DETAIL).map(replaced).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejected(status: u16, body: &str) -> CallError {
        CallError::rejected(&HttpResponse::new(status, body), "s3cret")
    }

    fn text(status: u16, body: &str) -> String {
        ServiceError::from(rejected(status, body)).to_string()
    }

    #[test]
    fn the_detail_of_a_problem_is_shown() {
        let body =
            r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"no such notification"}"#;
        assert_eq!(rejected(404, body).kind(), ServiceErrorKind::Unknown);
        assert_eq!(text(404, body), "the server answered 404: no such notification");
        let body = r#"{"type":"about:blank","title":"Not Found","status":404}"#;
        assert_eq!(text(404, body), "the server answered 404: Not Found");
    }

    #[test]
    fn an_array_is_no_problem() {
        let array = r#"["about:blank","Not Found",404,null]"#;
        assert!(matches!(rejected(404, array), CallError::Rejected { problem: None, .. }));
    }

    #[test]
    fn only_temporary_failures_are_retryable() {
        for (status, retryable) in
            [(408, true), (429, true), (500, true), (503, true), (301, false), (400, false), (418, false)]
        {
            assert_eq!(rejected(status, "").is_retryable(), retryable, "{status}");
            assert_eq!(ServiceError::from(rejected(status, "")).is_retryable(), retryable, "{status}");
        }
    }

    #[test]
    fn the_servers_text_is_bounded_and_printable() {
        let detail = format!("\\u001b[31m\\u202e{}", "x".repeat(5_000));
        let shown = text(500, &format!(r#"{{"title":"t","status":500,"detail":"{detail}"}}"#));
        assert!(
            !shown.contains('\u{1b}') && !shown.contains('\u{202e}') && shown.chars().count() < 350,
            "{shown}"
        );
        for body in ["", "<html>", "[]", "{\"title\":7}", "\u{0}"] {
            assert_eq!(text(502, body), "the server answered 502");
        }
    }

    #[test]
    fn a_token_that_the_server_repeats_is_not_shown() {
        for body in [
            r#"{"title":"t","status":401,"detail":"bad token s3cret"}"#,
            r#"{"title":"bad token s3cret","status":401}"#,
        ] {
            assert_eq!(text(401, body), "the server answered 401");
        }
    }
}
