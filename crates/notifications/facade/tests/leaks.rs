//! Thousands of sessions and switches of the user leave no task, socket or memory behind.
//!
//! `LEAK_CYCLES` is the number of sessions over a server: 300 by default, 10,000 in
//! `cargo xtask test --long`, which take 125 s on two cores. Over the mock there are always 10,000.

#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may"
)]

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use internal_notifications::{
    Announcement, Credentials, Identity, InternalNotification, InternalNotifications, MockHub, ServiceError,
    Snapshot, Status, async_trait,
};
use internal_notifications_testkit::server::TestServer;
use tokio::runtime::Runtime;

const USERS: [&str; 3] = ["ada", "bob", "eve"];

/// Held by each test: they count resources of the whole process.
static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// The signed-in user.
struct SignedIn(Mutex<Credentials>);

impl SignedIn {
    fn new(credentials: &Credentials) -> Arc<Self> {
        Arc::new(Self(Mutex::new(credentials.clone())))
    }

    fn set(&self, credentials: &Credentials) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = credentials.clone();
    }
}

#[async_trait]
impl Identity for SignedIn {
    async fn identity(&self, _fresh: bool) -> Result<Credentials, ServiceError> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn credentials(token: impl Fn(&str) -> String) -> Vec<Credentials> {
    USERS.iter().map(|user| Credentials::new(user.parse().unwrap(), token(user)).unwrap()).collect()
}

/// The tasks of this runtime and the sockets of this process.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Resources {
    tasks: usize,
    sockets: usize,
}

impl Resources {
    fn now() -> Self {
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        Self { tasks, sockets: sockets() }
    }

    /// Waits until no more than before are in use; the other end of a socket closes it later.
    async fn return_to(before: Self) {
        let mut now = Self::now();
        for _ in 0..1_000 {
            if now.tasks <= before.tasks && now.sockets <= before.sockets {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
            now = Self::now();
        }
        panic!("{before:?} before, {now:?} after");
    }
}

fn sockets() -> usize {
    let open = std::fs::read_dir("/proc/self/fd").unwrap();
    let what = open.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
    what.filter(|what| what.to_string_lossy().starts_with("socket:")).count()
}

/// Returns the resident memory in bytes.
fn memory() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    let resident = pages.split(' ').nth(1).unwrap();
    resident.parse::<usize>().unwrap() * 4_096
}

/// Runs a session of a user from `init` to `dispose`, with everything that an app may do in one.
async fn session(inbox: &InternalNotifications, push: bool) {
    let early = inbox.announcements();
    inbox.init().await.unwrap();
    let (announcements, snapshots) = (inbox.announcements(), inbox.snapshots());
    let readers = [
        tokio::spawn(early.map(drop).collect::<Vec<_>>()),
        tokio::spawn(announcements.map(drop).collect()),
        tokio::spawn(snapshots.map(drop).collect()),
    ];
    drop((inbox.announcements(), inbox.snapshots()));
    let live = |now: &Snapshot| now.status == Status::Live;
    inbox.wait_for(live).await.unwrap();
    inbox.unsubscribe().await.unwrap();
    inbox.subscribe().await.unwrap();
    if push {
        inbox.wait_for(live).await.unwrap();
        let mut announced = inbox.announcements();
        inbox.push(USERS, InternalNotification::new("Hello")).await.unwrap();
        assert!(matches!(announced.next().await, Some(Announcement::Notification(_))));
        inbox.mark_all_opened().await.unwrap();
    }
    let (found, ()) = tokio::join!(inbox.wait_until(u64::MAX), inbox.dispose());
    assert_eq!((found, inbox.snapshot()), (None, Snapshot::default()));
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn ten_thousand_sessions_over_the_mock_leave_nothing() {
    const HUBS: usize = 10;
    let _alone = ALONE.lock().await;
    let users = credentials(|user| format!("{user}s-token"));
    let signed_in = SignedIn::new(&users[0]);
    let before = Resources::now();
    let mut used = Vec::new();
    for _ in 0..HUBS {
        let hub = MockHub::new();
        let inbox =
            InternalNotifications::builder().hub(hub.clone()).identity(signed_in.clone()).build().unwrap();
        for cycle in 0..10_000 / HUBS {
            signed_in.set(&users[cycle % users.len()]);
            session(&inbox, cycle % 50 == 0).await;
            assert_eq!(Resources::now(), before, "after cycle {cycle}");
        }
        assert_eq!(Arc::strong_count(&signed_in), 2);
        drop(inbox);
        assert_eq!(format!("{hub:?}"), "MockHub { services: 0, .. }");
        used.push(memory());
    }
    assert_eq!(Arc::strong_count(&signed_in), 1);
    assert_grew_little(&used, 1 << 20);
}

/// The server runs in its own runtime, so that its tasks are not counted.
#[test]
fn hundreds_of_sessions_over_a_server_leave_nothing() {
    let cycles: usize = std::env::var("LEAK_CYCLES").map_or(300, |cycles| cycles.parse().unwrap());
    let (_alone, servers, apps) = (ALONE.blocking_lock(), runtime(), runtime());
    let server = servers.block_on(TestServer::start()).unwrap();
    apps.block_on(over_a_server(&server, cycles));
    drop(server);
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

async fn over_a_server(server: &TestServer, cycles: usize) {
    const APPS: usize = 10;
    /// Idle connections, at both ends, each with its task.
    const FEW: usize = 10;
    let users = credentials(|user| server.token(&user.parse().unwrap()));
    let signed_in = SignedIn::new(&users[0]);
    let before = Resources::now();
    let mut used = Vec::new();
    for _ in 0..APPS {
        let builder = InternalNotifications::builder().url(server.base_url());
        let inbox = builder.identity(signed_in.clone()).build().unwrap();
        for cycle in 0..cycles / APPS {
            signed_in.set(&users[cycle % users.len()]);
            session(&inbox, cycle % 10 == 0).await;
            let now = Resources::now();
            let few = now.tasks <= before.tasks + FEW && now.sockets <= before.sockets + FEW;
            assert!(few, "{before:?} before, {now:?} after session {cycle}");
        }
        // Without `dispose`, the service ends with its last handle.
        inbox.init().await.unwrap();
        drop(inbox);
        Resources::return_to(before).await;
        assert_eq!(Arc::strong_count(&signed_in), 1);
        used.push(memory());
    }
    // The server is in this process too and stores the pushes. A leaked session would be 10 KiB or
    // more.
    assert_grew_little(&used, (4 << 20) + cycles * 2_048);
}

/// Compares the last round with the second, by which every pool has its size.
fn assert_grew_little(used: &[usize], most: usize) {
    let (first, last) = (used[1], used[used.len() - 1]);
    assert!(last <= first + most, "{used:?} bytes after each round");
}
