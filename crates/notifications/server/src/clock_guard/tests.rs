use std::sync::atomic::{AtomicI64, Ordering};

use internal_notifications_models::{InternalNotification, NotificationId, UserId};
use tokio::time::{Instant, advance, sleep};

use super::*;
use crate::store::memory::{MemoryData, MemoryOptions, MemoryStore};
use crate::store::{IdempotencyKey, Push, Retention};
use crate::upkeep::Upkeep;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(60 * 60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const LIMIT: Duration = Duration::from_secs(1);

/// A clock over tokio's paused time that a test can set. Its monotonic clock keeps running.
struct Settable {
    started: Instant,
    ahead: AtomicI64,
}

impl Settable {
    fn new(ahead: i64) -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), ahead: AtomicI64::new(ahead) })
    }

    fn set(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

impl Clock for Settable {
    fn now(&self) -> Timestamp {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap();
        at(elapsed + self.ahead.load(Ordering::Relaxed))
    }

    fn monotonic(&self) -> Duration {
        self.started.elapsed()
    }
}

/// The time this many milliseconds after the start of the test, by a right clock.
fn at(milliseconds: i64) -> Timestamp {
    Timestamp::from_millisecond(1_800_000_000_000 + milliseconds).unwrap()
}

/// Lets time pass. The tasks run at the end of it, rather than four times a second.
async fn pass(time: Duration) {
    let end = 2 * PERIOD;
    advance(time.saturating_sub(end)).await;
    sleep(end.min(time)).await;
}

fn ada() -> UserId {
    "ada".parse().unwrap()
}

/// One server's part of a test.
struct Server {
    store: Arc<MemoryStore>,
    clock: Arc<Settable>,
    guard: Arc<ClockGuard>,
    upkeep: Upkeep,
}

impl Server {
    async fn start(data: &MemoryData, options: MemoryOptions, clock: &Arc<Settable>) -> Self {
        Self::start_confirming(data, options, clock, None).await
    }

    async fn start_confirming(
        data: &MemoryData,
        options: MemoryOptions,
        clock: &Arc<Settable>,
        confirmed: Option<Timestamp>,
    ) -> Self {
        let store = Arc::new(MemoryStore::open(data.clone(), options));
        let guard = ClockGuard::start(store.as_ref(), clock.clone(), confirmed).await.unwrap();
        let guard = Arc::new(guard);
        let keep = Retention::default().with_log_count(Some(5));
        let upkeep = Upkeep::start(store.clone(), guard.clone(), keep, MINUTE);
        Self { store, clock: clock.clone(), guard, upkeep }
    }

    /// Starts a server alone on new data.
    async fn alone() -> (MemoryData, Self) {
        let (data, clock) = (MemoryData::default(), Settable::new(0));
        let server = Self::start(&data, MemoryOptions::default(), &clock).await;
        (data, server)
    }

    async fn stop(self) {
        self.upkeep.stop(LIMIT).await;
        self.store.close().await;
    }

    async fn push(&self, id: &str, change: impl FnOnce(&mut InternalNotification)) -> (u64, u64) {
        let mut notification = InternalNotification::new("c");
        change(&mut notification);
        let request = internal_notifications_models::PushRequest::new([ada()], notification.clone());
        let push = Push::new(id.parse().unwrap(), "key:shop", notification, vec![ada()], self.guard.stamp())
            .with_now(self.guard.now())
            .with_idempotency_key(Some(IdempotencyKey::new(id, &request).unwrap()));
        let receipt = self.store.push(push).await.unwrap();
        (receipt.accepted, receipt.scheduled)
    }

    async fn ids(&self) -> Vec<String> {
        let page = self.store.page(&ada(), 100, None).await.unwrap();
        page.notifications.iter().map(|notification| notification.id.to_string()).collect()
    }

    async fn has(&self, id: &str) -> bool {
        let id = NotificationId::new(id).unwrap();
        self.store.notification(&ada(), &id).await.unwrap().is_some()
    }
}

#[tokio::test(start_paused = true)]
async fn a_jump_ahead_removes_and_delivers_nothing_early_until_a_day_has_passed() {
    let (_, server) = Server::alone().await;
    server.push("kept", |_| ()).await;
    server.push("expiring", |n| n.expires_at = Some(at(30 * DAY_MS))).await;
    assert_eq!(server.push("later", |n| n.send_after = Some(at(30 * DAY_MS))).await, (0, 1));
    assert_eq!(server.push("soon", |n| n.send_after = Some(at(DAY_MS / 2))).await, (0, 1));
    pass(HOUR).await;
    server.clock.set(400 * DAY_MS);
    pass(HOUR).await;
    assert!(server.guard.is_in_doubt());
    assert_eq!(server.ids().await, ["expiring", "kept"]);

    // Pushes follow the time, but are stored with the later one.
    assert_eq!(server.push("tomorrow", |n| n.send_after = Some(at(3 * DAY_MS))).await, (0, 1));
    assert_eq!(server.push("lasting", |n| n.expires_at = Some(at(20 * DAY_MS))).await, (1, 0));
    let lasting = server.store.notification(&ada(), &"lasting".parse().unwrap()).await.unwrap().unwrap();
    assert!(lasting.created_at > at(400 * DAY_MS), "{}", lasting.created_at);

    // Logs are still trimmed by their length, and a due notification arrives in time.
    for number in 0..10 {
        server.push(&format!("n{number}"), |_| ()).await;
    }
    server.store.mark_published(&[(ada(), u64::MAX)]).await.unwrap();
    pass(2 * MINUTE).await;
    let changes = server.store.changes(&ada(), Default::default(), 100).await.unwrap();
    assert!(format!("{changes:?}").contains("Trimmed"), "{changes:?}");
    let before_due = at(DAY_MS / 2).duration_since(server.guard.now()).unsigned_abs();
    pass(before_due - Duration::from_secs(1)).await;
    assert!(!server.has("soon").await);
    pass(Duration::from_secs(2)).await;
    assert!(server.has("soon").await && !server.has("later").await && server.has("expiring").await);

    pass(DAY).await;
    assert!(!server.guard.is_in_doubt(), "the clock ran steadily for a day");
    assert!(!server.has("kept").await && !server.has("expiring").await && server.has("later").await);
    assert!(server.has("n0").await, "it was stored with the later time");
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_set_right_again_is_trusted_at_once_and_nothing_was_lost() {
    for jump in [400 * DAY_MS, -400 * DAY_MS, 10 * 60 * 1000, -10 * 60 * 1000] {
        let (_, server) = Server::alone().await;
        server.push("kept", |_| ()).await;
        server.push("soon", |n| n.send_after = Some(at(DAY_MS / 8))).await;
        pass(HOUR).await;
        server.clock.set(jump);
        pass(2 * HOUR + Duration::from_secs(1)).await;
        assert!(server.guard.is_in_doubt());
        assert_eq!(server.ids().await, ["soon", "kept"], "{jump}");
        server.clock.set(0);
        pass(2 * PERIOD).await;
        assert!(!server.guard.is_in_doubt());
        pass(2 * HOUR).await;
        assert_eq!(server.ids().await, ["soon", "kept"], "{jump}");
        server.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn small_steps_are_no_jump() {
    let (_, server) = Server::alone().await;
    for step in [2 * 60 * 1000, -60 * 1000, 0, 3 * 60 * 1000] {
        server.clock.set(step);
        pass(HOUR).await;
        assert!(!server.guard.is_in_doubt());
        assert_eq!(server.guard.now(), server.clock.now());
    }
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn after_an_ordinary_stop_a_start_delivers_at_once_what_fell_due() {
    for (stopped, is_trusted) in [(HOUR, true), (3 * DAY, true), (60 * DAY, false)] {
        let (data, server) = Server::alone().await;
        server.push("due", |n| n.send_after = Some(at(DAY_MS / 48))).await;
        let clock = server.clock.clone();
        server.stop().await;
        pass(stopped).await;
        let server = Server::start(&data, MemoryOptions::default(), &clock).await;
        pass(Duration::from_secs(1)).await;
        assert_eq!((server.has("due").await, !server.guard.is_in_doubt()), (is_trusted, is_trusted));
        server.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_start_with_a_wrong_clock_removes_nothing_and_the_next_one_is_compared_alike() {
    for ahead in [400 * DAY_MS, -400 * DAY_MS] {
        let (data, server) = Server::alone().await;
        server.push("kept", |_| ()).await;
        server.push("later", |n| n.send_after = Some(at(30 * DAY_MS))).await;
        let clock = server.clock.clone();
        server.stop().await;
        clock.set(ahead);
        for _ in 0..3 {
            let server = Server::start(&data, MemoryOptions::default(), &clock).await;
            pass(HOUR).await;
            assert!(server.guard.is_in_doubt());
            assert_eq!(server.ids().await, ["kept"]);
            server.stop().await;
        }
        clock.set(0);
        let server = Server::start(&data, MemoryOptions::default(), &clock).await;
        assert!(!server.guard.is_in_doubt(), "the time in doubt was not recorded");
        pass(HOUR).await;
        assert_eq!(server.ids().await, ["kept"]);
        server.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_restart_does_not_confirm_a_clock_that_jumped_before_it() {
    let (data, server) = Server::alone().await;
    server.push("later", |n| n.send_after = Some(at(DAY_MS))).await;
    let clock = server.clock.clone();
    clock.set(2 * DAY_MS);
    pass(HOUR * 2).await;
    server.stop().await;
    for _ in 0..3 {
        let server = Server::start(&data, MemoryOptions::default(), &clock).await;
        pass(MINUTE).await;
        assert!(server.guard.is_in_doubt() && !server.has("later").await);
        server.stop().await;
    }
    clock.set(0);
    let server = Server::start(&data, MemoryOptions::default(), &clock).await;
    assert!(!server.guard.is_in_doubt(), "the clock was set right during a short stop");
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_confirmation_counts_only_for_about_its_own_time() {
    let (data, server) = Server::alone().await;
    server.push("due", |n| n.send_after = Some(at(DAY_MS))).await;
    let clock = server.clock.clone();
    server.stop().await;
    clock.set(60 * DAY_MS);
    for (confirmed, is_trusted) in [(58, false), (62, false), (-400, false), (60, true)] {
        let confirmed = Some(at(confirmed * DAY_MS));
        let options = MemoryOptions::default();
        let server = Server::start_confirming(&data, options, &clock, confirmed).await;
        pass(Duration::from_secs(1)).await;
        assert_eq!((server.has("due").await, !server.guard.is_in_doubt()), (is_trusted, is_trusted));
        server.stop().await;
    }
    let server = Server::start(&data, MemoryOptions::default(), &clock).await;
    assert!(!server.guard.is_in_doubt(), "the confirmed time was recorded");
    server.stop().await;
}

#[tokio::test(start_paused = true)]
async fn servers_that_share_a_store_follow_its_time_whatever_their_own_clocks_show() {
    let database = Settable::new(0);
    let data = MemoryData::new(database.clone());
    let options = || MemoryOptions::default().with_shared(true);
    let [ahead, behind] = [Settable::new(400 * DAY_MS), Settable::new(-400 * DAY_MS)];
    let servers = [
        Server::start(&data, options(), &ahead).await,
        Server::start(&data, options(), &behind).await,
        Server::start(&data, options(), &database).await,
    ];
    for server in &servers {
        assert!(!server.guard.is_in_doubt());
        assert_eq!(server.guard.now(), database.now());
    }
    servers[0].push("kept", |_| ()).await;
    assert_eq!(servers[0].push("soon", |n| n.send_after = Some(at(DAY_MS / 8))).await, (0, 1));
    assert_eq!(servers[1].push("later", |n| n.send_after = Some(at(DAY_MS))).await, (0, 1));
    pass(2 * HOUR).await;
    assert_eq!(servers[1].ids().await, ["kept"]);
    ahead.set(-DAY_MS);
    pass(HOUR + Duration::from_secs(1)).await;
    assert_eq!(servers[1].ids().await, ["soon", "kept"]);

    // The database's own clock is guarded as well, by all servers and those that start.
    database.set(400 * DAY_MS);
    pass(HOUR).await;
    let started = Server::start(&data, options(), &behind).await;
    pass(HOUR).await;
    for server in servers.iter().chain([&started]) {
        assert!(server.guard.is_in_doubt());
    }
    assert_eq!(servers[1].ids().await, ["soon", "kept"]);
    pass(DAY).await;
    assert!(!servers[2].guard.is_in_doubt());
    for server in servers.into_iter().chain([started]) {
        server.stop().await;
    }
}
