use crate::support::tail::Tail;
use crate::support::view::View;
use black_box_support::Caller;
use serde_json::Value;
use std::collections::BTreeSet;

/// A whole inbox as the server returns it.
#[derive(Debug, PartialEq)]
pub(crate) struct Inbox {
    pub(crate) rows: Vec<Value>,
    pub(crate) seq: u64,
    pub(crate) tag: Value,
    pub(crate) pending: u64,
}

impl Inbox {
    /// Reads all pages. Nothing may change meanwhile.
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
            assert_eq!(head(&page), (seq, tag.clone(), pending), "the inbox changed meanwhile");
        }
        let unopened = rows.iter().filter(|row| row["opened"] == false).count();
        assert_eq!(u64::try_from(unopened).unwrap(), pending, "the count differs from the list");
        Self { rows, seq, tag, pending }
    }

    /// Returns the ids, and asserts that none occurs twice.
    #[track_caller]
    pub(crate) fn ids(&self) -> BTreeSet<&str> {
        let ids: BTreeSet<&str> = self.rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
        assert_eq!(ids.len(), self.rows.len(), "an id occurs twice");
        ids
    }

    /// Asserts that a view has the same position, the same count, and the same rows as far as it
    /// holds them.
    #[track_caller]
    pub(crate) fn assert_equals(&self, view: &View) {
        view.assert_no_flaws();
        assert_eq!((view.seq, &view.tag, view.pending), (self.seq, &self.tag, self.pending));
        let held = if view.resets == 0 { self.rows.len() } else { view.rows.len() };
        assert!(self.rows.len() >= held && held >= self.rows.len().min(200), "{held} of {}", self.rows.len());
        assert_eq!(view.rows.len(), held);
        let differing = self.rows.iter().zip(&view.rows).find(|(server, view)| server != view);
        assert_eq!(differing, None, "the first differing row, as the server and as the client have it");
    }
}

/// Waits until the tail has reached the server's position, compares everything, and returns the
/// server's inbox.
pub(crate) async fn converge(tail: &mut Tail, user: &mut Caller) -> Inbox {
    let inbox = Inbox::read(user).await;
    let arrived = |view: &View| (view.seq, &view.tag) == (inbox.seq, &inbox.tag);
    tail.until(&format!("at {} {}", inbox.seq, inbox.tag), arrived).await;
    inbox.assert_equals(&tail.view());
    inbox
}
