use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A failure of the machine that a test server runs on, such as a port that is not available.
#[derive(Clone, Debug)]
pub struct TestServerError {
    what: &'static str,
    cause: Option<Arc<dyn Error + Send + Sync>>,
}

impl TestServerError {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, cause: None }
    }

    pub(super) fn caused_by(what: &'static str, cause: impl Error + Send + Sync + 'static) -> Self {
        Self { what, cause: Some(Arc::new(cause)) }
    }
}

impl fmt::Display for TestServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.what)
    }
}

impl Error for TestServerError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}
