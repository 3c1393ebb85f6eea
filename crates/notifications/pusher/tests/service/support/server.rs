use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use internal_notifications_pusher::contract::{
    InboxCommand, InboxLog, Refused, ServiceError, ServiceErrorKind,
};
use internal_notifications_pusher::models::{
    Change, ChangesAnswer, InternalNotification, LiveEvent, MarkRequest, NotificationId, OpId, Position,
    Problem, PushRequest, RealtimeInfo, Receipt, Tag, Timestamp, WriteAnswer,
};
use internal_notifications_pusher::{HttpClient, HttpMethod, HttpRequest, HttpResponse};
use pusher_broker::{Broker, EventName, Limits, Signer};
use reqwest::Url;
use serde::Serialize;
use serde_json::Value;

/// How long a request takes.
const LATENCY: Duration = Duration::from_millis(5);

/// An inbox server in memory. Its live events go through a real broker.
#[derive(Clone)]
pub struct Server {
    pub broker: Broker,
    world: Arc<Mutex<World>>,
}

#[derive(Default)]
pub struct World {
    pub logs: BTreeMap<String, InboxLog>,
    /// The user of each token.
    pub tokens: HashMap<String, String>,
    /// All requests.
    pub seen: Vec<Seen>,
    /// Faults of the next request whose path contains the text.
    faults: VecDeque<(&'static str, Fault)>,
    /// Whether changes are not published.
    pub mute: bool,
    /// Whether all requests fail.
    pub is_down: bool,
    /// How many requests a login page has answered, if one answers all of them.
    pub portal: Option<usize>,
    /// The log that catch-ups are answered from, instead of the real one.
    pub stale: Option<InboxLog>,
    /// Whether requests for older pages fail.
    pub fails_older: bool,
    /// The paths of the writes received.
    pub writes: Vec<String>,
    /// The host of the live channel, if not the server's.
    pub live_host: Option<String>,
    /// Whether subscriptions are rejected.
    pub rejects_channels: bool,
    tags: u64,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub path: String,
    pub query: HashMap<String, String>,
    pub token: String,
    pub body: Value,
}

#[derive(Clone)]
pub enum Fault {
    /// The request fails.
    Unreachable,
    /// The request is processed, and its response is lost.
    ResponseLost,
    /// There is no response.
    Silence,
    /// This response.
    Response(HttpResponse),
}

impl Fault {
    /// Something else than the inbox server answers.
    pub fn foreign(status: u16) -> Self {
        Self::Response(HttpResponse::new(status, "<html>"))
    }

    /// The inbox server refuses the request.
    pub fn refusal(status: u16) -> Self {
        Self::Response(problem(status, "not this time", None))
    }
}

impl Server {
    /// Creates a server that knows ada by the token `ada-token` and bob by `bob-token`.
    pub fn new() -> Self {
        let mut limits = Limits::default();
        limits.send_queue = 10_000;
        let tokens = [("ada-token", "ada"), ("bob-token", "bob")];
        let tokens = tokens.map(|(token, user)| (token.to_owned(), user.to_owned())).into();
        let world = World { tokens, ..World::default() };
        let broker = Broker::builder("1", Signer::new("app-key", "app-secret")).limits(limits).build();
        Self { broker, world: Arc::new(Mutex::new(world)) }
    }

    pub fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    pub fn fail(&self, path: &'static str, fault: Fault) {
        self.world().faults.push_back((path, fault));
    }

    /// Returns the requests so far whose path contains this text.
    pub fn seen(&self, path: &str) -> Vec<Seen> {
        self.world().seen.iter().filter(|seen| seen.path.contains(path)).cloned().collect()
    }

    /// Adds a notification to an inbox, and publishes it.
    pub fn add(&self, user: &str, id: &str) -> Change {
        let change =
            self.world().add(user, id, &InternalNotification::new(format!("content of {id}"))).unwrap();
        self.publish(user, &change);
        change
    }

    /// Adds a notification without publishing it.
    pub fn add_silently(&self, user: &str, id: &str) -> Change {
        self.world().add(user, id, &InternalNotification::new(format!("content of {id}"))).unwrap()
    }

    /// Writes as from another device, and publishes the change.
    pub fn write(&self, user: &str, command: InboxCommand) -> Result<WriteAnswer, Refused> {
        let (answer, change) = self.world().write(user, &command, None)?;
        change.into_iter().for_each(|change| self.publish(user, &change));
        Ok(answer)
    }

    fn publish(&self, user: &str, change: &Change) {
        if !self.world().mute {
            let (event, data) = LiveEvent::encode(change, 10_240);
            self.trigger(user, event, &data);
        }
    }

