mod clock_watch;
mod fetch;
mod long_delay;
mod pending_calls;
mod schedule;
#[cfg(test)]
mod tests;
mod write_backoff;
mod writes;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use internal_notifications_models::{InboxPage, LiveEvent, RealtimeInfo};
use internal_notifications_service::{
    Announcement, Inbox, InboxEvent, ServiceError, ServiceErrorKind, Status,
};
use pusher_client::{ChannelEvent, EventName};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::command::{Command, Reply};
use super::keeper::Keeper;
use super::live_channel::{self, LiveChannel, LiveUpdate};
use super::publisher::Publisher;
use super::settings::Settings;
use super::{authorizer, user_authenticator};
use crate::api::{CallError, InboxApi, retry};
use clock_watch::ClockWatch;
pub(crate) use clock_watch::WallClock;
use fetch::{Fetch, Fetched, Response};
use internal_notifications_service::with_causes;
use pending_calls::{PendingCalls, older_unavailable};
use schedule::Schedule;
use write_backoff::WriteBackoff;
use writes::SentWrite;

/// The task of an initialized service with an inbox server.
///
/// It owns the replica, the subscription, the requests and all timers. Dropping it ends them.
pub(crate) struct Actor {
    settings: Arc<Settings>,
    api: Arc<InboxApi>,
    publisher: Arc<Publisher>,
    commands: mpsc::Receiver<Command>,
    /// Where the live channel is, once the server has said so.
    info: Option<RealtimeInfo>,
    inbox: Inbox,
    keeper: Keeper,
    /// Events of the inbox that are not yet published.
    events: Vec<InboxEvent>,
    /// Whether the snapshot must be published for another reason than `events`.
    has_changed: bool,
    channel: ChannelState,
    /// The fetch in progress: at most one.
    fetches: JoinSet<Fetched>,
    schedule: Schedule,
    /// The write in progress: at most one, beside a fetch.
    sends: JoinSet<SentWrite>,
    write_backoff: WriteBackoff,
    /// Until when the server asked not to be asked again.
    held_until: Instant,
    /// Why the server rejects the requests, if it does.
    rejection: Option<ServiceError>,
    /// Why the last fetch failed, if it did.
    failure: Option<ServiceError>,
    clock: ClockWatch,
    pending_calls: PendingCalls,
    rng: StdRng,
}

/// The inbox with which the task starts.
pub(crate) enum First {
    /// The server's.
    Loaded(Box<RealtimeInfo>, InboxPage),
    /// The inbox that the storage has kept.
    Kept(Box<Inbox>),
    /// An empty one, since the server cannot be reached.
    Offline(ServiceError),
}

enum ChannelState {
    /// The server has not said yet where the channel is.
    Unknown,
    /// The subscription exists and reconnects by itself.
    ///
    /// `offline` is why it is not subscribed, once that is known. `may_have_moved` is set if a
    /// position check succeeds while the channel is down: then the server is asked where the
    /// channel is now.
    Open {
        subscription: Box<LiveChannel>,
        subscribed: bool,
        offline: Option<ServiceError>,
        may_have_moved: bool,
    },
    /// The channel was rejected. Once a position check succeeds (`check_succeeded`), the service
    /// subscribes again.
    Rejected { error: ServiceError, check_succeeded: bool },
    /// `unsubscribe` was called.
    Paused,
}

impl ChannelState {
    fn open(subscription: Box<LiveChannel>) -> Self {
        Self::Open { subscription, subscribed: false, offline: None, may_have_moved: false }
    }
}

enum Wakeup {
    Command(Option<Command>),
    Channel(Option<LiveUpdate>),
    Fetched(Option<Fetched>),
    Sent(Option<SentWrite>),
    Timer,
}

/// The most channel events that are applied before their effect is published.
const BATCH: usize = 256;

/// How long a call waits for a server that does not answer while the live channel is down too.
const OFFLINE_TIMEOUT: Duration = Duration::from_secs(2);

