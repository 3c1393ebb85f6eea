use std::time::Duration;

use clap::Args;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use internal_notifications_pusher::PusherService;
use internal_notifications_pusher::contract::{
    Announcement, InternalNotificationsService, InternalNotificationsServiceExt, ServiceError,
    ServiceErrorKind, Written,
};
use internal_notifications_pusher::models::{NotificationId, UserId};
use serde_json::json;

use crate::client;
use crate::env::Env;
use crate::error::Error;
use crate::output::Output;
use crate::server_options::ServerOptions;

/// Mark a user's notifications opened, on all of the user's devices; print the new head
///
/// INTERNAL_NOTIFICATIONS_URL is the server, INTERNAL_NOTIFICATIONS_TOKEN the user's token.
#[derive(Args)]
pub(crate) struct Open {
    #[command(flatten)]
    server: ServerOptions,
    /// The user
    #[arg(long, value_name = "USER")]
    user: UserId,
    /// Mark the whole inbox opened
    #[arg(long, conflicts_with = "ids", required_unless_present = "ids")]
    all: bool,
    /// The ids of the notifications
    #[arg(value_name = "ID")]
    ids: Vec<NotificationId>,
    /// Print the head as JSON
    #[arg(long)]
    json: bool,
}

impl Open {
    pub(crate) async fn run(self, env: &Env, output: &mut Output) -> Result<(), Error> {
        let env = &self.server.env(env)?;
        let service = client::inbox_of(env, &self.user)?.build();
        let service = service.map_err(|error| client::command_error(&error))?;
        if service.is_live_only() {
            return Err(client::server_required());
        }
        service.init().await.map_err(|error| client::command_error(&error))?;
        let announcements = service.announcements();
        let mut written = match self.all {
            true => service.mark_all_opened().await,
            false => service.mark_opened(&self.ids).await,
        };
        if matches!(written, Ok(Written::Queued)) {
            written = stored(&service, announcements).await;
        }
        let snapshot = service.snapshot();
        service.dispose().await;
        written.map_err(|error| client::command_error(&error))?;
        let (position, pending) = (snapshot.position, snapshot.pending);
        match self.json {
            true => output.json(&json!({"seq": position.seq, "tag": position.tag, "pending": pending})),
            false => output.line(&format!("{pending} pending, at seq {}", position.seq)),
        }
    }
}

/// How long the command waits for a queued write to be stored.
const TIMEOUT: Duration = Duration::from_secs(30);

/// Waits until a queued write is stored: nothing would send it after this process has ended.
async fn stored(
    service: &PusherService,
    mut announcements: BoxStream<'static, Announcement>,
) -> Result<Written, ServiceError> {
    let rejected = async {
        while let Some(announcement) = announcements.next().await {
            if let Announcement::WriteRefused(refused) = announcement {
                return refused.error.clone();
            }
        }
        std::future::pending().await
    };
    let unavailable = || {
        let detail = "the server cannot be reached; whether the notifications were marked is unknown";
        ServiceError::new(ServiceErrorKind::Unavailable, detail)
    };
    tokio::select! {
        biased;
        error = rejected => Err(error),
        now = service.wait_for(|now| now.unconfirmed == 0) => now.map(|_| Written::Stored).ok_or_else(unavailable),
        () = tokio::time::sleep(TIMEOUT) => Err(unavailable()),
    }
}
