use clap::Args;
use internal_notifications_pusher::contract::InternalNotificationsService;
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
    pub(crate) async fn run(self, mut env: Env, output: &mut Output) -> Result<(), Error> {
        let service = inbox::of_user(&mut env, &self.user)?.build().map_err(|error| inbox::told(&error))?;
        service.init().await.map_err(|error| inbox::told(&error))?;
        let opened = match self.all {
            true => service.mark_all_opened().await,
            false => service.mark_opened(&self.ids).await,
        };
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
