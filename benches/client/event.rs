use pusher_client::protocol::published_event;
use serde::{Deserialize, Serialize};

pub(crate) const CHANNEL: &str = "news";
pub(crate) const NAME: &str = "notification";

/// The length of each event's frame text in bytes.
const LENGTH: usize = 408;

/// The app's type for an event's data.
#[derive(Deserialize, Serialize)]
pub(crate) struct Notification {
    id: String,
    heading: String,
    content: String,
    order: u64,
    seq: u64,
    pending: u32,
}

/// Returns the text of an event's frame as a Channels server sends it.
pub(crate) fn text() -> String {
    let text_with = |content: String| {
        let notification = Notification {
            id: "01a0c8f2-6f0e-7bd4-9d2a-5c1f0e3b7a90".to_owned(),
            heading: "Your order is on its way".to_owned(),
            content,
            order: 1815,
            seq: 21_000,
            pending: 7,
        };
        published_event(NAME, CHANNEL, &serde_json::to_string(&notification).unwrap())
    };
    let overhead = text_with(String::new()).len();
    let text = text_with("A parcel has come. ".chars().cycle().take(LENGTH - overhead).collect());
    assert_eq!(text.len(), LENGTH);
    text
}
