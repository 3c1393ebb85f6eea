use uuid::Uuid;

/// Where new ids come from. A part of its own so that a simulation can have its own.
pub trait Ids: Send + Sync + 'static {
    /// An id that nobody had before: 1 to 128 printable ASCII characters.
    fn next(&self) -> String;
}

/// UUIDs that sort by their time (version 7, RFC 9562).
#[derive(Clone, Copy, Debug, Default)]
pub struct UuidV7;

impl Ids for UuidV7 {
    fn next(&self) -> String {
        Uuid::now_v7().to_string()
    }
}
