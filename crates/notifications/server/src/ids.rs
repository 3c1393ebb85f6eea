use uuid::Uuid;

/// Generates ids for notifications and requests. Replace it to make tests deterministic.
pub trait IdGenerator: Send + Sync + 'static {
    /// Returns an id that was never returned before: 1 to 128 printable ASCII characters.
    fn next_id(&self) -> String;
}

/// UUIDs that sort by the time of their creation (version 7, RFC 9562).
#[derive(Clone, Copy, Debug, Default)]
pub struct UuidV7;

impl IdGenerator for UuidV7 {
    fn next_id(&self) -> String {
        Uuid::now_v7().to_string()
    }
}
