use std::sync::Arc;

use pusher_signer::Signer;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep_until};

use crate::clock::Clock;
use crate::counters::Counters;
use crate::limits::Limits;
use crate::registry::{Flag, Registry};
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
    /// A permit for each byte of [`Limits::buffered_bytes`].
    pub(crate) body_memory: Arc<Semaphore>,
    /// The number of connection tasks, including those that only reject a client.
    connection_tasks: watch::Sender<usize>,
}

/// Connection tasks beyond [`Limits::connections`], which only send a close frame.
const REJECTING_TASKS: usize = 64;

impl Shared {
    pub(crate) fn new(
        app_id: String,
        signer: Signer,
        limits: Limits,
        registry: Registry,
        clock: Clock,
        client_events: bool,
    ) -> Self {
        let connection_tasks = watch::Sender::new(0);
        let body_memory = Arc::new(Semaphore::new(limits.buffered_bytes.min(Semaphore::MAX_PERMITS)));
        Self {
            app_id,
            signer,
            limits,
            registry,
            clock,
            client_events,
            tasks: Tasks::default(),
            counters: Counters::default(),
            body_memory,
            connection_tasks,
        }
    }

    /// Counts one more connection task and decides what it may do.
    pub(crate) fn admit(self: &Arc<Self>) -> Admission {
        let limit = self.limits.connections;
        let mut tasks = 0;
        self.connection_tasks.send_modify(|running| {
            *running += 1;
            tasks = *running;
        });
        let permit = Permit { shared: self.clone() };
        if tasks > limit.saturating_add(REJECTING_TASKS) {
            Admission::Full
        } else if tasks > limit {
            Admission::Reject(permit)
        } else {
            Admission::Accept(permit)
        }
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

/// Whether there is room for a connection.
pub(crate) enum Admission {
    Accept(Permit),
    /// Only to send a close frame.
    Reject(Permit),
    /// Not even for a close frame.
    Full,
}

/// Counts as one connection task until it is dropped.
pub(crate) struct Permit {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.shared.connection_tasks.send_modify(|running| *running = running.saturating_sub(1));
    }
}
