use std::net::IpAddr;
use std::sync::Arc;

use axum::http::HeaderValue;
use pusher_signer::Signer;
use tokio::runtime::Handle;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use crate::allowed_origin::AllowedOrigin;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::limits::Limits;
use crate::registry::{Flag, Registry};
use crate::room::{Entry, Room};
use crate::tasks::Tasks;

/// The state that the handles, connections and HTTP requests of one broker share.
pub(crate) struct Shared {
    pub(crate) app_id: String,
    pub(crate) signer: Signer,
    pub(crate) limits: Limits,
    pub(crate) registry: Registry,
    pub(crate) clock: Clock,
    pub(crate) client_events: bool,
    pub(crate) tasks: Tasks,
    pub(crate) counters: Counters,
    /// Shared with the other apps of the process.
    pub(crate) room: Arc<Room>,
    /// Whose pages may connect. All, if it is empty.
    pub(crate) allowed_origins: Vec<AllowedOrigin>,
    /// The number of connection tasks, including those that only reject a client.
    pub(crate) connection_tasks: watch::Sender<usize>,
}

impl Shared {
    /// Counts one more connection task and decides what it may do.
    pub(crate) fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> (Permit, Entry) {
        let entry = self.room.enter(address);
        self.connection_tasks.send_modify(|running| *running += 1);
        (Permit { shared: self.clone(), address }, entry)
    }

    /// Returns whether a page with this `Origin` header may connect. Only browsers send one.
    pub(crate) fn allows_origin(&self, origin: Option<&HeaderValue>) -> bool {
        let Some(origin) = origin.filter(|_| !self.allowed_origins.is_empty()) else { return true };
        origin.to_str().is_ok_and(|origin| self.allowed_origins.iter().any(|allowed| allowed.allows(origin)))
    }

    /// Watches the number of connection tasks.
    pub(crate) fn connection_tasks(&self) -> watch::Receiver<usize> {
        self.connection_tasks.subscribe()
    }

    /// Spawns a task that sends delayed subscription counts, if some wait and no such task runs
    /// yet.
    pub(crate) fn send_delayed_counts(self: &Arc<Self>) {
        let registry = &self.registry;
        self.repeat(&registry.counts_need_a_task, "subscription counts", Registry::send_due_counts);
    }

    /// Spawns a task that removes last events of cache channels when they expire, if there are some
    /// and no such task runs yet.
    pub(crate) fn remove_expired_events(self: &Arc<Self>) {
        let registry = &self.registry;
        let step = Registry::remove_expired_events;
        self.repeat(&registry.cache_needs_a_task, "expiry of cached events", step);
    }

    /// Spawns a task that repeats a step whenever it is due, if the flag is raised. The step
    /// returns when it is due again, if ever. The task ends with the broker.
    fn repeat(
        self: &Arc<Self>,
        needs_a_task: &Flag,
        name: &'static str,
        step: fn(&Registry) -> Option<Instant>,
    ) {
        if !needs_a_task.is_raised() {
            return;
        }
        // A connection may be dropped together with its runtime: the next caller tries again.
        let Ok(runtime) = Handle::try_current() else { return };
        if !needs_a_task.take() {
            return;
        }
        let shared = Arc::downgrade(self);
        self.tasks.spawn(&runtime, name, async move {
            while let Some(next) = shared.upgrade().and_then(|shared| step(&shared.registry)) {
                sleep_until(next).await;
            }
        });
    }
}

/// Counts as one connection task until it is dropped.
pub(crate) struct Permit {
    pub(crate) shared: Arc<Shared>,
    address: Option<IpAddr>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.room.leave(self.address);
        self.shared.connection_tasks.send_modify(|running| *running = running.saturating_sub(1));
    }
}
