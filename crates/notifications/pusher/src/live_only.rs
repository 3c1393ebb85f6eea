mod arrivals;

use std::sync::Arc;

use futures_util::FutureExt;
use internal_notifications_models::{OpId, RealtimeInfo};
use internal_notifications_service::{
    InboxCommand, InboxEvent, ServiceError, ServiceErrorKind, Status, Written,
};
use pusher_client::{Authorizer, ChannelEvent};
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::api::InboxApi;
use crate::authorizer::InboxAuthorizer;
use crate::channel::{self, LiveChannel};
use crate::command::{Command, Outcome};
use crate::outlets::Outlets;
use crate::retry;
use crate::settings::Settings;
use arrivals::Arrivals;

/// The task of a live-only service: an inbox of what comes over the channel, in memory. When it is dropped, everything ends.
pub(crate) struct LiveOnly {
    settings: Arc<Settings>,
    authorizer: Arc<dyn Authorizer>,
    outlets: Arc<Outlets>,
    commands: mpsc::Receiver<Command>,
    info: RealtimeInfo,
    arrivals: Arrivals,
    link: Link,
    rng: StdRng,
}

/// The live channel.
enum Link {
    /// It comes back by itself.
    Open { subscription: Box<LiveChannel>, subscribed: bool },
    /// It was refused; why, and when it is asked for again.
    Refused { why: String, until: Instant },
    /// By choice.
    Paused,
}

/// The event of the project that this one follows; backends that were written for it trigger it.
const ORIGINAL_EVENT: &str = "Internal Notification";

/// Channel events that are folded before their effect is published.
const BATCH: usize = 256;

impl LiveOnly {
    /// One with an empty inbox, which it has published, and the channel on its way.
    pub(crate) async fn start(
        settings: Arc<Settings>,
        api: Option<Arc<InboxApi>>,
        outlets: Arc<Outlets>,
        commands: mpsc::Receiver<Command>,
        info: RealtimeInfo,
    ) -> Result<Self, ServiceError> {
        let authorizer = authorizer(&settings, api)?;
        let mut rng = settings.fork_rng();
        let subscription =
            channel::subscribe(&settings, Arc::clone(&authorizer), None, None, &info, rng.random()).await?;
        tracing::info!(
            channel = info.channel,
            "no inbox server is configured: live-only, what comes while there is no connection is lost"
        );
        let arrivals = Arrivals::new(settings.window);
        let link = Link::Open { subscription, subscribed: false };
        let mut task = Self { settings, authorizer, outlets, commands, info, arrivals, link, rng };
        task.publish(vec![InboxEvent::Replaced(None)]);
        Ok(task)
    }

