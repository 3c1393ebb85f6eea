/// A number of events and a number of bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Size {
    pub(super) events: usize,
    pub(super) bytes: usize,
}
