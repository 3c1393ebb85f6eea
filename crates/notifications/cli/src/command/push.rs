use clap::Args;
use internal_notifications_pusher::models::{
    Button, InternalNotification, JsonText, NotificationId, Timestamp, UserId, parse_time,
};
use serde_json::json;

use crate::client;
use crate::env::Env;
use crate::error::Error;
use crate::output::Output;
use crate::server_options::ServerOptions;

/// Push a notification to users; print the receipt
///
/// INTERNAL_NOTIFICATIONS_URL is the server. INTERNAL_NOTIFICATIONS_API_KEY is a backend's key;
/// without it, INTERNAL_NOTIFICATIONS_TOKEN is the token of a user who may push (see `token
/// --push`).
#[derive(Args)]
pub(crate) struct Push {
    #[command(flatten)]
    server: ServerOptions,
    /// A recipient; may be repeated
    #[arg(long, value_name = "USER", required = true)]
    to: Vec<UserId>,
    /// The heading
    #[arg(long, value_name = "H")]
    heading: Option<String>,
    /// Data for the receiving app, as JSON
    #[arg(long, value_name = "JSON", value_parser = parse_payload)]
    payload: Option<JsonText>,
    /// The URL of an image
    #[arg(long, value_name = "URL")]
    image_url: Option<String>,
    /// A button; may be repeated
    #[arg(long = "button", value_name = "ID=TEXT", value_parser = parse_button)]
    buttons: Vec<Button>,
    /// When to deliver it, like 2026-01-31T09:30:00Z [default: at once]
    #[arg(long, value_name = "RFC3339", value_parser = parse_moment)]
    send_after: Option<Timestamp>,
    /// When to remove it from the inboxes, opened or not [default: never]
    #[arg(long, value_name = "RFC3339", value_parser = parse_moment)]
    expires_at: Option<Timestamp>,
    /// The notification's id; pushes with the same id are stored once. With a user's token it must
    /// be a UUID [default: a new UUID]
    #[arg(long, value_name = "ID")]
    id: Option<NotificationId>,
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
    /// The text of the notification
    content: String,
}

impl Push {
    pub(crate) async fn run(self, env: &Env, output: &mut Output) -> Result<(), Error> {
        let env = &self.server.env(env)?;
        let mut notification = InternalNotification::new(self.content);
        notification.id = self.id;
        notification.heading = self.heading;
        notification.payload = self.payload;
        notification.image_url = self.image_url;
        notification.send_after = self.send_after;
        notification.expires_at = self.expires_at;
        notification.buttons = self.buttons;
        notification.check().map_err(Error::usage)?;
        let client = client::for_pushing(env)?;
        let receipt = client.push(&self.to, notification).await;
        let receipt = receipt.map_err(|error| client::command_error(&error))?;
        match self.json {
            true => output.json(&json!(receipt)),
            false => output.line(&format!(
                "{}: {} accepted, {} duplicates, {} scheduled",
                receipt.id, receipt.accepted, receipt.duplicates, receipt.scheduled
            )),
        }
    }
}

fn parse_payload(text: &str) -> Result<JsonText, String> {
    text.parse().map_err(|error: serde_json::Error| format!("it must be JSON: {error}"))
}

fn parse_button(text: &str) -> Result<Button, &'static str> {
    match text.split_once('=') {
        Some((id, text)) if !id.is_empty() && !text.is_empty() => Ok(Button::new(id, text)),
        _ => Err("it must be ID=TEXT"),
    }
}

fn parse_moment(text: &str) -> Result<Timestamp, &'static str> {
    parse_time(text).ok_or("it must be a time like 2026-01-31T09:30:00Z")
}
