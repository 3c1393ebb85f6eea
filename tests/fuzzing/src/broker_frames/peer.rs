use std::collections::HashSet;

use futures_util::{SinkExt, StreamExt};
use pusher_broker::Broker;
use pusher_protocol::{ChannelKind, ChannelName, Frame, SocketId, UserData, names};
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::broker::{connect, signer};

/// One client, and what it may receive.
pub(super) struct Peer {
    sends: mpsc::Sender<Message>,
    gets: mpsc::Receiver<String>,
    id: SocketId,
    /// The channels that it named in any frame.
    asked: HashSet<String>,
    /// The channels for which it had a valid signature.
    signed: HashSet<ChannelName>,
    /// Its own channels, after a valid sign-in.
    own: HashSet<ChannelName>,
}

impl Peer {
    pub(super) async fn connect(broker: &Broker) -> Self {
        let (socket, id) = connect(broker).await;
        let (sends, to_send) = mpsc::channel(64);
        let (got, gets) = mpsc::channel(4096);
        tokio::spawn(carry(socket, to_send, got));
        Self { sends, gets, id, asked: HashSet::new(), signed: HashSet::new(), own: HashSet::new() }
    }

    pub(super) async fn step(&mut self, line: &str) {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        let message = match word {
            "subscribe" => self.subscribe(rest),
            "signin" => self.sign_in(rest),
            "binary" => Message::binary(rest.to_owned()),
            "close" => Message::Close(None),
            _ => {
                self.note(line);
                Message::text(line)
            }
        };
        let _ = self.sends.send(message).await;
    }

    /// Returns a subscription, with a valid signature if the channel can have one.
    fn subscribe(&mut self, rest: &str) -> Message {
        let (name, data) = match rest.split_once(' ') {
            Some((name, data)) => (name, Some(data)),
            None => (rest, None),
        };
        let mut frame = json!({"channel": name, "channel_data": data});
        if let Ok(channel) = name.parse::<ChannelName>() {
            let text = format!("{}:{name}", self.id);
            let plain = || format!("app-key:{}", signer().sign(text.as_bytes()));
            let auth = signer().authorize_channel(&self.id, &channel, data);
            frame["auth"] = auth.map_or_else(|_| plain(), |auth| auth.auth).into();
            self.signed.insert(channel);
        }
        self.asked.insert(name.to_owned());
        Message::text(json!({"event": names::SUBSCRIBE, "data": frame}).to_string())
    }

    fn sign_in(&mut self, user_data: &str) -> Message {
        let auth = signer().authenticate_user(&self.id, user_data).map(|answer| answer.auth);
        if let Ok(user) = UserData::parse_text(user_data.to_owned()) {
            self.own.extend(ChannelName::of_user(&user.id));
        }
        let data = json!({"auth": auth.unwrap_or_default(), "user_data": user_data});
        Message::text(json!({"event": names::SIGNIN, "data": data}).to_string())
    }

    /// Records the channel that a frame names.
    fn note(&mut self, text: &str) {
        let data = Frame::parse(text).ok().and_then(|frame| frame.data().json::<Value>().ok());
        let channel = data.as_ref().and_then(|data| data["channel"].as_str());
        self.asked.extend(channel.map(str::to_owned));
    }

    /// Checks what arrived: valid frames, and only of channels that this client may read.
    pub(super) fn check(&mut self) {
        while let Ok(text) = self.gets.try_recv() {
            let frame = Frame::parse(&text).expect("the broker speaks the protocol");
            let Some(channel) = frame.channel.as_deref().filter(|_| frame.event != names::ERROR) else {
                continue;
            };
            let name: ChannelName = channel.parse().expect("a channel has a valid name");
            let may = match name.kind() {
                ChannelKind::Public | ChannelKind::Cache => self.asked.contains(channel),
                ChannelKind::ServerToUser => self.own.contains(&name),
                _ => self.signed.contains(&name),
            };
            assert!(may, "{} got what is not its own: {text}", self.id);
        }
    }
}

/// Carries messages both ways until one of the ends is gone.
async fn carry(
    mut socket: WebSocketStream<DuplexStream>,
    mut to_send: mpsc::Receiver<Message>,
    got: mpsc::Sender<String>,
) {
    loop {
        tokio::select! {
            message = to_send.recv() => match message {
                Some(message) => drop(socket.send(message).await),
                None => return,
            },
            message = socket.next() => match message {
                Some(Ok(Message::Text(text))) => drop(got.send(text.to_string()).await),
                Some(Ok(_)) => {}
                _ => return,
            },
        }
    }
}
