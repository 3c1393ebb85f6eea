use std::time::Duration;

use internal_notifications_models::{Head, Problem};
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

    /// Returns whether the request was refused for good: a write is then rolled back.
    pub(crate) fn is_final(&self) -> bool {
        match &self.answer {
            Answer::Refusal { status: 404, problem } => {
                problem.as_ref().and_then(|problem| problem.slug()) != Some(NO_SUCH_ROUTE)
            }
            Answer::Refusal { status, .. } => matches!(status, 400 | 403 | 409 | 413 | 422),
            Answer::None => self.kind() == ServiceErrorKind::Invalid,
            Answer::Foreign(_) | Answer::Unreadable => false,
        }
    }

    /// Returns whether the answer suggests that there is no inbox server at this URL.
    pub(crate) fn denies_server(&self) -> bool {
        match &self.answer {
            Answer::Foreign(status) => matches!(status, 200..=299 | 404 | 405 | 410 | 501),
            Answer::Refusal { problem, .. } => {
                problem.as_ref().and_then(|problem| problem.slug()) == Some(NO_SUCH_ROUTE)
            }
            Answer::None | Answer::Unreadable => false,
        }
    }

    /// Returns the error of an endpoint that need not be an inbox server's, so that its status
    /// alone decides.
    pub(crate) fn of_any_endpoint(self) -> ServiceError {
        match self.answer {
            Answer::Foreign(status) if !(200..=299).contains(&status) => {
                ServiceError::new(kind_of_status(status), format!("the server answered {status}"))
            }
            _ => self.error,
        }
    }

    /// Returns how long the server asks not to repeat the request.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Returns the head of the inbox, which the server sends with a rejected write.
    #[cfg_attr(not(feature = "websocket"), expect(dead_code))]
    pub(crate) fn head(&self) -> Option<Head> {
        match &self.answer {
            Answer::Refusal { problem, .. } => problem.as_ref().and_then(|problem| problem.head),
            _ => None,
        }
    }
}

pub(super) fn parse_object<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body).map(|Object(value)| value)
}

const NO_SUCH_ROUTE: &str = "no-such-route";

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
mod tests {
    use internal_notifications_models::Position;

    use super::*;

    fn of(status: u16, body: &str) -> CallError {
        CallError::of_response(&HttpResponse::new(status, body), "s3cret")
    }

    fn text(status: u16, body: &str) -> String {
        ServiceError::from(of(status, body)).to_string()
    }

    fn problem(status: u16, slug: &str, title: &str, detail: Option<&str>) -> String {
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
    fn an_array_is_no_problem_and_no_answer() {
        let array = r#"["urn:internal-notifications:invalid","t",422,null]"#;
        assert!(serde_json::from_str::<Problem>(array).is_ok());
        assert!(parse_object::<Problem>(array.as_bytes()).is_err() && !of(422, array).is_final());
    }

    #[test]
    fn only_a_problem_of_an_inbox_server_is_final() {
        for status in [400, 403, 404, 409, 413, 422] {
            let error = of(status, &problem(status, "slug", "t", None));
            assert!(error.is_final() && !error.is_retryable(), "{status}");
            let blank = format!(r#"{{"type":"about:blank","title":"t","status":{status}}}"#);
            for body in ["", "<html>", "[]", "{\"title\":7}", "\u{0}", blank.as_str()] {
                let error = of(status, body);
                assert!(!error.is_final() && error.is_retryable(), "{status} {body}");
                assert!(ServiceError::from(error).is_retryable(), "{status} {body}");
            }
        }
        for status in [200, 204, 301, 302, 405, 408, 418, 421, 429, 500, 503] {
            assert!(!of(status, &problem(status, "slug", "t", None)).is_final(), "{status}");
            assert!(of(status, "").is_retryable() && !of(status, "").is_final(), "{status}");
        }
        assert!(!of(404, &problem(404, NO_SUCH_ROUTE, "t", None)).is_final());
        for body in ["", &problem(401, "unauthenticated", "t", None)] {
            let error = of(401, body);
            assert_eq!((error.kind(), error.is_final()), (ServiceErrorKind::Unauthorized, false));
        }
    }

    #[test]
    fn a_success_that_cannot_be_read_is_worth_a_repeat() {
        let error = |body: &str| CallError::of_body(200, &serde_json::from_str::<Head>(body).unwrap_err());
        for (body, kind) in [
            ("<html>", ServiceErrorKind::Unavailable),
            ("", ServiceErrorKind::Unavailable),
            (r#"{"seq":"x"}"#, ServiceErrorKind::Protocol),
        ] {
            let error = error(body);
            assert_eq!((error.kind(), error.is_retryable(), error.is_final()), (kind, true, false), "{body}");
        }
    }

    #[test]
    fn a_page_or_an_unknown_route_shows_that_there_is_no_inbox_server() {
        for (status, denies) in
            [(200, true), (404, true), (405, true), (302, false), (403, false), (503, false)]
        {
            assert_eq!(of(status, "<html>").denies_server(), denies, "{status}");
        }
        assert!(of(404, &problem(404, NO_SUCH_ROUTE, "t", None)).denies_server());
        assert!(!of(404, &problem(404, "unknown-notification", "t", None)).denies_server());
    }

    #[test]
    fn the_status_of_an_endpoint_that_is_no_inbox_servers_decides() {
        for (status, kind) in [
            (403, ServiceErrorKind::Forbidden),
            (404, ServiceErrorKind::Unknown),
            (503, ServiceErrorKind::Unavailable),
            (200, ServiceErrorKind::Unavailable),
        ] {
            assert_eq!(of(status, "<html>").of_any_endpoint().kind(), kind, "{status}");
        }
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

    #[test]
    #[cfg(feature = "websocket")]
    fn a_rejected_write_has_the_head_of_the_problem() {
        let kind = format!("{}unknown-notification", Problem::NAMESPACE);
        let problem = Problem::new(404, "Not Found").with_kind(kind);
        let problem = problem.with_head(Head::new(Position::default(), 0));
        let error = of(404, &serde_json::to_string(&problem).unwrap());
        assert_eq!(error.head(), Some(Head::default()));
        assert_eq!(of(404, "").head(), None);
    }
}
