//! Records in real files: crashes, locks and permissions.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};

use internal_notifications_service::{RecordKey, ServiceErrorKind, Storage, StoredRecord};
use internal_notifications_storage::FileStorage;
use tempfile::TempDir;

#[cfg(unix)]
mod killed;

async fn open(folder: &Path, user: &str) -> Box<dyn StoredRecord> {
    FileStorage::new(folder).open(&key(user)).await.unwrap()
}

fn key(user: &str) -> RecordKey {
    RecordKey::new("https://inbox.example.com/", user.parse().unwrap())
}

async fn load(folder: &Path) -> Option<Vec<u8>> {
    open(folder, "ada").await.load().await.unwrap()
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
}

fn file(folder: &Path) -> PathBuf {
    files(folder, "inbox").pop().unwrap()
}

#[tokio::test]
async fn a_record_is_what_was_kept_last() {
    let folder = TempDir::new().unwrap();
    let mut record = open(folder.path(), "ada").await;
    assert_eq!(record.load().await.unwrap(), None);
    for kept in [b"first".to_vec(), Vec::new(), b"third".to_vec()] {
        record.keep(kept.clone()).await.unwrap();
        assert_eq!(record.load().await.unwrap(), Some(kept));
    }
    drop(record);
    assert_eq!(load(folder.path()).await.unwrap(), b"third");
}

#[tokio::test]
async fn each_user_has_a_record_of_their_own() {
    let folder = TempDir::new().unwrap();
    let (mut ada, mut bob) = (open(folder.path(), "ada").await, open(folder.path(), "bob").await);
    ada.keep(b"of ada".to_vec()).await.unwrap();
    assert_eq!(bob.load().await.unwrap(), None);
    ada.forget().await.unwrap();
    assert_eq!(ada.load().await.unwrap(), None);
    assert_eq!(files(folder.path(), "inbox"), Vec::<PathBuf>::new());
    ada.forget().await.unwrap();
    ada.keep(b"again".to_vec()).await.unwrap();
    drop(ada);
    assert_eq!(load(folder.path()).await.unwrap(), b"again");
}

#[tokio::test]
async fn a_file_stays_bounded_however_often_it_is_kept() {
    let folder = TempDir::new().unwrap();
    let mut record = open(folder.path(), "ada").await;
    let mut longest = 0;
    for number in 0..300_u32 {
        record.keep(vec![number as u8; 10_000]).await.unwrap();
        longest = longest.max(fs::metadata(file(folder.path())).unwrap().len());
    }
    assert!(longest > 500_000 && longest <= 1 << 20, "{longest}");
    drop(record);
    assert_eq!(load(folder.path()).await.unwrap(), vec![43; 10_000]);
}

#[tokio::test]
async fn a_torn_tail_is_dropped_and_written_over() {
    let folder = TempDir::new().unwrap();
    let mut record = open(folder.path(), "ada").await;
    record.keep(b"first".to_vec()).await.unwrap();
    let first_end = fs::metadata(file(folder.path())).unwrap().len();
    record.keep(b"second".to_vec()).await.unwrap();
    drop(record);
    let whole = fs::read(file(folder.path())).unwrap();
    for length in 0..whole.len() {
        fs::write(file(folder.path()), &whole[..length]).unwrap();
        let mut record = open(folder.path(), "ada").await;
        if (length as u64) < first_end {
            let error = record.load().await.unwrap_err();
            assert_eq!(error.kind(), ServiceErrorKind::Storage, "cut to {length}");
            assert!(error.to_string().contains("move it away"), "{error}");
            assert_eq!(fs::read(file(folder.path())).unwrap(), &whole[..length], "it was changed");
            continue;
        }
        assert_eq!(record.load().await.unwrap().unwrap(), b"first", "cut to {length}");
        record.keep(b"x".to_vec()).await.unwrap();
        drop(record);
        assert_eq!(load(folder.path()).await.unwrap(), b"x", "cut to {length}");
    }
}

#[tokio::test]
async fn a_second_opening_is_refused_until_the_first_is_dropped() {
    let folder = TempDir::new().unwrap();
    let first = open(folder.path(), "ada").await;
    let second = FileStorage::new(folder.path()).open(&key("ada")).await;
    let error = second.err().unwrap();
    assert_eq!(error.kind(), ServiceErrorKind::InUse);
    assert!(error.to_string().contains("another service"), "{error}");
    drop(first);
    open(folder.path(), "ada").await;
}

#[tokio::test]
async fn a_dropped_future_does_not_undo_a_later_change() {
    let folder = TempDir::new().unwrap();
    for _ in 0..50 {
        let mut record = open(folder.path(), "ada").await;
        for number in 0..4 {
            // Polled once, so that the work has begun.
            let kept = record.keep(vec![number; 1_000_000]);
            let _ = futures_poll_once(kept).await;
        }
        record.keep(b"last".to_vec()).await.unwrap();
        drop(record);
        assert_eq!(load(folder.path()).await.unwrap(), b"last");
    }
}

async fn futures_poll_once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = Box::pin(future);
    std::future::poll_fn(|context| {
        std::task::Poll::Ready(match future.as_mut().poll(context) {
            std::task::Poll::Ready(output) => Some(output),
            std::task::Poll::Pending => None,
        })
    })
    .await
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_an_error_with_its_path() {
    let folder = TempDir::new().unwrap();
    let taken = folder.path().join("taken");
    fs::write(&taken, "a file").unwrap();
    let error = FileStorage::new(&taken).open(&key("ada")).await.err().unwrap();
    assert_eq!(error.kind(), ServiceErrorKind::Storage);
    assert!(error.to_string().contains("taken"), "{error}");
    assert!(std::error::Error::source(&error).is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_read_what_is_kept() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let inner = folder.path().join("new");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let mut record = open(&inner, "ada").await;
    record.keep(b"kept".to_vec()).await.unwrap();
    assert_eq!((mode(&inner), mode(&file(&inner))), (0o700, 0o600));
    assert_eq!(mode(&files(&inner, "lock")[0]), 0o600);
    drop(record);
    fs::set_permissions(file(&inner), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(load(&inner).await.unwrap(), b"kept");
    assert_eq!(mode(&file(&inner)), 0o600);
}