    /// Publishes an event on a user's channel.
    pub fn trigger(&self, user: &str, event: &str, data: &str) {
        let channel = format!("private-{user}").parse().unwrap();
        self.broker.publish(&channel, &EventName::new(event).unwrap(), data, None).unwrap();
    }

    fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let Some(user) = self.world().tokens.get(&request.bearer_token).cloned() else {
            return problem(401, "unknown token", None);
        };
        let url = Url::parse(&request.url).unwrap();
        let query: HashMap<_, _> = url.query_pairs().into_owned().collect();
        let body = request.body.as_ref().map(|body| body.bytes.as_slice()).unwrap_or_default();
        let limit = query.get("limit").map_or(50, |limit| limit.parse().unwrap());
        let number = |name: &str| query.get(name).map(|number| number.parse::<u64>().unwrap());
        let mut world = self.world();
        if request.method != HttpMethod::Get && url.path().starts_with("/v1/inbox") {
            world.writes.push(url.path().to_owned());
        }
        let log = world.logs.entry(user.clone()).or_default();
        let written = match (request.method, url.path()) {
            (HttpMethod::Get, "/v1/realtime") => {
                let host = world.live_host.clone();
                let scheme = host.is_some().then(|| "http".to_owned());
                let mut info = realtime(&user);
                (info.host, info.scheme) = (host, scheme);
                return ok(&info);
            }
            (HttpMethod::Get, "/v1/inbox") => {
                assert!(limit <= 200);
                return ok(&log.page(limit, number("before")));
            }
            (HttpMethod::Get, "/v1/inbox/head") => return ok(&log.head()),
            (HttpMethod::Get, "/v1/inbox/changes") => {
                assert!(limit <= 500);
                let tag = query.get("tag").map(|tag| tag.parse::<Tag>().unwrap());
                let after = Position { seq: number("after").unwrap(), tag };
                let log = log.clone();
                return ok::<ChangesAnswer>(&world.stale.as_ref().unwrap_or(&log).changes(after, limit, 50));
            }
            (HttpMethod::Post, "/pusher/auth") => {
                let form: HashMap<String, String> = serde_urlencoded::from_bytes(body).unwrap();
                let channel = form["channel_name"].parse().unwrap();
                if world.rejects_channels || form["channel_name"] != format!("private-{user}") {
                    return problem(403, "not your channel", None);
                }
                let socket_id = form["socket_id"].parse().unwrap();
                let signer = Signer::new("app-key", "app-secret");
                return ok(&signer.authorize_channel(&socket_id, &channel, None).unwrap());
            }
            (HttpMethod::Post, "/pusher/user-auth") => {
                let form: HashMap<String, String> = serde_urlencoded::from_bytes(body).unwrap();
                let data = serde_json::json!({"id": user}).to_string();
                let signer = Signer::new("app-key", "app-secret");
                return ok(&signer.authenticate_user(&form["socket_id"].parse().unwrap(), &data).unwrap());
            }
            (HttpMethod::Post, "/v1/notifications") => {
                let push: PushRequest = serde_json::from_slice(body).unwrap();
                let id = push.notification.id.clone().unwrap();
                let mut changes = Vec::new();
                for to in &push.user_ids {
                    let change = world.add(to.as_str(), id.as_str(), &push.notification);
                    changes.extend(change.map(|change| (to.to_string(), change)));
                }
                drop(world);
                changes.iter().for_each(|(to, change)| self.publish(to, change));
                let accepted = changes.len() as u64;
                let duplicates = push.user_ids.len() as u64 - accepted;
                return ok(&Receipt::new(id).with_accepted(accepted).with_duplicates(duplicates));
            }
            (HttpMethod::Post, path @ ("/v1/inbox/opened" | "/v1/inbox/unopened")) => {
                let mark: MarkRequest = serde_json::from_slice(body).unwrap();
                mark.target().unwrap();
                let command = match (mark.ids, path) {
                    (Some(ids), "/v1/inbox/opened") => InboxCommand::Opened(ids),
                    (Some(ids), _) => InboxCommand::Unopened(ids),
                    (None, _) => InboxCommand::OpenedAll { through: mark.through, tag: mark.tag },
                };
                world.write(&user, &command, mark.op.as_ref())
            }
            (HttpMethod::Delete, path) => {
                let id = NotificationId::new(path.strip_prefix("/v1/inbox/notifications/").unwrap()).unwrap();
                let op = query.get("op").map(|op| OpId::new(op).unwrap());
                world.write(&user, &InboxCommand::Remove(id), op.as_ref())
            }
            _ => return problem(404, "no such route", None),
        };
        let head = world.logs.entry(user.clone()).or_default().head();
        drop(world);
        match written {
            Ok((answer, change)) => {
                change.into_iter().for_each(|change| self.publish(&user, &change));
                ok(&answer)
            }
            Err(Refused::Unknown) => problem(404, "no such notification", Some(head)),
            Err(_) => problem(409, "another history", Some(head)),
        }
    }
}

