use std::error::Error;
use std::io::{BufRead, stdin};

use pusher_signer::encrypted::SharedSecret;
use pusher_signer::{ChannelName, ReceivedWebhook, Request, SocketId, WebhookReceiver};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::signer;

/// A question to our signer, one per line.
#[derive(Deserialize)]
#[serde(tag = "ask", rename_all = "snake_case")]
enum Question {
    /// An auth endpoint's answer for a channel.
    Channel { socket_id: String, channel: String, channel_data: Option<String> },
    /// An auth endpoint's answer for a user.
    User { socket_id: String, user_data: String },
    /// The signature of an HTTP API request.
    Request { method: String, path: String, params: Vec<(String, String)>, body: Option<String>, now: u64 },
    /// Whether a webhook is valid, and how many events it has.
    Webhook { content_type: String, key: String, signature: String, body: String },
    /// The sealed data of an event.
    Seal { channel: String, nonce: [u8; 24], data: String },
    /// The plain text of sealed data.
    Open { channel: String, data: String },
}

/// Answers each line of the standard input with a line of JSON. An error is `{"error": …}`.
pub(crate) fn answer_all() -> Result<(), Box<dyn Error>> {
    for line in stdin().lock().lines() {
        let question = serde_json::from_str(&line?)?;
        println!("{}", answer(question).unwrap_or_else(|why| json!({"error": why.to_string()})));
    }
    Ok(())
}

fn answer(question: Question) -> Result<Value, Box<dyn Error>> {
    let signer = signer();
    Ok(match question {
        Question::Channel { socket_id, channel, channel_data } => json!(signer.authorize_channel(
            &SocketId::new(socket_id)?,
            &ChannelName::new(channel)?,
            channel_data.as_deref()
        )?),
        Question::User { socket_id, user_data } => {
            json!(signer.authenticate_user(&SocketId::new(socket_id)?, &user_data)?)
        }
        Question::Request { method, path, params, body, now } => {
            let query: Vec<_> = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let body = body.as_deref().map(str::as_bytes);
            let request = Request::new(&method, &path).with_query(&query).with_body(body);
            let signed = signer.sign_request(&request, now)?;
            let pairs: Vec<String> = signed.iter().map(|(name, value)| format!("{name}={value}")).collect();
            json!({"query": pairs.join("&")})
        }
        Question::Webhook { content_type, key, signature, body } => {
            let received = ReceivedWebhook::new(body.as_bytes())
                .with_content_type(content_type.as_str())
                .with_key(key.as_str())
                .with_signature(signature.as_str());
            let webhook = WebhookReceiver::new(signer).receive(&received, 0)?;
            json!({"events": webhook.events.len(), "time_ms": webhook.time_ms})
        }
        Question::Seal { channel, nonce, data } => {
            json!({"data": secret(channel)?.seal(nonce, &data)})
        }
        Question::Open { channel, data } => json!({"data": secret(channel)?.open(&data)?}),
    })
}

fn secret(channel: String) -> Result<SharedSecret, Box<dyn Error>> {
    Ok(signer().shared_secret(&ChannelName::new(channel)?)?)
}
