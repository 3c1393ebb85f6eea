use std::error::Error;
use std::path::Path;

use internal_notifications_store::Store;
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore, backup};

use crate::fixture::{Fixture, user};

async fn backup_error(database: &Path, to: &Path, replace: bool) -> String {
    let before = std::fs::read(to).ok();
    let error = backup(database, to, replace).await.unwrap_err();
    assert_eq!(std::fs::read(to).ok(), before, "a failed backup must not change the target");
    let temporary = std::fs::read_dir(to.parent().unwrap()).into_iter().flatten();
    let temporary =
        temporary.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(temporary.count(), 0, "a failed backup must not leave a temporary file");
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[tokio::test]
async fn a_backup_of_an_open_database_is_one_complete_private_file() {
    let fixture = Fixture::new().await;
    fixture.push("a", &["ada"]).await;
    fixture.push("b", &["ada", "bob"]).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    let bytes = backup(&fixture.file(), &copy, false).await.unwrap();
    fixture.push("later", &["ada"]).await;

    let metadata = copy.metadata().unwrap();
    assert_eq!(metadata.len(), bytes);
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777, 0o600);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    let store = SqliteStore::open_file(&copy, SqliteOptions::default()).await.unwrap();
    assert_eq!(store.head(&user("ada")).await.unwrap().pending, 2);
    assert_eq!(store.head(&user("bob")).await.unwrap().pending, 1);
}

#[tokio::test]
async fn a_backup_replaces_an_existing_file_only_on_request() {
    let fixture = Fixture::new().await;
    fixture.push("a", &["ada"]).await;
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.db");
    std::fs::write(&copy, "precious").unwrap();
    assert!(backup_error(&fixture.file(), &copy, false).await.contains("--force"));
    backup(&fixture.file(), &copy, true).await.unwrap();
    let store = SqliteStore::open_file(&copy, SqliteOptions::default()).await.unwrap();
    assert_eq!(store.head(&user("ada")).await.unwrap().pending, 1);
}

#[tokio::test]
async fn a_database_is_never_replaced_while_it_may_be_open() {
    let (fixture, other) = (Fixture::new().await, Fixture::new().await);
    assert!(backup_error(&fixture.file(), &fixture.file(), true).await.contains("itself"));
    #[cfg(unix)]
    {
        let link = other.folder.path().join("link.db");
        std::os::unix::fs::symlink(fixture.file(), &link).unwrap();
        assert!(backup_error(&fixture.file(), &link, true).await.contains("itself"));
    }
    assert!(backup_error(&fixture.file(), &other.file(), true).await.contains("a server may have"));
    fixture.push("a", &["ada"]).await;
}

#[tokio::test]
async fn a_backup_of_anything_but_an_inbox_database_is_rejected() {
    let folder = tempfile::tempdir().unwrap();
    let [database, copy] = ["a.db", "copy.db"].map(|name| folder.path().join(name));
    assert!(backup_error(&database, &copy, false).await.contains("there is no database"));
    std::fs::write(&database, "").unwrap();
    assert!(backup_error(&database, &copy, false).await.contains("no inboxes"));
    std::fs::write(&database, "no database ".repeat(1_000)).unwrap();
    backup_error(&database, &copy, false).await;
    let fixture = Fixture::new().await;
    let nowhere = folder.path().join("missing/copy.db");
    assert!(backup_error(&fixture.file(), &nowhere, false).await.contains("missing"));
}
