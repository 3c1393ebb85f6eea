use crate::support::tail::Tail;
use crate::support::view::View;
use black_box_support::Caller;
use serde_json::Value;
use std::collections::BTreeSet;

/// A whole inbox as the server shows it.
#[derive(Debug, PartialEq)]
pub(crate) struct Inbox {
    pub(crate) rows: Vec<Value>,
    pub(crate) seq: u64,
    pub(crate) tag: Value,
    pub(crate) pending: u64,
}

impl Inbox {
    /// Reads all pages, while nothing changes.
    pub(crate) async fn read(user: &mut Caller) -> Self {
        let mut page = user.get("/v1/inbox?limit=200").await.with(200);
        let head = |page: &Value| {
            (page["seq"].as_u64().unwrap(), page["tag"].clone(), page["pending"].as_u64().unwrap())
        };
        let (seq, tag, pending) = head(&page);
        let mut rows = Vec::new();
        loop {
            rows.extend(page["notifications"].as_array().unwrap().iter().cloned());
            let Some(next) = page["next"].as_u64() else { break };
            page = user.get(&format!("/v1/inbox?limit=200&before={next}")).await.with(200);
            assert_eq!(head(&page), (seq, tag.clone(), pending), "it changed meanwhile");
        }
        let unopened = rows.iter().filter(|row| row["opened"] == false).count();
        assert_eq!(u64::try_from(unopened).unwrap(), pending, "the count is that of the list");
        Self { rows, seq, tag, pending }
    }

    /// The ids, each of which is there once.
    #[track_caller]
    pub(crate) fn ids(&self) -> BTreeSet<&str> {
        let ids: BTreeSet<&str> = self.rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), self.rows.len(), "an id stands there twice");
        ids
    }

    /// The view knows the same: position, count, and every row that it holds.
    #[track_caller]
    pub(crate) fn is_that_of(&self, view: &View) {
        view.is_flawless();
        assert_eq!((view.seq, &view.tag, view.pending), (self.seq, &self.tag, self.pending));
        let held = if view.resets == 0 { self.rows.len() } else { view.rows.len() };
        assert!(self.rows.len() >= held && held >= self.rows.len().min(200), "{held} of {}", self.rows.len());
        assert_eq!(view.rows.len(), held);
        let differing = self.rows.iter().zip(&view.rows).find(|(server, view)| server != view);
        assert_eq!(differing, None, "a row of the server's, and of the client's");
    }
}

/// Waits until the tail is where the server is, and compares everything.
pub(crate) async fn converges(tail: &mut Tail, user: &mut Caller) -> Inbox {
    let inbox = Inbox::read(user).await;
    let arrived = |view: &View| (view.seq, &view.tag) == (inbox.seq, &inbox.tag);
    tail.until(&format!("at {} {}", inbox.seq, inbox.tag), arrived).await;
    inbox.is_that_of(&tail.view());
    inbox
}
