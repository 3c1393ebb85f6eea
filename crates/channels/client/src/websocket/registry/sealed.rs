use std::collections::VecDeque;
use std::time::Duration;

use pusher_signer::encrypted::SharedSecret;
use tokio::time::Instant;

use crate::websocket::Event;
use crate::websocket::link::Ticket;
use crate::{Error, ErrorKind};

/// How often at most another key is asked for, so that events which nobody can open do not overrun the app's endpoint.
const RENEWAL: Duration = Duration::from_secs(10);

/// The key of an encrypted channel, and the events that wait for another one: in order, so that none passes them.
#[derive(Debug)]
pub(super) struct Sealed {
    key: SharedSecret,
    renewed: Option<Instant>,
    /// The question for another key.
    pub(super) asked: Option<Ticket>,
    waiting: Option<VecDeque<Event>>,
    capacity: usize,
}

/// What came of opening an event.
pub(super) enum Opened {
    Event(Event),
    /// Others wait already.
    Held,
    /// It is the first to wait; another key is to be asked for.
    HeldForKey,
    /// So many wait that it was dropped.
    Full,
    Failed(Event, Error),
}

impl Sealed {
    pub(super) fn new(key: SharedSecret, capacity: usize) -> Self {
        Self { key, renewed: None, asked: None, waiting: None, capacity }
    }

    pub(super) fn open(&mut self, event: Event) -> Opened {
        match &mut self.waiting {
            Some(waiting) if waiting.len() >= self.capacity => return Opened::Full,
            Some(waiting) => {
                waiting.push_back(event);
                return Opened::Held;
            }
            None => {}
        }
        match open(&self.key, &event) {
            Ok(opened) => Opened::Event(opened),
            Err((reason, true)) if self.may_renew() => {
                drop(reason);
                self.renewed = Some(Instant::now());
                self.waiting = Some(VecDeque::from([event]));
                Opened::HeldForKey
            }
            Err((reason, _)) => Opened::Failed(event, reason),
        }
    }

    fn may_renew(&self) -> bool {
        self.renewed.is_none_or(|renewed| renewed.elapsed() >= RENEWAL)
    }

    /// Takes the other key, and opens what waited for it.
    pub(super) fn renew(&mut self, key: Result<SharedSecret, Error>) -> Vec<Result<Event, (Event, Error)>> {
        let waiting = self.waiting.take().unwrap_or_default().into_iter();
        match key {
            Ok(key) => {
                self.key = key;
                waiting.map(|event| open(&self.key, &event).map_err(|(reason, _)| (event, reason))).collect()
            }
            Err(reason) => waiting.map(|event| Err((event, reason.clone()))).collect(),
        }
    }
}

/// The event in clear; or why not, and whether another key may help.
fn open(key: &SharedSecret, event: &Event) -> Result<Event, (Error, bool)> {
    match key.open(event.data()) {
        Ok(text) => Ok(event.with_data(unquoted(text))),
        Err(error) => {
            let another_key = error.kind() == pusher_signer::ErrorKind::Decryption;
            Err((Error::new(ErrorKind::Decryption, error.to_string()), another_key))
        }
    }
}

/// Pusher's library for Node encrypts a text as JSON, the others as it is.
fn unquoted(text: String) -> String {
    match text.starts_with('"') {
        true => serde_json::from_str(&text).unwrap_or(text),
        false => text,
    }
}
