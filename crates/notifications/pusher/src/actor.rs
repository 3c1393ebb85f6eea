mod pace;
mod question;
mod schedule;
#[cfg(test)]
mod tests;
mod waiting;
mod writing;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use internal_notifications_models::{InboxPage, LiveEvent, RealtimeInfo};
use internal_notifications_service::{Inbox, InboxEvent, ServiceError, ServiceErrorKind, Status};
use pusher_client::{ChannelEvent, EventName};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::api::InboxApi;
use crate::channel::{self, LiveChannel};
use crate::command::{Command, Outcome};
use crate::outlets::Outlets;
use crate::refusal::Refusal;
use crate::settings::Settings;
use crate::{authorizer, user_authenticator};
use pace::Pace;
use question::{Answered, Question, Reply};
use schedule::Schedule;
use waiting::{Waiting, unavailable};
use writing::Sent;

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
    /// What is shown is not what was published, for another reason than these.
    has_changed: bool,
    link: Link,
    /// At most one.
    questions: JoinSet<Answered>,
    schedule: Schedule,
    /// At most one, beside a question.
    sending: JoinSet<Sent>,
    pace: Pace,
    /// Why the server's answers will not be what is needed.
    refused: Option<String>,
    waiting: Waiting,
    rng: StdRng,
}

/// The live channel.
enum Link {
    /// It comes back by itself. While it does not, though a position check was answered, it is asked whether it `may_have_moved`.
    Open { subscription: Box<LiveChannel>, subscribed: bool, may_have_moved: bool },
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
    Sent(Option<Sent>),
    Timer,
}

/// Channel events that are folded before their effect is published.
const BATCH: usize = 256;

