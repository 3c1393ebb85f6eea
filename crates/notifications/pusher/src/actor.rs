mod question;
mod schedule;
#[cfg(test)]
mod tests;
mod waiting;

use std::sync::Arc;

use futures_util::FutureExt;
use internal_notifications_models::{Head, InboxPage, LiveEvent, Position, RealtimeInfo};
use internal_notifications_service::{Inbox, InboxEvent, ServiceError, ServiceErrorKind, Status};
use pusher_client::{ChannelEvent, Subscription};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::api::InboxApi;
use crate::channel;
use crate::outlets::Outlets;
use crate::refusal::Refusal;
use crate::settings::Settings;
use question::{Answered, Question, Reply};
use schedule::Schedule;
use waiting::Waiting;

/// What handles ask of the actor.
#[derive(Debug)]
pub(crate) enum Command {
    /// Resume live events.
    Subscribe(oneshot::Sender<()>),
    /// Stop them.
    Unsubscribe(oneshot::Sender<()>),
    /// The server's history is not the one that was thought.
    CatchUp,
    /// The server told its head, in answer to a call made at `asked_at`; tell when the state that readers see has reached it.
    Head { asked_at: Position, head: Head, reached: Option<oneshot::Sender<()>> },
}

/// Owns everything of an initialized service: the replica, the subscription, the questions to the server and all timers. When it is
/// dropped, they end.
pub(crate) struct Actor {
    settings: Arc<Settings>,
    api: Arc<InboxApi>,
    outlets: Arc<Outlets>,
    commands: mpsc::Receiver<Command>,
    info: RealtimeInfo,
    inbox: Inbox,
    /// What happened to the inbox and is not published yet.
    events: Vec<InboxEvent>,
    link: Link,
    /// At most one.
    questions: JoinSet<Answered>,
    schedule: Schedule,
    /// Why the server's answers will not be what is needed.
    refused: Option<String>,
    waiting: Waiting,
    rng: StdRng,
}

/// The live channel.
enum Link {
    /// It comes back by itself.
    Open { subscription: Subscription, subscribed: bool },
    /// The server refused it; why. It is asked for again once a position check `was_answered`.
    Refused { why: String, was_answered: bool },
    /// By choice.
    Paused,
}

/// What woke the actor.
enum Woken {
    Command(Option<Command>),
    Channel(Option<ChannelEvent>),
    Answer(Option<Answered>),
    Timer,
}

/// Channel events that are folded before their effect is published.
const BATCH: usize = 256;

impl Actor {
    /// An actor with the first snapshot, which it has published, and the channel on its way.
    pub(crate) async fn start(
        settings: Arc<Settings>,
        api: Arc<InboxApi>,
        outlets: Arc<Outlets>,
        commands: mpsc::Receiver<Command>,
        info: RealtimeInfo,
        page: InboxPage,
    ) -> Result<Self, ServiceError> {
        let mut rng = settings.fork_rng();
        let subscription = channel::subscribe(&settings, &api, &info, rng.random()).await?;
        let mut inbox = Inbox::new(settings.window);
        let events = inbox.on_snapshot(page);
        let schedule = Schedule::new(settings.check_interval(&info), StdRng::from_rng(&mut rng));
        let mut actor = Self {
            settings,
            api,
            outlets,
            commands,
            info,
            inbox,
            events,
            link: Link::Open { subscription, subscribed: false },
            questions: JoinSet::new(),
            schedule,
            refused: None,
            waiting: Waiting::default(),
            rng,
        };
        actor.publish();
        Ok(actor)
    }

    /// Runs until the last handle is gone.
    pub(crate) async fn run(mut self) {
        loop {
            self.ask();
            self.publish();
            match self.woken().await {
                Woken::Command(None) => return,
                Woken::Command(Some(command)) => self.on_command(command).await,
                Woken::Channel(event) => self.on_channel_events(event),
                Woken::Answer(Some(answered)) => self.on_answer(answered).await,
                Woken::Answer(None) => self.schedule.failed(),
                Woken::Timer => {}
            }
        }
    }

    async fn woken(&mut self) -> Woken {
        let wake_at = self.wake_at();
        let channel = async {
            match &mut self.link {
                Link::Open { subscription, .. } => subscription.next().await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            command = self.commands.recv() => Woken::Command(command),
            Some(answered) = self.questions.join_next() => Woken::Answer(answered.ok()),
            event = channel => Woken::Channel(event),
            () = sleep_until(wake_at.unwrap_or_else(Instant::now)), if wake_at.is_some() => Woken::Timer,
        }
    }

    /// The question to ask, as soon as there is time for it.
    fn wants(&self) -> Option<Question> {
        match &self.link {
            Link::Paused => None,
            Link::Refused { was_answered: true, .. } => Some(Question::Realtime),
            _ => self.inbox.wants().map(Question::Inbox),
        }
    }

    /// When to look for a question to ask. None while one is asked, or nothing is to be.
    fn wake_at(&self) -> Option<Instant> {
        if !self.questions.is_empty() || matches!(self.link, Link::Paused) {
            return None;
        }
        Some(self.schedule.next(self.wants().is_some()))
    }

    fn ask(&mut self) {
        if self.wake_at().is_some_and(|at| at <= Instant::now()) {
            let question = self.wants().unwrap_or(Question::Head);
            let asked_at = self.inbox.head().position;
            let (api, window) = (Arc::clone(&self.api), self.settings.window);
            self.questions.spawn(async move { question.ask(&api, asked_at, window).await });
        }
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::Subscribe(done) => {
                if matches!(self.link, Link::Paused) {
                    self.inbox.catch_up();
                    self.schedule.hurry();
                    self.connect().await;
                }
                self.publish();
                let _ = done.send(());
            }
            Command::Unsubscribe(done) => {
                self.link = Link::Paused;
                self.refused = None;
                self.questions = JoinSet::new();
                self.waiting.give_up();
                self.publish();
                let _ = done.send(());
            }
            Command::CatchUp => self.inbox.catch_up(),
            Command::Head { asked_at, head, reached } => {
                self.schedule.hurry();
                self.inbox.on_head(asked_at, head);
                if let Some(reached) = reached.filter(|_| !matches!(self.link, Link::Paused)) {
                    self.waiting.add(head.position, reached);
                }
            }
        }
    }

