/// A kind of call that [`MockService::fail_next`](crate::MockService::fail_next) can make fail, and
/// [`MockService::hold`](crate::MockService::hold) can make hang.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Call {
    /// `init`.
    Init,
    /// `subscribe`.
    Subscribe,
    /// `wake`.
    Wake,
    /// `push`.
    Push,
    /// `mark_opened`, `mark_unopened`, `mark_all_opened` and `remove`.
    Write,
    /// `load_older`.
    LoadOlder,
}
