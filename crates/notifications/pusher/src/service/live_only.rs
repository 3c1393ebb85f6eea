mod local_inbox;

use std::sync::Arc;

use futures_util::FutureExt;
use internal_notifications_models::{OpId, RealtimeInfo};
use internal_notifications_service::{
    Announcement, InboxCommand, InboxEvent, ServiceError, ServiceErrorKind, Status, Written, with_causes,
};
use pusher_client::{Authorizer, ChannelEvent};
use rand::RngExt;
use rand::rngs::StdRng;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::authorizer::EndpointAuthorizer;
use super::check_delay::check_delay;
use super::command::{Command, Reply};
use super::live_channel::{self, LiveChannel, LiveUpdate};
use super::publisher::Publisher;
use super::settings::Settings;
use crate::api::InboxApi;
use local_inbox::LocalInbox;

/// The task of a live-only service. Dropping it ends the subscription.
pub(crate) struct LiveOnly {
    settings: Arc<Settings>,
    authorizer: Arc<dyn Authorizer>,
    publisher: Arc<Publisher>,
    commands: mpsc::Receiver<Command>,
    info: RealtimeInfo,
    inbox: LocalInbox,
    channel: ChannelState,
    rng: StdRng,
}

enum ChannelState {
    /// The subscription exists and reconnects by itself.
    Open { subscription: Box<LiveChannel>, subscribed: bool, offline: Option<ServiceError> },
    /// The channel was rejected; `retry_at` is when to subscribe again.
    Rejected { error: ServiceError, retry_at: Instant },
    /// `unsubscribe` was called.
    Paused,
}

impl ChannelState {
    fn open(subscription: Box<LiveChannel>) -> Self {
        Self::Open { subscription, subscribed: false, offline: None }
    }
}

/// The event that existing backends trigger, written for the project that this one replaces.
const LEGACY_EVENT: &str = "Internal Notification";

/// The most channel events that are applied before their effect is published.
const BATCH: usize = 256;

impl LiveOnly {
    /// Creates the task with an empty inbox, publishes it, and begins to subscribe.
    pub(crate) async fn start(
        settings: Arc<Settings>,
        api: Option<Arc<InboxApi>>,
        publisher: Arc<Publisher>,
        commands: mpsc::Receiver<Command>,
        info: RealtimeInfo,
    ) -> Result<Self, ServiceError> {
        let authorizer = authorizer(&settings, api)?;
        let mut rng = settings.fork_rng();
        let subscription =
            live_channel::subscribe(&settings, Arc::clone(&authorizer), None, None, &info, rng.random())
                .await?;
        tracing::info!(
            channel = info.channel,
            "no inbox server is configured: live-only, so notifications sent while disconnected are lost"
        );
        let inbox = LocalInbox::new(settings.options.window);
        let channel = ChannelState::open(subscription);
        let mut task = Self { settings, authorizer, publisher, commands, info, inbox, channel, rng };
        task.publish(vec![InboxEvent::Replaced(None)]);
        Ok(task)
    }