    async fn connect(&mut self) {
        let seed = self.rng.random();
        self.link = match channel::subscribe(&self.settings, &self.api, &self.info, seed).await {
            Ok(subscription) => Link::Open { subscription, subscribed: false },
            Err(error) => Link::Refused { why: error.to_string(), was_answered: false },
        };
    }

    fn on_channel_events(&mut self, first: Option<ChannelEvent>) {
        self.on_channel_event(first);
        for _ in 1..BATCH {
            let Link::Open { subscription, .. } = &mut self.link else { return };
            let Some(event) = subscription.next().now_or_never() else { return };
            self.on_channel_event(event);
        }
    }

    fn on_channel_event(&mut self, event: Option<ChannelEvent>) {
        match (event, &mut self.link) {
            (Some(ChannelEvent::Event(event)), _) => {
                let name = event.name();
                let ours = name == self.info.event || name == self.info.changed_event;
                if ours && !name.starts_with("client-") {
                    self.on_live(LiveEvent::parse(event.data()));
                }
            }
            (Some(ChannelEvent::Subscribed), Link::Open { subscribed, .. }) => {
                *subscribed = true;
                self.inbox.catch_up();
                self.schedule.hurry();
            }
            (Some(ChannelEvent::Interrupted), Link::Open { subscribed, .. }) => *subscribed = false,
            (Some(ChannelEvent::Lagged(events)), _) => {
                tracing::debug!(events, "live events were dropped, catching up");
                self.inbox.catch_up();
            }
            (Some(ChannelEvent::Refused(error)), _) => self.on_refused(error.to_string()),
            (None, _) => self.on_refused("the connection has ended".to_owned()),
            _ => {}
        }
    }

    /// A live event; none when it could not be read, so that something was there that is not known.
    fn on_live(&mut self, event: Option<LiveEvent>) {
        let Some(event) = event else { return self.inbox.catch_up() };
        let before = self.inbox.head().position;
        self.events.extend(self.inbox.on_live(event));
        if self.inbox.head().position != before {
            self.schedule.confirmed();
        }
    }

    fn on_refused(&mut self, why: String) {
        tracing::warn!(reason = why, "the live channel was refused; the inbox is polled");
        self.link = Link::Refused { why, was_answered: false };
    }

    async fn on_answer(&mut self, answered: Answered) {
        let Answered { asked_at, reply } = answered;
        let reply = match reply {
            Ok(reply) => reply,
            Err(refusal) => return self.on_question_failed(refusal),
        };
        self.refused = None;
        match reply {
            Reply::Page(page) => self.events.extend(self.inbox.on_snapshot(page)),
            Reply::Changes(changes) => self.events.extend(self.inbox.on_changes(asked_at, changes)),
            Reply::Head(head) => {
                self.inbox.on_head(asked_at, head);
                if let Link::Refused { was_answered, .. } = &mut self.link {
                    *was_answered = true;
                }
            }
            Reply::Realtime(info) => {
                self.info = *info;
                return self.connect().await;
            }
        }
        if self.inbox.wants().is_none() {
            self.schedule.confirmed();
        }
        self.schedule.answered(self.inbox.wants().is_none() || self.inbox.head().position != asked_at);
    }

    fn on_question_failed(&mut self, refusal: Refusal) {
        use ServiceErrorKind::{Configuration, Forbidden, Unauthorized};
        let error = refusal.error;
        if let Link::Refused { was_answered, .. } = &mut self.link {
            *was_answered = false;
        }
        tracing::debug!(%error, "the inbox server was asked in vain");
        if matches!(error.kind(), Configuration | Forbidden | Unauthorized) {
            if self.refused.is_none() {
                tracing::warn!(%error, "the inbox server refuses");
            }
            self.refused = Some(error.to_string());
        }
        if error.is_retryable() {
            self.schedule.failed();
        } else {
            self.schedule.failed_slowly();
        }
    }

    fn publish(&mut self) {
        let events = std::mem::take(&mut self.events);
        let reached = self.waiting.reached(&events, self.inbox.wants().is_none());
        self.outlets.publish(events, &self.inbox, self.status());
        for caller in reached {
            let _ = caller.send(());
        }
    }

    fn status(&self) -> Status {
        match (&self.link, &self.refused) {
            (Link::Paused, _) => Status::Paused,
            (Link::Refused { why, .. }, None) => Status::Failed(format!("live events are refused: {why}")),
            (_, Some(why)) => Status::Failed(why.clone()),
            (Link::Open { subscribed: false, .. }, None) => Status::Offline,
            (Link::Open { .. }, None) if self.inbox.wants().is_some() => Status::CatchingUp,
            (Link::Open { .. }, None) => Status::Live,
        }
    }
}
