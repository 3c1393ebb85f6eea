use clap::Args;
use internal_notifications_pusher::models::{
    Button, InternalNotification, NotificationId, Timestamp, UserId, parse_time,
};
use serde_json::{Value, json};

use crate::env::Env;
use crate::error::Error;
use crate::inbox;
use crate::output::Output;

/// Push a notification to users through a server; print the receipt
///
/// The server is INTERNAL_NOTIFICATIONS_URL. Who pushes is said by INTERNAL_NOTIFICATIONS_API_KEY (a backend's), or without it by
/// INTERNAL_NOTIFICATIONS_TOKEN (a user's, see `token --push`).
#[derive(Args)]
pub(crate) struct Push {
    /// A user to push to; may be repeated
    #[arg(long, value_name = "USER", required = true)]
    to: Vec<UserId>,
    /// A title
    #[arg(long, value_name = "H")]
    heading: Option<String>,
    /// Anything that the receiving app understands, as JSON
    #[arg(long, value_name = "JSON", value_parser = parse_payload)]
    payload: Option<Value>,
    /// A picture
    #[arg(long, value_name = "U")]
    image_url: Option<String>,
    /// A button; may be repeated
    #[arg(long = "button", value_name = "ID=TEXT", value_parser = parse_button)]
    buttons: Vec<Button>,
    /// Not before this time, like 2026-01-31T09:30:00Z
    #[arg(long, value_name = "RFC3339", value_parser = parse_moment)]
    send_after: Option<Timestamp>,
    /// When it leaves the inboxes, opened or not
    #[arg(long, value_name = "RFC3339", value_parser = parse_moment)]
    expires_at: Option<Timestamp>,
    /// An id; a repeated push with the same one is stored once
    #[arg(long, value_name = "ID")]
    id: Option<NotificationId>,
    /// Print the receipt as JSON
    #[arg(long)]
    json: bool,
    /// The text
    content: String,
}

impl Push {
    pub(crate) async fn run(self, env: &Env, output: &mut Output) -> Result<(), Error> {
        let mut notification = InternalNotification::new(self.content);
        notification.id = self.id;
        notification.heading = self.heading;
        notification.payload = self.payload;
        notification.image_url = self.image_url;
        notification.send_after = self.send_after;
        notification.expires_at = self.expires_at;
        notification.buttons = self.buttons;
        notification.check().map_err(Error::usage)?;
        let receipt =
            inbox::pushing(env)?.push(&self.to, notification).await.map_err(|error| inbox::told(&error))?;
        match self.json {
            true => output.json(&json!(receipt)),
            false => output.line(&format!(
                "{}: {} accepted, {} duplicates, {} scheduled",
                receipt.id, receipt.accepted, receipt.duplicates, receipt.scheduled
            )),
        }
    }
}

fn parse_payload(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it must be JSON: {error}"))
}

fn parse_button(text: &str) -> Result<Button, &'static str> {
    match text.split_once('=') {
        Some((id, text)) if !id.is_empty() && !text.is_empty() => Ok(Button::new(id, text)),
        _ => Err("it may be id=Text"),
    }
}

fn parse_moment(text: &str) -> Result<Timestamp, &'static str> {
    parse_time(text).ok_or("it may be a time like 2026-01-31T09:30:00Z")
}