/// How long a call waits for a server that does not answer while there is no live channel either.
const OFFLINE_PATIENCE: Duration = Duration::from_secs(2);

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
        let subscription = subscribe(&settings, &api, &info, rng.random()).await?;
        let mut inbox = Inbox::new(settings.window);
        let events = inbox.on_snapshot(page);
        let schedule = Schedule::new(settings.check_interval(&info), StdRng::from_rng(&mut rng));
        let pace = Pace::new(StdRng::from_rng(&mut rng));
        let mut actor = Self {
            settings,
            api,
            outlets,
            commands,
            info,
            inbox,
            events,
            has_changed: true,
            link: Link::Open { subscription, subscribed: false, may_have_moved: false },
            questions: JoinSet::new(),
            schedule,
            sending: JoinSet::new(),
            pace,
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
            self.send();
            let given_up = self.waiting.expire(Instant::now());
            self.inbox.give_up_older(given_up);
            self.publish();
            match self.woken().await {
                Woken::Command(None) => return,
                Woken::Command(Some(command)) => self.on_command(command).await,
                Woken::Channel(event) => self.on_channel_events(event),
                Woken::Answer(Some(answered)) => self.on_answer(answered).await,
                Woken::Answer(None) => self.schedule.failed(),
                Woken::Sent(sent) => self.on_sent(sent),
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
            Some(sent) = self.sending.join_next() => Woken::Sent(sent.ok()),
            event = channel => Woken::Channel(event),
            () = sleep_until(wake_at.unwrap_or_else(Instant::now)), if wake_at.is_some() => Woken::Timer,
        }
    }

    /// When to do something though nothing comes.
    fn wake_at(&self) -> Option<Instant> {
        [self.ask_at(), self.send_at(), self.waiting.deadline()].into_iter().flatten().min()
    }

    /// The question to ask, as soon as there is time for it.
    fn wants(&self) -> Option<Question> {
        match &self.link {
            Link::Paused => None,
            Link::Refused { was_answered: true, .. } | Link::Open { may_have_moved: true, .. } => {
                Some(Question::Realtime)
            }
            // What is missing below must not put off finding out what is missing above.
            _ if !self.inbox.is_catching_up() && self.schedule.check_is_due() => Some(Question::Head),
            _ => self.inbox.wants().map(Question::Inbox),
        }
    }

    /// When to look for a question to ask. None while one is asked, or nothing is to be.
    fn ask_at(&self) -> Option<Instant> {
        if !self.questions.is_empty() || matches!(self.link, Link::Paused) {
            return None;
        }
        Some(self.schedule.next(self.wants().is_some()))
    }

    fn ask(&mut self) {
        if self.ask_at().is_some_and(|at| at <= Instant::now()) {
            let question = self.wants().unwrap_or(Question::Head);
            let asked_at = self.inbox.head().position;
            let (api, page) = (Arc::clone(&self.api), self.settings.first_page());
            self.questions.spawn(async move { question.ask(&api, asked_at, page).await });
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
                let _ = done.send(Ok(()));
            }
            Command::Unsubscribe(done) => {
                self.link = Link::Paused;
                self.refused = None;
                self.questions = JoinSet::new();
                self.older_failed(&unavailable());
                self.publish();
                let _ = done.send(Ok(()));
            }
            Command::Write(writes, outcome) => self.on_write(writes, outcome),
            Command::LoadOlder(count, outcome) => self.on_load_older(count, outcome),
        }
    }

    fn on_load_older(&mut self, count: usize, outcome: Outcome<()>) {
        if matches!(self.link, Link::Paused) {
            return self.waiting.tell_older(outcome, Err(unavailable()));
        }
        match self.inbox.load_older(count) {
            Ok(count) => {
                self.schedule.hurry();
                self.waiting.add_older(count, outcome, self.deadline());
            }
            Err(full) => {
                let error = ServiceError::new(ServiceErrorKind::WindowFull, full.to_string());
                self.waiting.tell_older(outcome, Err(error));
            }
        }
    }

    /// The list is as long again as it was before the calls that fail.
    fn older_failed(&mut self, error: &ServiceError) {
        let given_up = self.waiting.older_failed(error);
        self.inbox.give_up_older(given_up);
    }

    /// How long a call that is made now waits for a server that does not answer.
    fn deadline(&self) -> Instant {
        Instant::now()
            + match self.status() {
                Status::Offline => OFFLINE_PATIENCE.min(self.settings.call_timeout),
                _ => self.settings.call_timeout,
            }
    }

    async fn connect(&mut self) {
        let seed = self.rng.random();
        self.link = match subscribe(&self.settings, &self.api, &self.info, seed).await {
            Ok(subscription) => Link::Open { subscription, subscribed: false, may_have_moved: false },
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
                let also = self.settings.event.as_ref().map(EventName::as_str);
                let ours = name == self.info.event || name == self.info.changed_event || Some(name) == also;
                if ours && !name.starts_with("client-") {
                    self.on_live(LiveEvent::parse(event.data()));
                }
            }
            (Some(ChannelEvent::Subscribed), Link::Open { subscribed, may_have_moved, .. }) => {
                *subscribed = true;
                *may_have_moved = false;
                // A question that is under way may wait for a connection that is dead.
                self.questions = JoinSet::new();
                self.inbox.catch_up();
                self.schedule.hurry();
            }
            (Some(ChannelEvent::Interrupted), Link::Open { subscribed, .. }) => {
                *subscribed = false;
                self.waiting.until(Instant::now() + OFFLINE_PATIENCE);
            }
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
        self.pace.is_up();
        self.refused = None;
        self.has_changed = true;
        let low = self.inbox.low();
        let tells_head = !matches!(reply, Reply::Older(..));
        match reply {
            Reply::Page(page) => self.events.extend(self.inbox.on_snapshot(page)),
            Reply::Older(before, page) => self.inbox.on_older(asked_at, before, page),
            Reply::Changes(changes) => self.events.extend(self.inbox.on_changes(asked_at, changes)),
            Reply::Head(head) => {
                self.inbox.on_head(asked_at, head);
                match &mut self.link {
                    Link::Refused { was_answered, .. } => *was_answered = true,
                    Link::Open { subscribed, may_have_moved, .. } => *may_have_moved = !*subscribed,
                    Link::Paused => {}
                }
            }
            Reply::Realtime(info) => {
                if let Link::Open { may_have_moved, .. } = &mut self.link {
                    *may_have_moved = false;
                    if *info == self.info {
                        return;
                    }
                    tracing::info!("live events have moved, following them");
                }
                self.info = *info;
                return self.connect().await;
            }
        }
        let is_current = !self.inbox.is_catching_up() && tells_head;
        if is_current {
            self.schedule.confirmed();
        }
        let moved = self.inbox.head().position != asked_at || self.inbox.low() != low;
        self.schedule.answered(is_current || moved);
    }

    fn on_question_failed(&mut self, refusal: Refusal) {
        use ServiceErrorKind::{Configuration, Forbidden, Unauthorized};
        let error = refusal.error;
        self.older_failed(&error);
        if let Link::Refused { was_answered: ask, .. } | Link::Open { may_have_moved: ask, .. } =
            &mut self.link
        {
            *ask = false;
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
        let has_happened = events.iter().any(|event| !matches!(event, InboxEvent::Announce(_)));
        let has_changed = std::mem::take(&mut self.has_changed) || has_happened;
        self.waiting.reached(&self.inbox, matches!(self.link, Link::Paused));
        self.outlets.publish(events, has_changed.then_some(&self.inbox), self.status());
        self.waiting.tell();
    }

    fn status(&self) -> Status {
        match (&self.link, &self.refused) {
            (Link::Paused, _) => Status::Paused,
            (Link::Refused { why, .. }, None) => Status::Failed(format!("live events are refused: {why}")),
            (_, Some(why)) => Status::Failed(why.clone()),
            (Link::Open { subscribed: false, .. }, None) => Status::Offline,
            (Link::Open { .. }, None) if self.inbox.is_catching_up() => Status::CatchingUp,
            (Link::Open { .. }, None) => Status::Live,
        }
    }
}

async fn subscribe(
    settings: &Settings,
    api: &Arc<InboxApi>,
    info: &RealtimeInfo,
    seed: u64,
) -> Result<Box<LiveChannel>, ServiceError> {
    let authorizer = authorizer::of_server(settings, api, info)?;
    let authenticator = user_authenticator::of_server(settings, api, info);
    channel::subscribe(settings, authorizer, authenticator, Some(api.base()), info, seed).await
}
