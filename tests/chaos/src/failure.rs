/// Why a run could not do its part: the machine does not let it. What the servers do wrong is no failure but a finding.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
