use crate::support::inbox::{Inbox, converge};
use crate::support::server::{Server, token};
use crate::support::tail::Tail;
use black_box_support::{Answer, Http};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::json;

/// A server under attack. Two users have an inbox, ada's is tailed, and wrong answers are
/// collected.
pub(crate) struct Target {
    pub(crate) server: Server,
    /// A valid token of ada, who may not push to others.
    pub(crate) ada: String,
    tail: Tail,
    /// How often the tail was offline before the attack; once before it is first live.
    offline: u32,
    pid: Option<u32>,
    before: [Inbox; 2],
    flaws: Vec<String>,
}

impl Target {
    pub(crate) async fn start() -> Self {
        let server = Server::start().await;
        let mut shop = server.backend();
        for id in ["one", "two", "three"] {
            let notification = json!({"id": id, "content": id, "payload": {"secret": "of ada and bob"}});
            assert!(shop.push(&["ada", "bob"], &notification).await.unwrap());
        }
        let mut ada = server.user("ada");
        ada.post("/v1/inbox/opened", &json!({"ids": ["two"]})).await.with(200);
        let before = [Inbox::read(&mut ada).await, Inbox::read(&mut server.user("bob")).await];
        let mut tail = Tail::start("ada", &server.url());
        tail.live().await;
        let offline = tail.view().offline;
        Self { pid: server.pid(), ada: token("ada", &[]), before, tail, offline, server, flaws: Vec::new() }
    }

    /// Sends a request, and checks the status of the answer. From 400 on the body must be a problem
    /// (RFC 9457).
    pub(crate) async fn expect(&mut self, what: &str, status: u16, request: Request<Full<Bytes>>) {
        let answer = self.answer(request).await;
        let flaw = match (&answer, status) {
            (Err(error), _) => Some(error.clone()),
            (Ok(answer), 400..) => answer.flaw_as_problem(status),
            (Ok(answer), _) => (answer.status != status).then(|| format!("{answer:?} instead of {status}")),
        };
        self.check(what, flaw);
    }

    /// Sends a request to the broker, which answers in plain text, and checks the status.
    pub(crate) async fn expect_plain(&mut self, what: &str, status: u16, request: Request<Full<Bytes>>) {
        let answer = self.answer(request).await;
        let is_right = answer.as_ref().is_ok_and(|answer| answer.status == status);
        self.check(what, (!is_right).then(|| format!("{answer:?} instead of {status}")));
    }

    /// Sends a request, and returns the answer.
    pub(crate) async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, String> {
        Http::to(self.server.address).send(request).await.map_err(|error| error.to_string())
    }

    /// Collects a flaw, if there is one.
    pub(crate) fn check(&mut self, what: &str, flaw: Option<String>) {
        self.flaws.extend(flaw.map(|flaw| format!("{what}: {flaw}")));
    }

    /// Asserts that there were no flaws, and that the same process still serves, without any change
    /// to the inboxes.
    pub(crate) async fn assert_unharmed(mut self) {
        assert!(self.flaws.is_empty(), "{} flaws:\n{}", self.flaws.len(), self.flaws.join("\n"));
        assert_eq!(self.server.pid(), self.pid, "the process was replaced");
        for path in ["/health/live", "/health/ready"] {
            self.server.caller("nobody").get(path).await.with(200);
        }
        let (mut ada, mut bob) = (self.server.user("ada"), self.server.user("bob"));
        assert_eq!([Inbox::read(&mut ada).await, Inbox::read(&mut bob).await], self.before);
        let notification = json!({"id": "after the attack", "content": "c"});
        assert!(self.server.backend().push(&["ada"], &notification).await.unwrap());
        converge(&mut self.tail, &mut ada).await;
        let view = self.tail.view();
        assert_eq!(
            view.added.keys().collect::<Vec<_>>(),
            ["after the attack"],
            "something else was delivered"
        );
        assert_eq!((view.offline, view.snapshots), (self.offline, 1), "the tail was cut off");
    }
}

/// Builds a request with a bearer token, as a client on this machine sends it.
pub(crate) fn request(
    method: &str,
    path: &str,
    bearer: &str,
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    with_headers(method, path, &[("host", "localhost"), ("authorization", &format!("Bearer {bearer}"))], body)
}

/// Builds a request with these headers alone.
pub(crate) fn with_headers(
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Request<Full<Bytes>> {
    let request = Request::builder().method(method).uri(target);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    request.body(Full::new(body.into())).unwrap()
}

/// Returns this many opening brackets, followed by as many closing ones.
pub(crate) fn brackets(count: usize) -> String {
    format!("{}{}", "[".repeat(count), "]".repeat(count))
}
