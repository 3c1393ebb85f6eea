use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;

use async_trait::async_trait;
use internal_notifications_models::{InternalNotification, LiveEvent, NotificationId, UserId};
use pusher_protocol::ChannelName;

use super::log_counter::LogCounter;
use super::*;
use crate::realtime::{LiveData, RealtimeError};
use crate::store::Push;
use crate::store::sqlite::{SqliteOptions, SqliteStore};
use crate::{Clock, SystemClock};

/// An engine that records what it publishes, and fails as planned.
#[derive(Default)]
struct Recorder {
    published: Mutex<BTreeMap<String, Vec<String>>>,
    calls: AtomicUsize,
    failures: Mutex<Vec<RealtimeError>>,
    changed: tokio::sync::Notify,
}

#[async_trait]
impl Realtime for Recorder {
    async fn publish(&self, channel: &ChannelName, events: &[LiveData]) -> Result<(), RealtimeError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.changed.notify_one();
        if let Some(error) = self.failures.lock().expect("not poisoned").pop() {
            return Err(error);
        }
        let mut published = self.published.lock().expect("not poisoned");
        let events = events.iter().map(|event| event.data.clone());
        published.entry(channel.to_string()).or_default().extend(events);
        Ok(())
    }

    fn concurrency(&self) -> usize {
        4
    }

    async fn close_connections(&self, _: &UserId, _: Option<&ChannelName>) -> Result<(), RealtimeError> {
        unreachable!("the dispatcher closes no connections")
    }
}

impl Recorder {
    fn seqs(&self, channel: &str) -> Vec<u64> {
        let published = self.published.lock().expect("not poisoned");
        let seq = |data: &String| match LiveEvent::parse(data) {
            Some(LiveEvent::Change(change)) => change.stamp.seq,
            Some(LiveEvent::Thin(stamp)) => stamp.seq,
            other => panic!("not an inbox event: {other:?}"),
        };
        published.get(channel).into_iter().flatten().map(seq).collect()
    }

    async fn wait_for_calls(&self, calls: usize) {
        let called = async {
            while self.calls.load(Ordering::Relaxed) < calls {
                self.changed.notified().await;
            }
        };
        tokio::time::timeout(LIMIT, called).await.expect("the engine is called");
    }
}

struct Bench {
    _folder: tempfile::TempDir,
    path: String,
    store: Arc<SqliteStore>,
    recorder: Arc<Recorder>,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("inbox.db").to_str().expect("text").to_owned();
        let store = open(&path).await;
        Self { _folder: folder, path, store, recorder: Arc::default() }
    }

    /// Loses the state of the dispatcher, as a crash does.
    async fn reopen(&mut self) {
        self.store.close().await;
        self.store = open(&self.path).await;
    }

    fn start(&self) -> Dispatcher {
        let channels = ChannelPrefix::default();
        Dispatcher::start(self.store.clone(), self.recorder.clone(), channels, Arc::default())
    }

    async fn push(&self, id: &str, users: &[&str]) {
        let content = InternalNotification::new("hello");
        self.push_this(id, users, content).await;
    }

    async fn push_this(&self, id: &str, users: &[&str], notification: InternalNotification) {
        let id = NotificationId::new(id).expect("valid");
        let user_ids = users.iter().map(|user| UserId::new(*user).expect("valid")).collect();
        let push = Push::new(id, "key:test", notification, user_ids, SystemClock.now());
        self.store.push(push).await.expect("stored");
    }

    /// Makes a change of this inbox unreadable.
    async fn damage(&self, user: &'static str) {
        let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&self.path);
        let mut connection = sqlx::ConnectOptions::connect(&options).await.expect("it opens");
        let sql =
            "UPDATE changes SET detail = 'rot' WHERE inbox = (SELECT key FROM inboxes WHERE user_id = ?1)";
        sqlx::query(sql).bind(user).execute(&mut connection).await.expect("it is written");
    }

    async fn behind(&self) -> usize {
        self.store.unpublished_users(100).await.expect("readable").len()
    }
}

async fn open(path: &str) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::open(path, SqliteOptions::default()).await.expect("it opens"))
}

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn changes_are_published_in_order_and_marked_at_the_end() {
    let bench = Bench::new().await;
    let dispatcher = bench.start();
    for index in 0..20 {
        bench.push(&format!("n{index}"), &["ada", "bob"]).await;
    }
    dispatcher.stop(LIMIT).await;
    for channel in ["private-ada", "private-bob"] {
        assert_eq!(bench.recorder.seqs(channel), (1..=20).collect::<Vec<u64>>(), "{channel}");
    }
    assert_eq!(bench.behind().await, 0);
}

#[tokio::test]
async fn changes_left_by_an_earlier_run_are_published_at_the_start() {
    let mut bench = Bench::new().await;
    bench.push("n1", &["ada", "bob"]).await;
    bench.push("n2", &["ada"]).await;
    bench.reopen().await;
    let dispatcher = bench.start();
    bench.recorder.wait_for_calls(2).await;
    dispatcher.stop(LIMIT).await;
    assert_eq!(bench.recorder.seqs("private-ada"), [1, 2]);
    assert_eq!(bench.recorder.seqs("private-bob"), [1]);
    bench.reopen().await;
    let dispatcher = bench.start();
    dispatcher.stop(LIMIT).await;
    assert_eq!(bench.recorder.seqs("private-ada"), [1, 2], "the marks were recorded");
}

