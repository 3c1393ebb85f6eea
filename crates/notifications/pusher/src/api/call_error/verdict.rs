use internal_notifications_models::Head;
use internal_notifications_service::{ServiceError, ServiceErrorKind};

use super::{Answer, CallError, kind_of_status};

const NO_SUCH_ROUTE: &str = "no-such-route";

/// What a service makes of the error.
impl CallError {
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

    /// Returns the head of the inbox, which the server sends with a rejected write.
    pub(crate) fn head(&self) -> Option<Head> {
        match &self.answer {
            Answer::Refusal { problem, .. } => problem.as_ref().and_then(|problem| problem.head),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use internal_notifications_models::{Position, Problem};

    use super::super::parse_object;
    use super::super::tests::{of, problem};
    use super::*;

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
    fn a_rejected_write_has_the_head_of_the_problem() {
        let kind = format!("{}unknown-notification", Problem::NAMESPACE);
        let problem = Problem::new(404, "Not Found").with_kind(kind);
        let problem = problem.with_head(Head::new(Position::default(), 0));
        let error = of(404, &serde_json::to_string(&problem).unwrap());
        assert_eq!(error.head(), Some(Head::default()));
        assert_eq!(of(404, "").head(), None);
    }
}