impl World {
    /// Removes all faults.
    pub fn heal(&mut self) {
        self.faults.clear();
    }

    pub fn has_faults(&self) -> bool {
        !self.faults.is_empty()
    }

    fn tag(&mut self) -> Tag {
        self.tags += 1;
        Tag::from_bits(self.tags)
    }

    fn add(&mut self, user: &str, id: &str, notification: &InternalNotification) -> Option<Change> {
        let tag = self.tag();
        let id = NotificationId::new(id).unwrap();
        let log = self.logs.entry(user.to_owned()).or_default();
        log.add(&id, notification, "key:test", Timestamp::UNIX_EPOCH, tag)
    }

    fn write(
        &mut self,
        user: &str,
        command: &InboxCommand,
        op: Option<&OpId>,
    ) -> Result<(WriteAnswer, Option<Change>), Refused> {
        let tag = self.tag();
        let log = self.logs.entry(user.to_owned()).or_default();
        let before = log.head().position;
        let answer = log.write(command, op, Timestamp::UNIX_EPOCH, tag)?;
        let change = match log.changes(before, 1, 1) {
            ChangesAnswer::Changes { mut changes, .. } => changes.pop(),
            ChangesAnswer::Reset { .. } => None,
        };
        Ok((answer, change))
    }
}

#[async_trait::async_trait]
impl HttpClient for Server {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ServiceError> {
        let url = Url::parse(&request.url).unwrap();
        let path = url.path().to_owned();
        let body = request.body.as_ref().and_then(|body| serde_json::from_slice(&body.bytes).ok());
        let query = url.query_pairs().into_owned().collect();
        let fault = {
            let mut world = self.world();
            let token = request.bearer_token.clone();
            world.seen.push(Seen { path: path.clone(), query, token, body: body.unwrap_or_default() });
            let at = world.faults.iter().position(|(text, _)| path.contains(text));
            at.and_then(|at| world.faults.remove(at)).map(|(_, fault)| fault)
        };
        tokio::time::sleep(LATENCY).await;
        let is_older = url.query_pairs().any(|(name, _)| name == "before");
        let is_down = self.world().is_down || (is_older && self.world().fails_older);
        let portal = {
            let mut world = self.world();
            let turn = world.portal;
            world.portal = turn.map(|turn| turn + 1);
            turn
        };
        let lost = || Err(ServiceError::new(ServiceErrorKind::Unavailable, "lost"));
        match fault {
            None if is_down => lost(),
            None if portal.is_some() => Ok(of_portal(portal.unwrap_or_default())),
            None => Ok(self.answer(&request)),
            Some(Fault::Unreachable) => lost(),
            Some(Fault::ResponseLost) => {
                self.answer(&request);
                lost()
            }
            Some(Fault::Silence) => std::future::pending().await,
            Some(Fault::Response(response)) => Ok(response),
        }
    }
}

fn realtime(user: &str) -> RealtimeInfo {
    RealtimeInfo::new("app-key", format!("private-{user}"), "/pusher/auth")
}

fn ok<T: Serialize>(answer: &T) -> HttpResponse {
    HttpResponse::new(200, serde_json::to_vec(answer).unwrap())
}

fn problem(
    status: u16,
    detail: &str,
    head: Option<internal_notifications_pusher::models::Head>,
) -> HttpResponse {
    let kind = format!("{}refused", Problem::NAMESPACE);
    let mut problem = Problem::new(status, "Refused").with_kind(kind).with_detail(detail);
    problem.head = head;
    HttpResponse::new(status, serde_json::to_vec(&problem).unwrap())
}

/// Returns what a network that wants its users to sign in first answers to request number `turn`.
fn of_portal(turn: usize) -> HttpResponse {
    let html = "<!DOCTYPE html><title>Welcome to our hotel</title>";
    let blank = r#"{"type":"about:blank","title":"Forbidden","status":403}"#;
    let answers = [(302, ""), (403, html), (404, html), (200, html), (403, blank), (301, ""), (200, "{}")];
    let (status, body) = answers[turn % answers.len()];
    HttpResponse::new(status, body)
}
