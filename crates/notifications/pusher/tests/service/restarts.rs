//! What the storage keeps across restarts of the app.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use internal_notifications_pusher::contract::{
    Announcement, InboxCommand, InternalNotificationsService, RecordKey, ServiceError, ServiceErrorKind,
    Status, Storage, StoredRecord, Written,
};
use internal_notifications_pusher::models::NotificationId;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::support::{Device, Fault, Server, soon};

/// A storage in memory that can fail, and hold changes back.
#[derive(Clone, Default)]
struct Memory {
    records: Arc<Mutex<HashMap<RecordKey, Vec<u8>>>>,
    /// Whether nothing can be kept.
    is_full: Arc<Mutex<bool>>,
    /// Whether what is kept next is reported as not kept.
    is_torn: Arc<Mutex<bool>>,
    is_held: Arc<watch::Sender<bool>>,
    starts: Arc<AtomicU64>,
}

struct MemoryRecord {
    storage: Memory,
    key: RecordKey,
}

#[async_trait]
impl Storage for Memory {
    async fn open(&self, key: &RecordKey) -> Result<Box<dyn StoredRecord>, ServiceError> {
        Ok(Box::new(MemoryRecord { storage: self.clone(), key: key.clone() }))
    }
}

#[async_trait]
impl StoredRecord for MemoryRecord {
    async fn load(&mut self) -> Result<Option<Vec<u8>>, ServiceError> {
        let _ = self.storage.is_held.subscribe().wait_for(|is_held| !is_held).await;
        Ok(self.storage.records.lock().unwrap().get(&self.key).cloned())
    }

    async fn keep(&mut self, record: Vec<u8>) -> Result<(), ServiceError> {
        let _ = self.storage.is_held.subscribe().wait_for(|is_held| !is_held).await;
        if *self.storage.is_full.lock().unwrap() {
            return Err(ServiceError::new(ServiceErrorKind::Storage, "no space left"));
        }
        self.storage.records.lock().unwrap().insert(self.key.clone(), record);
        match std::mem::take(&mut *self.storage.is_torn.lock().unwrap()) {
            true => Err(ServiceError::new(ServiceErrorKind::Storage, "cannot be synced")),
            false => Ok(()),
        }
    }

    async fn forget(&mut self) -> Result<(), ServiceError> {
        self.storage.records.lock().unwrap().remove(&self.key);
        Ok(())
    }
}

impl Memory {
    fn device(&self, server: &Server) -> Device {
        // Each start draws other operation ids.
        let seed = self.starts.fetch_add(1, Ordering::Relaxed);
        Device::with(server, |builder| builder.storage(self.clone()).seed(seed))
    }

    /// Starts the app without a connection.
    async fn start_offline(&self, server: &Server) -> Device {
        let device = self.device(server);
        server.world().is_down = true;
        device.network.cut(true);
        device.service.init().await.unwrap();
        device
    }

    fn set_full(&self, is_full: bool) {
        *self.is_full.lock().unwrap() = is_full;
    }

    fn text(&self) -> String {
        let records = self.records.lock().unwrap();
        String::from_utf8(records.values().next().unwrap().clone()).unwrap()
    }
}

fn id(id: &str) -> NotificationId {
    NotificationId::new(id).unwrap()
}

/// Starts an app that is live with these notifications.
async fn live(ids: &[&str]) -> (Server, Memory, Device) {
    let server = Server::new();
    ids.iter().for_each(|id| drop(server.add("ada", id)));
    let storage = Memory::default();
    let device = storage.device(&server);
    device.go_live().await;
    (server, storage, device)
}

async fn next_id(announcements: &mut (impl StreamExt<Item = Announcement> + Unpin)) -> String {
    match soon(announcements.next()).await {
        Some(Announcement::Notification(row)) => row.id.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_starts_offline_with_its_last_list_and_its_queued_writes() {
    let (server, storage, device) = live(&["a", "b"]).await;
    device.cut(&server).await;
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Queued));
    drop(device);

    let device = storage.start_offline(&server).await;
    let now = device.service.snapshot();
    assert_eq!((device.ids(), now.unconfirmed), (vec!["b*".to_owned(), "a".into()], 1));
    device.until(|snapshot| matches!(snapshot.status, Status::Offline(_))).await;
    assert_eq!(device.service.remove(&id("b")).await, Ok(Written::Queued));
    drop(device);

    let device = storage.start_offline(&server).await;
    device.mend(&server);
    device.until_stored().await;
    assert_eq!(device.ids(), ["a"]);
    assert_eq!(server.world().writes, ["/v1/inbox/opened", "/v1/inbox/notifications/b"]);
}

