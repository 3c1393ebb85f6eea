use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use pusher_client::HttpApi;
use pusher_signer::Signer;

use crate::Failure;

pub(crate) const APP_ID: &str = "17";
pub(crate) const APP_KEY: &str = "soak-app-key";
pub(crate) const APP_SECRET: &str = "soak-app-secret";

/// Clients of one presence channel; two of them are connections of the same user.
const ROOM: usize = 20;
/// Clients of one channel with events.
const FEED: usize = 300;
/// Findings that are printed.
const PRINTED: usize = 20;

/// What all parts of a round share.
pub(crate) struct World {
    pub(crate) address: SocketAddr,
    pub(crate) signer: Signer,
    pub(crate) feeds: usize,
    pub(crate) rooms: usize,
    clients: Vec<Mutex<Client>>,
    findings: Mutex<usize>,
}

/// What a client knows of itself.
#[derive(Default)]
pub(crate) struct Client {
    /// Whether it does nothing any more.
    pub(crate) is_settled: bool,
    pub(crate) feed: Place,
    pub(crate) room: Place,
    pub(crate) own: Place,
    /// The members of its room, as the broker reported them to it.
    pub(crate) members: BTreeSet<String>,
}

/// Whether a client is subscribed to a channel.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Place {
    #[default]
    Out,
    Asked,
    In,
}

impl World {
    pub(crate) fn new(address: SocketAddr, connections: usize) -> Self {
        Self {
            address,
            signer: Signer::new(APP_KEY, APP_SECRET),
            feeds: connections.div_ceil(FEED),
            rooms: connections.div_ceil(ROOM),
            clients: (0..connections).map(|_| Mutex::default()).collect(),
            findings: Mutex::default(),
        }
    }

    pub(crate) fn api(&self) -> Result<HttpApi, Failure> {
        let builder = HttpApi::builder(APP_ID, self.signer.clone()).host(self.address.ip().to_string());
        Ok(builder.port(self.address.port()).tls(false).build()?)
    }

    pub(crate) fn clients(&self) -> impl Iterator<Item = (usize, MutexGuard<'_, Client>)> {
        let clients = self.clients.iter().enumerate();
        clients.map(|(number, client)| (number, client.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Changes what a client knows of itself.
    pub(crate) fn update<T>(&self, number: usize, change: impl FnOnce(&mut Client) -> T) -> Option<T> {
        let client = self.clients.get(number)?;
        Some(change(&mut client.lock().unwrap_or_else(PoisonError::into_inner)))
    }

    /// Records something that is wrong, and prints the first of them.
    #[expect(clippy::print_stdout, reason = "the output of a command")]
    pub(crate) fn find(&self, what: &str) {
        let mut findings = self.findings.lock().unwrap_or_else(PoisonError::into_inner);
        *findings += 1;
        if *findings <= PRINTED {
            println!("found: {what}");
        }
    }

    pub(crate) fn findings(&self) -> usize {
        *self.findings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn feed(&self, client: usize) -> usize {
        client % self.feeds
    }

    pub(crate) fn room(&self, client: usize) -> String {
        format!("presence-room-{}", client / 2 % self.rooms)
    }
}

pub(crate) fn feed_name(feed: usize) -> String {
    format!("feed-{feed}")
}

pub(crate) fn own_name(client: usize) -> String {
    format!("private-own-{client}")
}

/// Returns the user of a client. Two clients are the same user.
pub(crate) fn user(client: usize) -> String {
    format!("user-{}", client / 2)
}
