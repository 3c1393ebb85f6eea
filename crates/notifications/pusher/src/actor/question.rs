use internal_notifications_models::{ChangesAnswer, Head, InboxPage, MAX_IDS, Position, RealtimeInfo};
use internal_notifications_service::Ask;

use crate::api::InboxApi;
use crate::refusal::Refusal;

/// Changes asked for at once: the most that the server gives.
const CHANGES: usize = MAX_IDS;

/// What the actor asks the server.
pub(super) enum Question {
    /// What the replica wants.
    Inbox(Ask),
    /// A position check.
    Head,
    /// Where the live channel is.
    Realtime,
}

/// An answer, and where the replica was when it was asked for.
pub(super) struct Answered {
    pub(super) asked_at: Position,
    pub(super) reply: Result<Reply, Refusal>,
}

pub(super) enum Reply {
    Page(InboxPage),
    Older(u64, InboxPage),
    Changes(ChangesAnswer),
    Head(Head),
    Realtime(Box<RealtimeInfo>),
}

impl Question {
    /// `page` is how many notifications a snapshot has.
    pub(super) async fn ask(self, api: &InboxApi, asked_at: Position, page: usize) -> Answered {
        let reply = match self {
            Self::Inbox(Ask::Changes { after }) => api.changes(after, CHANGES).await.map(Reply::Changes),
            Self::Inbox(Ask::Older { before, limit }) => {
                api.older(before, limit).await.map(|page| Reply::Older(before, page))
            }
            Self::Inbox(_) => api.page(page).await.map(Reply::Page),
            Self::Head => api.head().await.map(Reply::Head),
            Self::Realtime => api.realtime().await.map(|info| Reply::Realtime(Box::new(info))),
        };
        Answered { asked_at, reply }
    }
}
