use clap::Args;
use internal_notifications_pusher::models::NotificationId;
use serde_json::json;

use crate::env::Env;
use crate::error::Error;
use crate::inbox;
use crate::output::Output;

/// Take a pushed notification back: from every inbox that has it, and from those who would get it later
///
/// The server is INTERNAL_NOTIFICATIONS_URL; INTERNAL_NOTIFICATIONS_API_KEY is a backend's key, without which nobody may do this.
#[derive(Args)]
pub(crate) struct Retract {
    /// The id of the notification, as the receipt of its push tells
    #[arg(value_name = "ID")]
    id: NotificationId,
    /// Print the answer as JSON
    #[arg(long)]
    json: bool,
}

impl Retract {
    pub(crate) async fn run(self, env: &Env, output: &mut Output) -> Result<(), Error> {
        let retracted = inbox::pushing(env)?.retract(&self.id).await.map_err(|error| inbox::told(&error))?;
        match self.json {
            true => output.json(&json!(retracted)),
            false => output.line(&format!(
                "{}: {} cancelled, {} removed",
                retracted.id, retracted.cancelled, retracted.removed
            )),
        }
    }
}
