/// Bytes of bodies after which an answer ends.
pub(crate) const BYTES: usize = 1024 * 1024;
/// The most notifications of a reset's snapshot.
pub(crate) const SNAPSHOT: usize = 200;
