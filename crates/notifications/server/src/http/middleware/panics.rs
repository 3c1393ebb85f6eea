use std::any::Any;

use axum::response::{IntoResponse, Response};

use crate::http::problem::{ApiError, Kind};

/// Answers a request whose handler panicked. The panic message may contain anything, so it is
/// logged and not sent to the caller.
pub(in crate::http) fn answer(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    let cause = format!("panic: {}", text.unwrap_or("without a message"));
    ApiError::bare(Kind::Internal).with_cause(cause).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_to_a_panic_leaves_its_message_out() {
        let response = answer(Box::new("the secret of the house".to_owned()));
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
}
