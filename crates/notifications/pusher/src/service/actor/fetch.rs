use internal_notifications_models::{ChangesAnswer, Head, InboxPage, MAX_IDS, Position, RealtimeInfo};
use internal_notifications_service::InboxQuery;

use crate::api::{CallError, InboxApi};

/// How many changes are fetched at once: the server's maximum.
const CHANGES: usize = MAX_IDS;

/// A fetch from the server.
pub(super) enum Fetch {
    /// Records that the replica needs.
    Inbox(InboxQuery),
    /// The head, for a position check.
    Head,
    /// The address of the live channel.
    Realtime,
}

/// The result of a fetch.
pub(super) struct Fetched {
    /// The position of the replica when the fetch began.
    pub(super) position: Position,
    pub(super) response: Result<Response, CallError>,
}

pub(super) enum Response {
    Page(InboxPage),
    /// A page of the notifications before a seq.
    Older(u64, InboxPage),
    Changes(ChangesAnswer),
    Head(Head),
    Realtime(Box<RealtimeInfo>),
}

impl Fetch {
    /// Runs the fetch. A snapshot has `page` notifications.
    pub(super) async fn run(self, api: &InboxApi, position: Position, page: usize) -> Fetched {
        let response = match self {
            Self::Inbox(InboxQuery::Changes { after }) => {
                api.changes(after, CHANGES).await.map(Response::Changes)
            }
            Self::Inbox(InboxQuery::Older { before, limit }) => {
                api.older(before, limit).await.map(|page| Response::Older(before, page))
            }
            Self::Inbox(_) => api.page(page).await.map(Response::Page),
            Self::Head => api.head().await.map(Response::Head),
            Self::Realtime => api.realtime().await.map(|info| Response::Realtime(Box::new(info))),
        };
        Fetched { position, response }
    }
}
