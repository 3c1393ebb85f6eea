use internal_notifications_models::{Head, Problem};
use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::HttpAnswer;

/// A call that failed, with the head of the inbox where the server told it.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) error: ServiceError,
    pub(crate) head: Option<Head>,
}

impl From<ServiceError> for Refusal {
    fn from(error: ServiceError) -> Self {
        Self { error, head: None }
    }
}

/// Characters of a server's text that are shown.
const MAX_DETAIL: usize = 300;

impl Refusal {
    /// What an answer that is no success says. `token` is what was sent, and never shown.
    pub(crate) fn of(answer: &HttpAnswer, token: &str) -> Self {
        let status = answer.status;
        let problem = serde_json::from_slice::<Problem>(&answer.body).ok();
        let told = problem.as_ref().and_then(|problem| problem.detail.as_ref().or(Some(&problem.title)));
        let detail = match told.filter(|detail| !detail.is_empty() && !detail.contains(token)) {
            Some(detail) => format!("the server answered {status}: {}", shown(detail)),
            None => format!("the server answered {status}"),
        };
        let error = ServiceError::new(kind(status), detail);
        Self { error, head: problem.and_then(|problem| problem.head) }
    }
}

fn kind(status: u16) -> ServiceErrorKind {
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

/// A server's text as it may stand in a log or on a terminal: bounded, without control characters and those that turn text around.
fn shown(text: &str) -> String {
    let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
    let plain = |c: char| if c.is_control() || turns(c) { '\u{fffd}' } else { c };
    text.chars().take(MAX_DETAIL).map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::of(&HttpAnswer { status, body: body.as_bytes().to_vec() }, "s3cret")
    }

    #[test]
    fn a_problem_tells_its_detail_and_the_head() {
        let body = r#"{"type":"about:blank","title":"Not Found","status":404,"detail":"no such notification","head":{"seq":0,"tag":null,"pending":0}}"#;
        let refusal = refusal(404, body);
        assert_eq!(refusal.error.kind(), ServiceErrorKind::Unknown);
        assert_eq!(refusal.error.to_string(), "the server answered 404: no such notification");
        assert_eq!(refusal.head, Some(Head::default()));
    }

    #[test]
    fn only_what_may_pass_is_retryable() {
        for (status, retryable) in
            [(408, true), (429, true), (500, true), (503, true), (301, false), (400, false), (418, false)]
        {
            assert_eq!(refusal(status, "").error.is_retryable(), retryable, "{status}");
        }
    }

    #[test]
    fn what_the_server_says_is_bounded_and_harmless() {
        let detail = format!("\\u001b[31m\\u202e{}", "x".repeat(5_000));
        let text =
            refusal(500, &format!(r#"{{"title":"t","status":500,"detail":"{detail}"}}"#)).error.to_string();
        assert!(
            !text.contains('\u{1b}') && !text.contains('\u{202e}') && text.chars().count() < 350,
            "{text}"
        );
        for body in ["", "<html>", "[]", "{\"title\":7}", "\u{0}"] {
            assert_eq!(refusal(502, body).error.to_string(), "the server answered 502");
        }
    }

    #[test]
    fn a_token_that_comes_back_is_not_shown() {
        let refusal = refusal(401, r#"{"title":"t","status":401,"detail":"bad token s3cret"}"#);
        assert_eq!(refusal.error.to_string(), "the server answered 401");
    }
}