    /// Runs until the last handle is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            let channel = async {
                match &mut self.channel {
                    ChannelState::Open { subscription, .. } => Some(subscription.next().await),
                    ChannelState::Rejected { retry_at, .. } => {
                        sleep_until(*retry_at).await;
                        None
                    }
                    ChannelState::Paused => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                command = self.commands.recv() => match command {
                    Some(command) => self.on_command(command).await,
                    None => return,
                },
                event = channel => match event {
                    Some(event) => self.on_channel_events(event),
                    None => self.connect().await,
                },
            }
        }
    }

    async fn on_command(&mut self, command: Command) {
        match command {
            Command::Subscribe(reply) => {
                if !matches!(self.channel, ChannelState::Open { .. }) {
                    self.connect().await;
                }
                self.publish(Vec::new());
                let _ = reply.send(Ok(()));
            }
            Command::Unsubscribe(reply) => {
                self.channel = ChannelState::Paused;
                self.publish(Vec::new());
                let _ = reply.send(Ok(()));
            }
            Command::Wake(reply) => {
                match &self.channel {
                    ChannelState::Open { subscription, .. } => subscription.wake().await,
                    ChannelState::Rejected { .. } => self.connect().await,
                    ChannelState::Paused => {}
                }
                let _ = reply.send(Ok(()));
            }
            Command::Write(writes, reply) => self.on_write(writes, reply),
            Command::LoadOlder(count, reply) => {
                let loaded = self.inbox.load_older(count);
                self.publisher.publish(Vec::new(), Some(self.inbox.replica()), self.status());
                let _ = reply.send(
                    loaded.map_err(|full| ServiceError::new(ServiceErrorKind::WindowFull, full.to_string())),
                );
            }
        }
    }

    /// Applies the writes of a call, on this device alone.
    fn on_write(&mut self, writes: Vec<(OpId, InboxCommand)>, reply: Reply<Written>) {
        let (mut events, mut result) = (Vec::new(), Ok(Written::Stored));
        for (_, command) in writes {
            match self.inbox.write(&command, self.rng.random()) {
                Ok(more) => events.extend(more),
                Err(error) => result = Err(error),
            }
        }
        self.publish(events);
        let _ = reply.send(result);
    }

    async fn connect(&mut self) {
        let seed = self.rng.random();
        let authorizer = Arc::clone(&self.authorizer);
        match live_channel::subscribe(&self.settings, authorizer, None, None, &self.info, seed).await {
            Ok(subscription) => self.channel = ChannelState::open(subscription),
            Err(error) => self.on_rejected(error),
        }
        self.publish(Vec::new());
    }

    fn on_channel_events(&mut self, first: Option<LiveUpdate>) {
        let mut events = self.on_channel_event(first);
        for _ in 1..BATCH {
            let ChannelState::Open { subscription, .. } = &mut self.channel else { break };
            let Some(event) = subscription.next().now_or_never() else { break };
            events.extend(self.on_channel_event(event));
        }
        self.publish(events);
    }

    fn on_channel_event(&mut self, update: Option<LiveUpdate>) -> Vec<InboxEvent> {
        let event = match update {
            Some(LiveUpdate::Event(event)) => Some(event),
            Some(LiveUpdate::Offline(error)) => {
                if let ChannelState::Open { subscribed: false, offline, .. } = &mut self.channel {
                    *offline = Some(error);
                }
                return Vec::new();
            }
            None => None,
        };
        match (event, &mut self.channel) {
            (Some(ChannelEvent::Event(event)), _)
                if event.name() == self.info.event || event.name() == LEGACY_EVENT =>
            {
                return self.inbox.on_event(event.data(), &mut self.rng);
            }
            (Some(ChannelEvent::Subscribed), ChannelState::Open { subscribed, offline, .. }) => {
                (*subscribed, *offline) = (true, None);
            }
            (Some(ChannelEvent::Interrupted), ChannelState::Open { subscribed, offline, .. }) => {
                *subscribed = false;
                offline.get_or_insert_with(live_channel::lost);
            }
            (Some(ChannelEvent::Lagged(events)), _) => {
                tracing::warn!(events, "live events were dropped and are lost");
                return vec![InboxEvent::Announce(Announcement::Skipped)];
            }
            (Some(ChannelEvent::Refused(error)), _) => self.on_rejected(live_channel::refused(error)),
            (None, _) => self.on_rejected(live_channel::ended()),
            _ => {}
        }
        Vec::new()
    }

    fn on_rejected(&mut self, error: ServiceError) {
        tracing::warn!(error = with_causes(&error), "no live channel");
        let interval = self.settings.check_interval(Some(&self.info));
        let retry_at = Instant::now() + check_delay(interval, &mut self.rng);
        self.channel = ChannelState::Rejected { error, retry_at };
    }

    fn publish(&mut self, events: Vec<InboxEvent>) {
        let has_changed = events.iter().any(|event| !matches!(event, InboxEvent::Announce(_)));
        self.publisher.publish(events, has_changed.then_some(self.inbox.replica()), self.status());
    }

    fn status(&self) -> Status {
        match &self.channel {
            ChannelState::Paused => Status::Paused,
            ChannelState::Rejected { error, .. } => Status::Failed(error.clone()),
            ChannelState::Open { subscribed: true, .. } => Status::Live,
            ChannelState::Open { offline: Some(error), .. } => Status::Offline(error.clone()),
            ChannelState::Open { .. } => Status::Connecting,
        }
    }
}

fn authorizer(settings: &Settings, api: Option<Arc<InboxApi>>) -> Result<Arc<dyn Authorizer>, ServiceError> {
    match (&settings.options.authorizer, api, &settings.options.auth_endpoint) {
        (Some(authorizer), ..) => Ok(Arc::clone(authorizer)),
        (None, Some(api), Some(url)) => {
            Ok(Arc::new(EndpointAuthorizer { api, url: url.clone(), is_on_server: false }))
        }
        _ => {
            let detail = "nothing authorizes the user's channel";
            Err(ServiceError::new(ServiceErrorKind::Configuration, detail))
        }
    }
}
