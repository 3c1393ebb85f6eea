use black_box_support::Caller;
use internal_notifications_pusher::models::{Head, InboxNotification, InboxPage};
use serde_json::Value;

/// A whole inbox as the server returns it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Inbox {
    pub(crate) head: Head,
    /// Newest first.
    pub(crate) rows: Vec<InboxNotification>,
}

impl Inbox {
    /// Reads all pages. Returns `None` if the inbox changed meanwhile or the server did not answer.
    pub(crate) async fn read(user: &mut Caller) -> Option<Self> {
        let head: Head = get(user, "/v1/inbox/head").await?;
        let mut inbox = Self { head, rows: Vec::new() };
        let mut path = "/v1/inbox?limit=200".to_owned();
        loop {
            let page: InboxPage = get(user, &path).await?;
            if page.head != inbox.head {
                return None;
            }
            inbox.rows.extend(page.notifications);
            let Some(next) = page.next else { return Some(inbox) };
            path = format!("/v1/inbox?limit=200&before={next}");
        }
    }
}

async fn get<T: serde::de::DeserializeOwned>(user: &mut Caller, path: &str) -> Option<T> {
    let answer = user.send("GET", path, &Value::Null).await.ok()?;
    serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200)
}
