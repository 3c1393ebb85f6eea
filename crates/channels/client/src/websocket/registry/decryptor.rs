use std::collections::VecDeque;
use std::time::Duration;

use pusher_signer::encrypted::SharedSecret;
use tokio::time::Instant;

use crate::websocket::Event;
use crate::websocket::connection::Ticket;
use crate::{Error, ErrorKind};

/// The shortest time between requests for a new key, so that undecryptable events do not overload
/// the app's endpoint.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(10);

/// Decrypts the events of a channel. If one does not decrypt, it and all later ones wait, in order,
/// for a new key.
#[derive(Debug)]
pub(super) struct Decryptor {
    key: SharedSecret,
    last_renewal: Option<Instant>,
    /// The pending request for a new key.
    pub(super) pending_renewal: Option<Ticket>,
    waiting: Option<VecDeque<Event>>,
    capacity: usize,
}

/// The result of decrypting an event.
pub(super) enum Decrypted {
    Event(Event),
    /// The event waits behind others for the new key.
    Waiting,
    /// The event is the first to wait: a new key is needed.
    KeyNeeded,
    /// Too many events wait; this one was dropped.
    Dropped,
    Failed(Event, Error),
}

impl Decryptor {
    pub(super) fn new(key: SharedSecret, capacity: usize) -> Self {
        Self { key, last_renewal: None, pending_renewal: None, waiting: None, capacity }
    }

    pub(super) fn decrypt(&mut self, event: Event) -> Decrypted {
        match &mut self.waiting {
            Some(waiting) if waiting.len() >= self.capacity => return Decrypted::Dropped,
            Some(waiting) => {
                waiting.push_back(event);
                return Decrypted::Waiting;
            }
            None => {}
        }
        match decrypt(&self.key, &event) {
            Ok(decrypted) => Decrypted::Event(decrypted),
            Err(failure) if failure.new_key_may_help && self.may_renew() => {
                self.last_renewal = Some(Instant::now());
                self.waiting = Some(VecDeque::from([event]));
                Decrypted::KeyNeeded
            }
            Err(failure) => Decrypted::Failed(event, failure.error),
        }
    }

    fn may_renew(&self) -> bool {
        self.last_renewal.is_none_or(|renewal| renewal.elapsed() >= RENEWAL_INTERVAL)
    }

    /// Stores the new key and decrypts the events that waited for it.
    pub(super) fn renew(&mut self, key: Result<SharedSecret, Error>) -> Vec<Result<Event, (Event, Error)>> {
        let waiting = self.waiting.take().unwrap_or_default().into_iter();
        match key {
            Ok(key) => {
                self.key = key;
                waiting
                    .map(|event| decrypt(&self.key, &event).map_err(|failure| (event, failure.error)))
                    .collect()
            }
            Err(error) => waiting.map(|event| Err((event, error.clone()))).collect(),
        }
    }
}

struct Failure {
    error: Error,
    new_key_may_help: bool,
}

fn decrypt(key: &SharedSecret, event: &Event) -> Result<Event, Failure> {
    match key.open(event.data()) {
        Ok(text) => Ok(event.with_data(unquote(text))),
        Err(error) => {
            let new_key_may_help = error.kind() == pusher_signer::ErrorKind::Decryption;
            let error = Error::new(ErrorKind::Decryption, "the event cannot be decrypted").with_cause(error);
            Err(Failure { error, new_key_may_help })
        }
    }
}

/// Pusher's library for Node encrypts a string as JSON, the others as plain text.
fn unquote(text: String) -> String {
    match text.starts_with('"') {
        true => serde_json::from_str(&text).unwrap_or(text),
        false => text,
    }
}
