/// Why a run cannot continue, usually a problem of the machine. Faulty behaviour of the servers is
/// a finding instead.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;
