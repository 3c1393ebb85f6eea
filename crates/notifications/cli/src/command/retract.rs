use clap::Args;
use internal_notifications_pusher::models::NotificationId;
use serde_json::json;

use crate::client;
use crate::env::Env;
use crate::error::Error;
use crate::output::Output;
use crate::server_options::ServerOptions;

/// Retract a notification: remove it from every inbox, and cancel its scheduled deliveries
///
/// INTERNAL_NOTIFICATIONS_URL is the server; INTERNAL_NOTIFICATIONS_API_KEY must be a backend's
/// key.
#[derive(Args)]
pub(crate) struct Retract {
    #[command(flatten)]
    server: ServerOptions,
    /// The notification's id, from the receipt of the push
    #[arg(value_name = "ID")]
    id: NotificationId,
    /// Print the result as JSON
    #[arg(long)]
    json: bool,
}

impl Retract {
    pub(crate) async fn run(self, env: &Env, output: &mut Output) -> Result<(), Error> {
        let env = &self.server.env(env)?;
        let retracted = client::for_pushing(env)?.retract(&self.id).await;
        let retracted = retracted.map_err(|error| client::command_error(&error))?;
        match self.json {
            true => output.json(&json!(retracted)),
            false => output.line(&format!(
                "{}: {} cancelled, {} removed",
                retracted.id, retracted.cancelled, retracted.removed
            )),
        }
    }
}
