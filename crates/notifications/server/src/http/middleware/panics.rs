use std::any::Any;

use axum::response::{IntoResponse, Response};

use super::problem::{ApiError, Kind};

/// The answer to a request whose handler panicked. The panic's text may hold anything, and is not for the caller.
pub(super) fn answer(panic: Box<dyn Any + Send>) -> Response {
    let text = panic.downcast_ref::<&str>().copied().or(panic.downcast_ref::<String>().map(String::as_str));
    let cause = format!("panic: {}", text.unwrap_or("without a text"));
    ApiError::bare(Kind::Internal).with_cause(cause).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_is_answered_without_its_text() {
        let response = answer(Box::new("the secret of the house".to_owned()));
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()["content-type"], "application/problem+json");
    }
}
