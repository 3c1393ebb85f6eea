use internal_notifications_models::{
    ChangesAnswer, Head, InboxPage, MAX_IDS, Position, RealtimeInfo, ResetReason,
};
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
    Changes(ChangesAnswer),
    Head(Head),
    Realtime(Box<RealtimeInfo>),
}

impl Question {
    pub(super) async fn ask(self, api: &InboxApi, asked_at: Position, window: usize) -> Answered {
        let reply = match self {
            Self::Inbox(Ask::Changes { after }) => changes(api, after, window).await.map(Reply::Changes),
            Self::Inbox(_) => api.page(window).await.map(Reply::Page),
            Self::Head => api.head().await.map(Reply::Head),
            Self::Realtime => api.realtime().await.map(|info| Reply::Realtime(Box::new(info))),
        };
        Answered { asked_at, reply }
    }
}

/// The changes after a position. A reset's snapshot that does not fill the window is asked for again, as large as it should be.
async fn changes(api: &InboxApi, after: Position, window: usize) -> Result<ChangesAnswer, Refusal> {
    let answer = api.changes(after, CHANGES).await?;
    let short = |page: &InboxPage| page.next.is_some() && page.notifications.len() < window;
    let reason = match &answer {
        ChangesAnswer::Reset { reason, snapshot } if short(snapshot) => Some(*reason),
        _ => None,
    };
    match reason {
        Some(reason) => snapshot(api, reason, window).await,
        None => Ok(answer),
    }
}

async fn snapshot(api: &InboxApi, reason: ResetReason, window: usize) -> Result<ChangesAnswer, Refusal> {
    Ok(ChangesAnswer::Reset { reason, snapshot: api.page(window).await? })
}
