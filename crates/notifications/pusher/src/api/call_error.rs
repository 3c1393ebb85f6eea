#[cfg(feature = "websocket")]
mod verdict;

use std::time::Duration;

use internal_notifications_models::Problem;
use internal_notifications_service::{ServiceError, ServiceErrorKind};
use pusher_client::protocol::Object;
use serde::de::DeserializeOwned;

use crate::HttpResponse;

/// Why a call to the inbox server failed.
///
/// Only the inbox server refuses, with a problem of its own. An ingress, a firewall or a login page
/// that answers in its place says nothing about the request.
#[derive(Debug)]
pub(crate) struct CallError {
    error: ServiceError,
    answer: Answer,
    retry_after: Option<Duration>,
}

/// Who answered.
#[derive(Debug)]
#[cfg_attr(not(feature = "websocket"), expect(dead_code, reason = "only a service asks"))]
enum Answer {
    /// Nobody.
    None,
    /// The inbox server, or a stranger in the case of 401, with this status.
    Refusal { status: u16, problem: Option<Box<Problem>> },
    /// Something else than an inbox server, with this status.
    Foreign(u16),
    /// An inbox server perhaps, successfully, but in an unknown format.
    Unreadable,
}

/// The most characters of the server's text that an error shows.
const MAX_DETAIL: usize = 300;

impl CallError {
    /// Reads an error response. `token` was sent with the request; text that contains it is not
    /// shown.
    pub(crate) fn of_response(response: &HttpResponse, token: &str) -> Self {
        let status = response.status;
        let problem = parse_object::<Problem>(&response.body).ok();
        let problem = problem.filter(|problem| problem.slug().is_some());
        let mut error = match problem {
            None if status != 401 => Self::foreign(status),
            problem => Self::refusal(status, problem, token),
        };
        error.retry_after = response.retry_after.filter(|_| error.is_retryable());
        error
    }

    /// Makes the error for a body that an inbox server does not send with a success.
    pub(crate) fn of_body(status: u16, error: &serde_json::Error) -> Self {
        if !error.is_data() {
            return Self::foreign(status);
        }
        // The error itself may quote the response.
        let (line, column) = (error.line(), error.column());
        let detail =
            format!("the server's response has an unexpected format, at line {line}, column {column}");
        let error = ServiceError::new(ServiceErrorKind::Protocol, detail);
        Self { error, answer: Answer::Unreadable, retry_after: None }
    }

    fn refusal(status: u16, problem: Option<Problem>, token: &str) -> Self {
        let explanation = problem.as_ref().filter(|problem| {
            let texts = [Some(&problem.title), problem.detail.as_ref()];
            !texts.into_iter().flatten().any(|text| text.contains(token))
        });
        let explanation = explanation.map(|problem| problem.detail.as_ref().unwrap_or(&problem.title));
        let detail = match explanation.filter(|explanation| !explanation.is_empty()) {
            Some(explanation) => format!("the server answered {status}: {}", printable(explanation)),
            None => format!("the server answered {status}"),
        };
        let error = ServiceError::new(kind_of_status(status), detail);
        let answer = Answer::Refusal { status, problem: problem.map(Box::new) };
        Self { error, answer, retry_after: None }
    }

    fn foreign(status: u16) -> Self {
        let detail = match kind_of_status(status) {
            ServiceErrorKind::Unavailable => format!("the server answered {status}"),
            _ => format!(
                "the answer, with the status {status}, is not one of an inbox server, but of a proxy, a login \
                 page or another server"
            ),
        };
        let error = ServiceError::new(ServiceErrorKind::Unavailable, detail);
        Self { error, answer: Answer::Foreign(status), retry_after: None }
    }

    pub(crate) fn kind(&self) -> ServiceErrorKind {
        self.error.kind()
    }

    /// Returns whether the same request, with the same id, may succeed when it is sent again.
    pub(crate) fn is_retryable(&self) -> bool {
        self.kind() == ServiceErrorKind::Unavailable || matches!(self.answer, Answer::Unreadable)
    }

    /// Returns how long the server asks not to repeat the request.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }
}

pub(super) fn parse_object<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body).map(|Object(value)| value)
}

impl From<ServiceError> for CallError {
    fn from(error: ServiceError) -> Self {
        Self { error, answer: Answer::None, retry_after: None }
    }
}

impl From<CallError> for ServiceError {
    fn from(error: CallError) -> Self {
        error.error
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
pub(super) mod tests {
    use super::*;

    pub(super) fn of(status: u16, body: &str) -> CallError {
        CallError::of_response(&HttpResponse::new(status, body), "s3cret")
    }

    fn text(status: u16, body: &str) -> String {
        ServiceError::from(of(status, body)).to_string()
    }

    pub(super) fn problem(status: u16, slug: &str, title: &str, detail: Option<&str>) -> String {
        let mut problem = Problem::new(status, title).with_kind(format!("{}{slug}", Problem::NAMESPACE));
        problem.detail = detail.map(str::to_owned);
        serde_json::to_string(&problem).unwrap()
    }

    #[test]
    fn the_detail_of_a_problem_is_shown() {
        let body = problem(404, "unknown-notification", "Not Found", Some("no such notification"));
        assert_eq!(of(404, &body).kind(), ServiceErrorKind::Unknown);
        assert_eq!(text(404, &body), "the server answered 404: no such notification");
        let body = problem(404, "unknown-notification", "Not Found", None);
        assert_eq!(text(404, &body), "the server answered 404: Not Found");
    }

    #[test]
    fn a_wait_is_for_what_may_be_sent_again() {
        let wait = Duration::from_secs(7);
        let response = |status, body: &str| HttpResponse::new(status, body).with_retry_after(wait);
        let error = |status, body: &str| CallError::of_response(&response(status, body), "s3cret");
        assert_eq!(error(503, "").retry_after(), Some(wait));
        assert_eq!(error(302, "").retry_after(), Some(wait));
        assert_eq!(error(422, &problem(422, "invalid", "t", None)).retry_after(), None);
    }

    #[test]
    fn the_servers_text_is_bounded_and_printable() {
        let detail = format!("\u{1b}[31m\u{202e}{}", "x".repeat(5_000));
        let shown = text(500, &problem(500, "internal", "t", Some(&detail)));
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
            problem(401, "unauthenticated", "t", Some("bad token s3cret")),
            problem(401, "unauthenticated", "bad token s3cret", None),
        ] {
            assert_eq!(text(401, &body), "the server answered 401");
        }
    }
}