#[tokio::test]
async fn a_retryable_failure_keeps_the_order_and_loses_nothing() {
    let bench = Bench::new().await;
    let retryable = || RealtimeError::retryable("not now");
    *bench.recorder.failures.lock().expect("not poisoned") = vec![retryable(), retryable()];
    bench.push("n1", &["ada"]).await;
    let dispatcher = bench.start();
    let refused_count = dispatcher.refused.clone();
    bench.recorder.wait_for_calls(1).await;
    bench.push("n2", &["ada"]).await;
    bench.recorder.wait_for_calls(3).await;
    dispatcher.stop(LIMIT).await;
    assert_eq!(bench.recorder.seqs("private-ada"), [1, 2]);
    assert_eq!(refused_count.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn a_refused_event_is_counted_and_skipped() {
    let bench = Bench::new().await;
    *bench.recorder.failures.lock().expect("not poisoned") = vec![RealtimeError::permanent("never")];
    let dispatcher = bench.start();
    let refused_count = dispatcher.refused.clone();
    bench.push("n1", &["ada"]).await;
    bench.recorder.wait_for_calls(1).await;
    bench.push("n2", &["ada"]).await;
    dispatcher.stop(LIMIT).await;
    assert_eq!(bench.recorder.seqs("private-ada"), [2]);
    assert_eq!(refused_count.load(Ordering::Relaxed), 1);
    assert_eq!(bench.behind().await, 0);
}

#[tokio::test]
async fn a_refusal_is_logged_as_a_warning_again_after_a_success() {
    let warnings = LogCounter::of(tracing::Level::WARN);
    let _listening = tracing::subscriber::set_default(warnings.clone());
    let bench = Bench::new().await;
    let refused = || RealtimeError::permanent("never");
    let dispatcher = bench.start();
    let refused_count = dispatcher.refused.clone();
    for (index, failures) in
        [vec![refused()], vec![refused()], vec![], vec![refused()]].into_iter().enumerate()
    {
        *bench.recorder.failures.lock().expect("not poisoned") = failures;
        bench.push(&format!("n{index}"), &["ada"]).await;
        bench.recorder.wait_for_calls(index + 1).await;
    }
    dispatcher.stop(LIMIT).await;
    assert_eq!(refused_count.load(Ordering::Relaxed), 3);
    assert_eq!(warnings.count(), 2, "the second refusal in a row is no warning");
}

#[tokio::test]
async fn a_damaged_inbox_does_not_block_the_others() {
    let mut bench = Bench::new().await;
    bench.push("n1", &["ada", "bob", "eve"]).await;
    bench.damage("bob").await;
    bench.reopen().await;
    let dispatcher = bench.start();
    bench.recorder.wait_for_calls(2).await;
    bench.push("n2", &["ada", "bob"]).await;
    bench.recorder.wait_for_calls(3).await;
    bench.push("n3", &["bob"]).await;
    dispatcher.stop(LIMIT).await;
    assert_eq!(bench.recorder.seqs("private-ada"), [1, 2]);
    assert_eq!(bench.recorder.seqs("private-eve"), [1]);
    assert_eq!(bench.recorder.seqs("private-bob"), [0; 0]);
    assert_eq!(
        bench.store.unpublished_users(9).await.expect("readable"),
        [UserId::new("bob").expect("valid")]
    );
}

#[tokio::test]
async fn an_inbox_far_behind_gets_one_thin_event() {
    let bench = Bench::new().await;
    for index in 0..60 {
        bench.push(&format!("n{index}"), &["ada"]).await;
    }
    let dispatcher = bench.start();
    dispatcher.stop(LIMIT).await;
    let published = bench.recorder.published.lock().expect("not poisoned");
    let [event] = &*published["private-ada"] else { panic!("one event: {published:?}") };
    assert!(matches!(LiveEvent::parse(event), Some(LiveEvent::Thin(stamp)) if stamp.seq == 60), "{event}");
}

#[tokio::test]
async fn a_body_too_large_for_the_transport_goes_out_thin() {
    let bench = Bench::new().await;
    let dispatcher = bench.start();
    bench.push_this("big", &["ada"], InternalNotification::new("x".repeat(20_000))).await;
    bench.push("small", &["ada"]).await;
    dispatcher.stop(LIMIT).await;
    let published = bench.recorder.published.lock().expect("not poisoned");
    let events: Vec<_> = published["private-ada"].iter().map(|data| LiveEvent::parse(data)).collect();
    assert!(matches!(events[..], [Some(LiveEvent::Thin(_)), Some(LiveEvent::Change(_))]), "{events:?}");
}

#[tokio::test]
async fn marks_are_recorded_while_it_runs() {
    let bench = Bench::new().await;
    let _dispatcher = bench.start();
    bench.push("n1", &["ada"]).await;
    let marked = async { while bench.behind().await > 0 {} };
    tokio::time::timeout(LIMIT, marked).await.expect("within a second or so");
}