#[tokio::test(start_paused = true)]
async fn what_came_while_the_app_was_closed_is_announced_and_the_rest_is_not() {
    let (server, storage, device) = live(&["first"]).await;
    let mut announcements = device.service.announcements();
    server.add("ada", "live");
    assert_eq!(next_id(&mut announcements).await, "live");
    drop(device);
    server.add("ada", "closed");

    let device = storage.device(&server);
    let mut announcements = device.service.announcements();
    device.go_live().await;
    assert_eq!(next_id(&mut announcements).await, "closed");
    device.until_seq(3).await;
    assert!(announcements.next().now_or_never().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_is_announced_was_kept_before() {
    let (server, storage, device) = live(&[]).await;
    let mut announcements = device.service.announcements();
    storage.is_held.send_replace(true);
    server.add("ada", "a");
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert!(announcements.next().now_or_never().is_none());
    assert_eq!(device.ids(), Vec::<String>::new());
    storage.is_held.send_replace(false);
    assert_eq!(next_id(&mut announcements).await, "a");
    assert!(storage.text().contains("content of a"));
}

#[tokio::test(start_paused = true)]
async fn a_write_is_kept_before_it_is_sent_or_queued() {
    let (server, storage, device) = live(&["a"]).await;
    storage.is_held.send_replace(true);
    let a = [id("a")];
    let mut write = device.service.mark_opened(&a);
    assert!(tokio::time::timeout(Duration::from_secs(10), &mut write).await.is_err());
    assert!(server.world().writes.is_empty());
    storage.is_held.send_replace(false);
    assert_eq!(write.await, Ok(Written::Stored));
}

#[tokio::test(start_paused = true)]
async fn without_room_writes_fail_and_announcements_are_skipped() {
    let (server, storage, device) = live(&["a"]).await;
    let mut announcements = device.service.announcements();
    storage.set_full(true);
    let error = device.service.mark_opened(&[id("a")]).await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Storage);
    assert_eq!((device.ids(), server.world().writes.len()), (vec!["a*".to_owned()], 0));
    server.add("ada", "b");
    assert_eq!(soon(announcements.next()).await, Some(Announcement::Skipped));
    assert_eq!(device.ids(), ["b*", "a*"]);
    storage.set_full(false);
    server.add("ada", "c");
    assert_eq!(next_id(&mut announcements).await, "c");
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Stored));
}

#[tokio::test(start_paused = true)]
async fn a_write_that_failed_is_not_sent_after_a_restart() {
    let (server, storage, device) = live(&["a"]).await;
    *storage.is_torn.lock().unwrap() = true;
    let error = device.service.mark_opened(&[id("a")]).await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Storage);
    tokio::time::sleep(Duration::from_secs(10)).await;
    drop(device);
    let device = storage.device(&server);
    device.go_live().await;
    device.until_stored().await;
    assert_eq!((device.ids(), server.world().writes.len()), (vec!["a*".to_owned()], 0));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_nobody_heard_is_told_after_a_restart_and_the_write_is_not_sent_again() {
    let (server, storage, device) = live(&["a"]).await;
    device.cut(&server).await;
    assert_eq!(device.service.mark_opened(&[id("a")]).await, Ok(Written::Queued));
    server.fail("/opened", Fault::refusal(403));
    device.mend(&server);
    device.until_stored().await;
    drop(device);
    let sent = server.seen("/opened").len();
    assert!(storage.text().contains("forbidden"));

    let device = storage.device(&server);
    let mut announcements = device.service.announcements();
    device.go_live().await;
    match soon(announcements.next()).await {
        Some(Announcement::WriteRefused(refused)) => {
            assert_eq!(refused.command, InboxCommand::Opened(vec![id("a")]));
            assert_eq!(refused.error.kind(), ServiceErrorKind::Forbidden);
        }
        other => panic!("{other:?}"),
    }
    device.until_live().await;
    assert_eq!((device.ids(), server.seen("/opened").len()), (vec!["a*".to_owned()], sent));
    assert!(!storage.text().contains("forbidden"), "{}", storage.text());
}