    /// Runs until the last handle is gone.
    pub(crate) async fn run(mut self) {
        loop {
            let channel = async {
                match &mut self.link {
                    Link::Open { subscription, .. } => Some(subscription.next().await),
                    Link::Refused { until, .. } => {
                        sleep_until(*until).await;
                        None
                    }
                    Link::Paused => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.on_command(command).await,
                    None => return,
                },
                woken = channel => match woken {
                    Some(event) => self.on_channel_events(event),
                    None => self.connect().await,
                },
            }
        }
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::Subscribe(done) => {
                if !matches!(self.link, Link::Open { .. }) {
                    self.connect().await;
                }
                self.publish(Vec::new());
                let _ = done.send(Ok(()));
            }
            Command::Unsubscribe(done) => {
                self.link = Link::Paused;
                self.publish(Vec::new());
                let _ = done.send(Ok(()));
            }
            Command::Write(writes, outcome) => self.on_write(writes, outcome),
            Command::LoadOlder(count, outcome) => {
                let loaded = self.arrivals.load_older(count);
                self.outlets.publish(Vec::new(), Some(self.arrivals.inbox()), self.status());
                let full = |full: internal_notifications_service::WindowFull| {
                    ServiceError::new(ServiceErrorKind::WindowFull, full.to_string())
                };
                let _ = outcome.send(loaded.map_err(full));
            }
        }
    }

    /// Does the writes of a call, on this device alone.
    fn on_write(&mut self, writes: Vec<(OpId, InboxCommand)>, outcome: Outcome<Written>) {
        let (mut events, mut result) = (Vec::new(), Ok(Written::Stored));
        for (_, command) in writes {
            match self.arrivals.write(&command, self.rng.random()) {
                Ok(more) => events.extend(more),
                Err(error) => result = Err(error),
            }
        }
        self.publish(events);
        let _ = outcome.send(result);
    }

    async fn connect(&mut self) {
        let seed = self.rng.random();
        let authorizer = Arc::clone(&self.authorizer);
        match channel::subscribe(&self.settings, authorizer, None, None, &self.info, seed).await {
            Ok(subscription) => self.link = Link::Open { subscription, subscribed: false },
            Err(error) => self.on_refused(error.to_string()),
        }
        self.publish(Vec::new());
    }

    fn on_channel_events(&mut self, first: Option<ChannelEvent>) {
        let mut events = self.on_channel_event(first);
        for _ in 1..BATCH {
            let Link::Open { subscription, .. } = &mut self.link else { break };
            let Some(event) = subscription.next().now_or_never() else { break };
            events.extend(self.on_channel_event(event));
        }
        self.publish(events);
    }

    fn on_channel_event(&mut self, event: Option<ChannelEvent>) -> Vec<InboxEvent> {
        match (event, &mut self.link) {
            (Some(ChannelEvent::Event(event)), _)
                if event.name() == self.info.event || event.name() == ORIGINAL_EVENT =>
            {
                return self.arrivals.on_event(event.data(), &mut self.rng);
            }
            (Some(ChannelEvent::Subscribed), Link::Open { subscribed, .. }) => *subscribed = true,
            (Some(ChannelEvent::Interrupted), Link::Open { subscribed, .. }) => *subscribed = false,
            (Some(ChannelEvent::Lagged(events)), _) => {
                tracing::warn!(events, "live events were dropped, and are lost");
                return vec![InboxEvent::Announce(internal_notifications_service::Announcement::Skipped)];
            }
            (Some(ChannelEvent::Refused(error)), _) => self.on_refused(error.to_string()),
            (None, _) => self.on_refused("the connection has ended".to_owned()),
            _ => {}
        }
        Vec::new()
    }

    fn on_refused(&mut self, why: String) {
        tracing::warn!(reason = why, "the live channel was refused");
        let interval = self.settings.check_interval(&self.info);
        self.link =
            Link::Refused { why, until: Instant::now() + retry::check_delay(interval, &mut self.rng) };
    }

    fn publish(&mut self, events: Vec<InboxEvent>) {
        let has_changed = events.iter().any(|event| !matches!(event, InboxEvent::Announce(_)));
        self.outlets.publish(events, has_changed.then_some(self.arrivals.inbox()), self.status());
    }

    fn status(&self) -> Status {
        match &self.link {
            Link::Paused => Status::Paused,
            Link::Refused { why, .. } => Status::Failed(format!("live events are refused: {why}")),
            Link::Open { subscribed: false, .. } => Status::Offline,
            Link::Open { .. } => Status::Live,
        }
    }
}

fn authorizer(settings: &Settings, api: Option<Arc<InboxApi>>) -> Result<Arc<dyn Authorizer>, ServiceError> {
    match (&settings.authorizer, api, &settings.auth_endpoint) {
        (Some(authorizer), ..) => Ok(Arc::clone(authorizer)),
        (None, Some(api), Some(url)) => Ok(Arc::new(InboxAuthorizer { api, url: url.clone() })),
        _ => {
            let detail = "nobody authorizes the user's channel";
            Err(ServiceError::new(ServiceErrorKind::Configuration, detail))
        }
    }
}
