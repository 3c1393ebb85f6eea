//! Known differences between the broker and sockudo 5.2.0. `docs/engines.md` compares both with
//! Pusher's documentation. A test fails if it finds a new difference, or if a known one has
//! disappeared.

use crate::engine::Engine;

pub(crate) struct Difference {
    pub(crate) what: &'static str,
    ours: &'static str,
    sockudos: &'static str,
}

pub(crate) const UNKNOWN_APP: Difference = Difference {
    what: "a connection with an unknown app key",
    ours: "closed with 4001",
    sockudos: "dropped without a code",
};
pub(crate) const UNKNOWN_KEY: Difference =
    Difference { what: "an HTTP API request with an unknown key", ours: "401", sockudos: "404" };
pub(crate) const COUNTS: Difference =
    Difference { what: "the subscription count for subscribers", ours: "sent", sockudos: "not sent" };
pub(crate) const SENDER: Difference = Difference {
    what: "the sender's user id in a client event on a presence channel",
    ours: "included",
    sockudos: "missing",
};
pub(crate) const WEBHOOK_SENDER: Difference = Difference {
    what: "the sender's user id in a client_event webhook of a presence channel",
    ours: "included",
    sockudos: "missing",
};
pub(crate) const MEMBER_BY_SIGN_IN: Difference = Difference {
    what: "a signed-in user's subscription to a presence channel without channel_data",
    ours: "accepted",
    sockudos: "connection dropped without a code",
};
pub(crate) const PRESENCE_CACHE: Difference = Difference {
    what: "a subscription to a presence-cache- channel",
    ours: "accepted",
    sockudos: "rejected with 4000",
};
pub(crate) const CLIENT_EVENT_ON_CACHE: Difference = Difference {
    what: "a client event on a private-cache- channel",
    ours: "delivered",
    sockudos: "rejected with 4301",
};
pub(crate) const FORGED_SUBSCRIPTION: Difference = Difference {
    what: "the error code for a forged subscription",
    ours: "null",
    sockudos: "4009, and the connection stays open",
};
pub(crate) const WATCHLIST: Difference = Difference {
    what: "a watched user who comes online or goes offline",
    ours: "reported in pusher_internal:watchlist_events",
    sockudos: "not reported there",
};
pub(crate) const CACHE_OF_CHANNEL: Difference = Difference {
    what: "the cache attribute of the HTTP API",
    ours: "the data of the event",
    sockudos: "the frame of the event",
};
pub(crate) const CHANNEL_LIST: Difference = Difference {
    what: "the HTTP API's list of channels right after another channel became occupied",
    ours: "includes the channel",
    sockudos: "omits it",
};

const ALL: [Difference; 12] = [
    UNKNOWN_APP,
    UNKNOWN_KEY,
    COUNTS,
    SENDER,
    WEBHOOK_SENDER,
    MEMBER_BY_SIGN_IN,
    PRESENCE_CACHE,
    CLIENT_EVENT_ON_CACHE,
    FORGED_SUBSCRIPTION,
    WATCHLIST,
    CACHE_OF_CHANNEL,
    CHANNEL_LIST,
];

impl Difference {
    /// Panics unless the engine behaves as listed.
    #[track_caller]
    pub(crate) fn check(&self, engine: Engine, seen: &str) {
        let expected = match engine {
            Engine::Broker => self.ours,
            Engine::Sockudo => self.sockudos,
        };
        assert_eq!(seen, expected, "{}", self.what);
    }
}

#[test]
fn every_difference_is_explained() {
    let document = include_str!("../../../../../docs/engines.md");
    for Difference { what, ours, sockudos } in ALL {
        assert_ne!(ours, sockudos, "{what}");
        let row = format!("| {what} | {ours} | {sockudos} |");
        assert!(document.contains(&row), "docs/engines.md has no row {row}");
    }
}
