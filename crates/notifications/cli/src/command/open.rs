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

use crate::env::Env;
use crate::error::Error;
use crate::inbox;
use crate::output::Output;

/// Mark notifications of a user opened, on all of the user's devices; print the inbox's head after it
///
/// The server is INTERNAL_NOTIFICATIONS_URL, the user's token INTERNAL_NOTIFICATIONS_TOKEN.
#[derive(Args)]
pub(crate) struct Open {
    /// The user
    #[arg(long, value_name = "USER")]
    user: UserId,
    /// Everything that is in the inbox
    #[arg(long, conflicts_with = "ids", required_unless_present = "ids")]
    all: bool,
    /// The ids of notifications
    #[arg(value_name = "ID")]
    ids: Vec<NotificationId>,
    /// Print the head as JSON
    #[arg(long)]
    json: bool,
}

impl Open {
    pub(crate) async fn run(self, env: Env, output: &mut Output) -> Result<(), Error> {
        let service = inbox::of_user(&env, &self.user)?.build().map_err(|error| inbox::told(&error))?;
        if service.is_live_only() {
            return Err(inbox::needs_server());
        }
        service.init().await.map_err(|error| inbox::told(&error))?;
        let announcements = service.announcements();
        let mut opened = match self.all {
            true => service.mark_all_opened().await,
            false => service.mark_opened(&self.ids).await,
        };
        if opened == Ok(Written::Queued) {
            opened = stored(&service, announcements).await;
        }
        let snapshot = service.snapshot();
        service.dispose().await;
        opened.map_err(|error| inbox::told(&error))?;
        let (position, pending) = (snapshot.position, snapshot.pending);
        match self.json {
            true => output.json(&json!({"seq": position.seq, "tag": position.tag, "pending": pending})),
            false => output.line(&format!("{pending} pending, at seq {}", position.seq)),
        }
    }
}

/// How long a write may be queued.
const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for the server to have what is queued: nobody sends it when this process has ended.
async fn stored(
    service: &PusherService,
    mut announcements: BoxStream<'static, Announcement>,
) -> Result<Written, ServiceError> {
    let refused = async {
        while let Some(announcement) = announcements.next().await {
            if let Announcement::WriteRefused(refused) = announcement {
                return refused.error.clone();
            }
        }
        std::future::pending().await
    };
    let unavailable = || {
        let detail = "the server cannot be reached; whether it has done it is not known";
        ServiceError::new(ServiceErrorKind::Unavailable, detail)
    };
    tokio::select! {
        biased;
        error = refused => Err(error),
        now = service.wait_for(|now| now.unconfirmed == 0) => now.map(|_| Written::Stored).ok_or_else(unavailable),
        () = tokio::time::sleep(PATIENCE) => Err(unavailable()),
    }
}