impl Actor {
    /// Creates the task with its first inbox, publishes it, and begins to subscribe if it is known
    /// where.
    pub(crate) async fn start(
        settings: Arc<Settings>,
        api: Arc<InboxApi>,
        publisher: Arc<Publisher>,
        keeper: Keeper,
        commands: mpsc::Receiver<Command>,
        first: First,
    ) -> Result<Self, ServiceError> {
        let mut rng = settings.fork_rng();
        let (mut inbox, mut events, mut failure) = (Inbox::new(settings.options.window), Vec::new(), None);
        let (mut info, mut channel) = (None, ChannelState::Unknown);
        match first {
            First::Loaded(loaded, page) => {
                channel = ChannelState::open(subscribe(&settings, &api, &loaded, rng.random()).await?);
                info = Some(*loaded);
                events = inbox.on_snapshot(page);
            }
            First::Kept(kept) => inbox = *kept,
            First::Offline(error) => failure = Some(error),
        }
        let interval = settings.check_interval(info.as_ref());
        let schedule = Schedule::new(interval, StdRng::from_rng(&mut rng));
        let write_backoff = WriteBackoff::new(StdRng::from_rng(&mut rng));
        let clock = ClockWatch::new(Arc::clone(&settings.options.wall_clock));
        let mut actor = Self {
            settings,
            api,
            publisher,
            commands,
            info,
            inbox,
            keeper,
            events,
            has_changed: true,
            channel,
            fetches: JoinSet::new(),
            schedule,
            sends: JoinSet::new(),
            write_backoff,
            held_until: Instant::now(),
            rejection: None,
            failure,
            clock,
            pending_calls: PendingCalls::default(),
            rng,
        };
        actor.publish().await;
        Ok(actor)
    }