#[tokio::test(start_paused = true)]
async fn dispose_forgets_and_dropping_keeps() {
    let (server, storage, device) = live(&["a"]).await;
    drop(device);
    assert_eq!(storage.records.lock().unwrap().len(), 1);
    let device = storage.device(&server);
    device.go_live().await;
    device.service.dispose().await;
    assert!(storage.records.lock().unwrap().is_empty());
    // The next start is a first one.
    server.world().is_down = true;
    assert_eq!(device.service.init().await.unwrap_err().kind(), ServiceErrorKind::Unavailable);
}

#[tokio::test(start_paused = true)]
async fn dispose_during_init_forgets() {
    let (server, storage, device) = live(&["a"]).await;
    drop(device);
    let device = storage.device(&server);
    storage.is_held.send_replace(true);
    let init = tokio::time::timeout(Duration::from_secs(1), device.service.init()).await;
    assert!(init.is_err(), "the record is being read");
    device.service.dispose().await;
    assert!(storage.records.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn dispose_after_an_init_that_could_not_read_the_record_starts_anew() {
    let (server, storage, device) = live(&["a"]).await;
    drop(device);
    storage.records.lock().unwrap().values_mut().for_each(|record| *record = b"scrambled".to_vec());
    let device = storage.device(&server);
    let error = device.service.init().await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Storage);
    assert!(error.to_string().contains("call dispose"), "{error}");
    assert_eq!(storage.text(), "scrambled");
    device.service.dispose().await;
    assert!(storage.records.lock().unwrap().is_empty());
    device.go_live().await;
    assert_eq!(device.ids(), ["a*"]);
}

#[test]
fn dispose_after_the_end_of_the_runtime_forgets() {
    let first = Runtime::new().unwrap();
    let (_server, storage, device) = first.block_on(live(&["a"]));
    drop(first);
    assert_eq!(storage.records.lock().unwrap().len(), 1);
    Runtime::new().unwrap().block_on(device.service.dispose());
    assert!(storage.records.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_app_may_start_offline_where_something_else_answers() {
    for status in [404, 200] {
        let server = Server::new();
        server.add("ada", "a");
        (0..2).for_each(|_| server.fail("/v1/", Fault::foreign(status)));
        let device = Device::with(&server, |builder| builder.start_offline());
        device.service.init().await.unwrap();
        let now = device.service.snapshot();
        let Status::Offline(error) = &now.status else { panic!("{now:?}") };
        assert_eq!(error.kind(), ServiceErrorKind::Unavailable);
        device.until_seq(1).await;
        assert_eq!(device.ids(), ["a*"]);
    }
}

#[tokio::test(start_paused = true)]
async fn an_app_may_start_offline_without_a_kept_inbox_if_it_asks_for_that() {
    let server = Server::new();
    server.add("ada", "a");
    server.world().is_down = true;
    let device = Device::with(&server, |builder| builder.start_offline());
    let mut announcements = device.service.announcements();
    device.service.init().await.unwrap();
    let now = device.service.snapshot();
    assert!(now.notifications.is_empty() && matches!(now.status, Status::Offline(_)), "{now:?}");
    device.mend(&server);
    device.until_live().await;
    device.until_seq(1).await;
    assert_eq!(device.ids(), ["a*"]);
    assert!(announcements.next().now_or_never().is_none(), "the first snapshot is not announced");
}

#[tokio::test(start_paused = true)]
async fn what_a_newer_version_kept_is_left_as_it_is() {
    let (server, storage, device) = live(&["a"]).await;
    drop(device);
    let newer = storage.text().replacen(r#""format":1"#, r#""format":99"#, 1);
    storage.records.lock().unwrap().values_mut().for_each(|record| *record = newer.clone().into_bytes());
    let device = storage.device(&server);
    let error = device.service.init().await.unwrap_err();
    assert_eq!(error.kind(), ServiceErrorKind::Storage);
    assert!(error.to_string().contains("newer version"), "{error}");
    assert_eq!(storage.text(), newer);
}
