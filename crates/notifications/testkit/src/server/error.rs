use std::fmt;

/// Why a test server cannot do its part: the machine does not let it. Reads as a sentence.
#[derive(Debug)]
pub struct TestServerError(String);

impl TestServerError {
    pub(super) fn new(what: &str, cause: &dyn fmt::Display) -> Self {
        Self(format!("{what}: {cause}"))
    }
}

impl fmt::Display for TestServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TestServerError {}