    /// Runs until the last handle is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            if self.clock.has_slept() {
                tracing::debug!("the machine has slept, or its clock was set: checking the connection");
                self.wake().await;
            }
            self.fetch_if_due();
            self.send_if_due().await;
            let abandoned = self.pending_calls.expire(Instant::now());
            self.inbox.cancel_older(abandoned);
            self.publish().await;
            match self.next_wakeup().await {
                Wakeup::Command(None) => return,
                Wakeup::Command(Some(command)) => self.on_command(command).await,
                Wakeup::Channel(event) => self.on_channel_events(event),
                Wakeup::Fetched(Some(fetched)) => self.on_fetched(fetched).await,
                Wakeup::Fetched(None) => {
                    let detail = "a request to the inbox server has ended unexpectedly";
                    let error = ServiceError::new(ServiceErrorKind::Unavailable, detail);
                    self.on_fetch_failed(error.into());
                }
                Wakeup::Sent(sent) => self.on_sent(sent),
                Wakeup::Timer => {}
            }
        }
    }

    async fn next_wakeup(&mut self) -> Wakeup {
        let timer = self.timer();
        let channel = async {
            match &mut self.channel {
                ChannelState::Open { subscription, .. } => subscription.next().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            command = self.commands.recv() => Wakeup::Command(command),
            Some(fetched) = self.fetches.join_next() => Wakeup::Fetched(fetched.ok()),
            Some(sent) = self.sends.join_next() => Wakeup::Sent(sent.ok()),
            event = channel => Wakeup::Channel(event),
            () = sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() => Wakeup::Timer,
        }
    }

    /// Returns when there is something to do even if nothing else happens.
    fn timer(&self) -> Option<Instant> {
        let is_paused = matches!(self.channel, ChannelState::Paused);
        let clock = (!is_paused).then(|| self.clock.next());
        let due = [self.fetch_at(), self.send_at(), self.pending_calls.deadline(), clock];
        due.into_iter().flatten().min()
    }

    /// Returns what to fetch as soon as the schedule allows it.
    fn next_fetch(&self) -> Option<Fetch> {
        match &self.channel {
            ChannelState::Paused => None,
            ChannelState::Unknown
            | ChannelState::Rejected { check_succeeded: true, .. }
            | ChannelState::Open { may_have_moved: true, .. } => Some(Fetch::Realtime),
            // Older pages must not delay finding out about newer changes.
            _ if !self.inbox.is_catching_up() && self.schedule.check_is_due() => Some(Fetch::Head),
            _ => self.inbox.next_query().map(Fetch::Inbox),
        }
    }

    /// Returns when to fetch next; none while a fetch is in progress or the service is paused.
    fn fetch_at(&self) -> Option<Instant> {
        if !self.fetches.is_empty() || matches!(self.channel, ChannelState::Paused) {
            return None;
        }
        Some(self.schedule.next(self.next_fetch().is_some()).max(self.held_until))
    }

    fn fetch_if_due(&mut self) {
        if self.fetch_at().is_some_and(|at| at <= Instant::now()) {
            let fetch = self.next_fetch().unwrap_or(Fetch::Head);
            let position = self.inbox.head().position;
            let (api, page) = (Arc::clone(&self.api), self.settings.first_page());
            self.fetches.spawn(async move { fetch.run(&api, position, page).await });
        }
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::Subscribe(reply) => {
                let is_paused = matches!(self.channel, ChannelState::Paused);
                if is_paused {
                    self.inbox.catch_up();
                    self.schedule.reset();
                    self.connect().await;
                }
                if matches!(self.status(), Status::Failed(_) | Status::Polling(_)) {
                    self.wake().await;
                }
                self.publish().await;
                let _ = reply.send(Ok(()));
            }
            Command::Unsubscribe(reply) => {
                self.channel = ChannelState::Paused;
                self.rejection = None;
                self.fetches = JoinSet::new();
                self.fail_older(&older_unavailable());
                self.publish().await;
                let _ = reply.send(Ok(()));
            }
            Command::Wake(reply) => {
                self.wake().await;
                let _ = reply.send(Ok(()));
            }
            Command::Write(writes, reply) => self.on_write(writes, reply).await,
            Command::LoadOlder(count, reply) => self.on_load_older(count, reply),
        }
    }

    /// Checks the connection and the position at once, and sends what waits.
    ///
    /// Requests in progress are made again, since they may wait on a dead connection.
    async fn wake(&mut self) {
        self.held_until = Instant::now();
        self.api.forget_refusals();
        self.sends = JoinSet::new();
        self.write_backoff.try_now();
        match &self.channel {
            ChannelState::Paused => return,
            ChannelState::Open { subscription, .. } => subscription.wake().await,
            ChannelState::Rejected { .. } => self.connect().await,
            ChannelState::Unknown => {}
        }
        self.fetches = JoinSet::new();
        self.schedule.reset();
        self.schedule.check_now();
    }

    fn on_load_older(&mut self, count: usize, reply: Reply<()>) {
        if matches!(self.channel, ChannelState::Paused) {
            return self.pending_calls.finish_older(reply, Err(older_unavailable()));
        }
        match self.inbox.load_older(count) {
            Ok(count) => {
                self.schedule.reset();
                self.pending_calls.add_older(count, reply, self.deadline());
            }
            Err(full) => {
                let error = ServiceError::new(ServiceErrorKind::WindowFull, full.to_string());
                self.pending_calls.finish_older(reply, Err(error));
            }
        }
    }

    /// Fails the pending calls of `load_older`. The list gets the length it had before them.
    fn fail_older(&mut self, error: &ServiceError) {
        let abandoned = self.pending_calls.fail_older(error);
        self.inbox.cancel_older(abandoned);
    }

    /// Returns how long a call made now waits for a server that does not answer.
    fn deadline(&self) -> Instant {
        let call_timeout = self.settings.options.call_timeout;
        Instant::now()
            + match self.status() {
                Status::Offline(_) | Status::Connecting => OFFLINE_TIMEOUT.min(call_timeout),
                _ => call_timeout,
            }
    }

    async fn connect(&mut self) {
        let seed = self.rng.random();
        let Some(info) = &self.info else {
            self.channel = ChannelState::Unknown;
            return;
        };
        self.channel = match subscribe(&self.settings, &self.api, info, seed).await {
            Ok(subscription) => ChannelState::open(subscription),
            Err(error) => ChannelState::Rejected { error, check_succeeded: false },
        };
    }

    fn on_channel_events(&mut self, first: Option<LiveUpdate>) {
        self.on_channel_event(first);
        for _ in 1..BATCH {
            let ChannelState::Open { subscription, .. } = &mut self.channel else { return };
            let Some(event) = subscription.next().now_or_never() else { return };
            self.on_channel_event(event);
        }
    }

    fn on_channel_event(&mut self, update: Option<LiveUpdate>) {
        let event = match update {
            Some(LiveUpdate::Event(event)) => Some(event),
            Some(LiveUpdate::Offline(error)) => {
                if let ChannelState::Open { subscribed: false, offline, .. } = &mut self.channel {
                    *offline = Some(error);
                }
                return;
            }
            None => None,
        };
        match (event, &mut self.channel) {
            (Some(ChannelEvent::Event(event)), _) => {
                let name = event.name();
                let extra = self.settings.event.as_ref().map(EventName::as_str);
                let is_ours = Some(name) == extra
                    || self.info.iter().any(|info| name == info.event || name == info.changed_event);
                if is_ours && !name.starts_with("client-") {
                    self.on_live(LiveEvent::parse(event.data()));
                }
            }
            (
                Some(ChannelEvent::Subscribed),
                ChannelState::Open { subscribed, offline, may_have_moved, .. },
            ) => {
                *subscribed = true;
                *offline = None;
                *may_have_moved = false;
                // A fetch in progress may be waiting on a dead connection.
                self.fetches = JoinSet::new();
                self.inbox.catch_up();
                self.schedule.reset();
            }
            (Some(ChannelEvent::Interrupted), ChannelState::Open { subscribed, offline, .. }) => {
                *subscribed = false;
                offline.get_or_insert_with(live_channel::lost);
                self.pending_calls.limit_deadlines(Instant::now() + OFFLINE_TIMEOUT);
            }
            (Some(ChannelEvent::Lagged(events)), _) => {
                tracing::debug!(events, "live events were dropped, catching up");
                self.inbox.catch_up();
            }
            (Some(ChannelEvent::Refused(error)), _) => {
                self.on_channel_rejected(live_channel::refused(error));
            }
            (None, _) => self.on_channel_rejected(live_channel::ended()),
            _ => {}
        }
    }

    /// Applies a live event. An unreadable one (none) starts a catch-up, since it may be a change.
    fn on_live(&mut self, event: Option<LiveEvent>) {
        let Some(event) = event else { return self.inbox.catch_up() };
        let before = self.inbox.head().position;
        self.events.extend(self.inbox.on_live(event));
        if self.inbox.head().position != before {
            self.schedule.confirmed();
        }
    }

    fn on_channel_rejected(&mut self, error: ServiceError) {
        tracing::warn!(error = with_causes(&error), "no live channel; polling the inbox instead");
        self.channel = ChannelState::Rejected { error, check_succeeded: false };
    }

    async fn on_fetched(&mut self, fetched: Fetched) {
        let Fetched { position, response } = fetched;
        let response = match response {
            Ok(response) => response,
            Err(error) => return self.on_fetch_failed(error),
        };
        self.write_backoff.server_is_up();
        (self.rejection, self.failure) = (None, None);
        self.has_changed = true;
        let low = self.inbox.low();
        let has_head = !matches!(response, Response::Older(..));
        match response {
            Response::Page(page) => self.events.extend(self.inbox.on_snapshot(page)),
            Response::Older(before, page) => self.inbox.on_older(position, before, page),
            Response::Changes(changes) => self.events.extend(self.inbox.on_changes(position, changes)),
            Response::Head(head) => {
                self.inbox.on_head(position, head);
                match &mut self.channel {
                    ChannelState::Rejected { check_succeeded, .. } => *check_succeeded = true,
                    // A subscription that lost an event may be dead.
                    ChannelState::Open { subscription, subscribed: true, .. }
                        if self.inbox.is_catching_up() =>
                    {
                        subscription.wake().await;
                    }
                    ChannelState::Open { subscribed, may_have_moved, .. } => *may_have_moved = !*subscribed,
                    ChannelState::Unknown | ChannelState::Paused => {}
                }
            }
            Response::Realtime(info) => {
                if let ChannelState::Open { may_have_moved, .. } = &mut self.channel {
                    *may_have_moved = false;
                    if self.info.as_ref() == Some(&*info) {
                        return;
                    }
                    tracing::info!("the live channel has moved, following it");
                }
                self.schedule.set_interval(self.settings.check_interval(Some(&*info)));
                self.info = Some(*info);
                return self.connect().await;
            }
        }
        let is_current = !self.inbox.is_catching_up() && has_head;
        if is_current {
            self.schedule.confirmed();
        }
        let has_moved = self.inbox.head().position != position || self.inbox.low() != low;
        self.schedule.succeeded(is_current || has_moved);
    }

    fn on_fetch_failed(&mut self, error: CallError) {
        use ServiceErrorKind::{Configuration, Forbidden, Unauthorized};
        self.hold(error.retry_after());
        let error = ServiceError::from(error);
        self.fail_older(&error);
        match &mut self.channel {
            ChannelState::Rejected { check_succeeded, .. } => *check_succeeded = false,
            ChannelState::Open { may_have_moved, .. } => *may_have_moved = false,
            ChannelState::Unknown | ChannelState::Paused => {}
        }
        tracing::debug!(error = with_causes(&error), "a request to the inbox server failed");
        if error.is_retryable() {
            self.schedule.failed();
        } else {
            self.schedule.failed_for_long();
            self.write_backoff.reads_are_refused();
        }
        self.failure = Some(error.clone());
        if matches!(error.kind(), Configuration | Forbidden | Unauthorized) {
            self.on_rejected(error);
        }
    }

    fn on_rejected(&mut self, error: ServiceError) {
        if self.rejection.is_none() {
            tracing::warn!(error = with_causes(&error), "the inbox server rejects requests");
        }
        self.rejection = Some(error);
    }

    /// Sends nothing for as long as the server asked.
    fn hold(&mut self, asked: Option<Duration>) {
        if let Some(asked) = asked {
            self.held_until = Instant::now() + retry::hold(asked, &mut self.rng);
        }
    }

    /// Keeps the replica, and publishes what happened to it.
    async fn publish(&mut self) {
        let mut events = std::mem::take(&mut self.events);
        let has_changes = events.iter().any(|event| !matches!(event, InboxEvent::Announce(_)));
        let has_changed = std::mem::take(&mut self.has_changed) || has_changes;
        let is_told = !self.inbox.refusals().is_empty() && self.publisher.has_announcement_readers();
        if is_told {
            let refusals = self.inbox.refusals().iter().cloned();
            events.extend(refusals.map(|refused| InboxEvent::Announce(Announcement::WriteRefused(refused))));
        }
        if (has_changed || !events.is_empty()) && self.keeper.keep(&self.inbox).await.is_err() {
            leave_unannounced(&mut events);
        }
        self.pending_calls.finish_done(&self.inbox, matches!(self.channel, ChannelState::Paused));
        self.publisher.publish(events, has_changed.then_some(&self.inbox), self.status());
        self.pending_calls.reply();
        if is_told {
            self.inbox.forget_refusals();
            let _ = self.keeper.keep(&self.inbox).await;
        }
    }

    fn status(&self) -> Status {
        match (&self.channel, &self.rejection, &self.failure) {
            (ChannelState::Paused, ..) => Status::Paused,
            (ChannelState::Unknown, None, Some(error)) => Status::Offline(error.clone()),
            (ChannelState::Unknown, None, None) => Status::Connecting,
            (_, Some(error), _) => Status::Failed(error.clone()),
            (ChannelState::Rejected { .. }, None, Some(error)) => Status::Offline(error.clone()),
            (ChannelState::Rejected { error, .. }, None, None) => Status::Polling(error.clone()),
            (ChannelState::Open { subscribed: false, offline: Some(error), .. }, None, _) => {
                Status::Offline(error.clone())
            }
            (ChannelState::Open { subscribed: false, .. }, None, _) => Status::Connecting,
            (ChannelState::Open { .. }, None, Some(error)) if self.inbox.is_catching_up() => {
                Status::Offline(error.clone())
            }
            (ChannelState::Open { .. }, None, None) if self.inbox.is_catching_up() => Status::CatchingUp,
            (ChannelState::Open { .. }, None, _) => Status::Live,
        }
    }
}

/// Replaces the announcements of notifications that could not be kept: after a restart they would
/// be made again.
fn leave_unannounced(events: &mut Vec<InboxEvent>) {
    let before = events.len();
    events.retain(|event| {
        let InboxEvent::Announce(announcement) = event else { return true };
        !matches!(announcement, Announcement::Notification(_) | Announcement::Bare(_))
    });
    if events.len() < before {
        events.push(InboxEvent::Announce(Announcement::Skipped));
    }
}

async fn subscribe(
    settings: &Settings,
    api: &Arc<InboxApi>,
    info: &RealtimeInfo,
    seed: u64,
) -> Result<Box<LiveChannel>, ServiceError> {
    let authorizer = authorizer::for_server(settings, api, info)?;
    let authenticator = user_authenticator::for_server(settings, api, info);
    live_channel::subscribe(settings, authorizer, authenticator, Some(api.base()), info, seed).await
}
