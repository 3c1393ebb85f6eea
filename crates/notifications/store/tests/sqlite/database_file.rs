use std::path::Path;

use internal_notifications_models::ResetReason;
use internal_notifications_store::sqlite::{SqliteOptions, SqliteStore};
use internal_notifications_store::{Store, StoreError, StoreErrorKind};

use crate::fixture::{Fixture, push, user};

async fn open(path: &Path) -> Result<SqliteStore, StoreError> {
    SqliteStore::open(&format!("sqlite://{}", path.display()), SqliteOptions::default()).await
}

async fn open_error(path: &Path) -> String {
    let error = open(path).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unusable, "{error}");
    assert!(!error.is_retryable());
    error.to_string()
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_can_access_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let fixture = Fixture::new().await;
    fixture.push("a", &["ada"]).await;
    fixture.ids("ada").await;
    let mut names = Vec::new();
    for file in std::fs::read_dir(fixture.folder.path()).unwrap() {
        let file = file.unwrap();
        names.push(file.file_name().into_string().unwrap());
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{names:?}");
    }
    names.sort_unstable();
    assert_eq!(names, ["inbox.db", "inbox.db-shm", "inbox.db-wal", "inbox.db.lock"]);
}

#[cfg(unix)]
#[tokio::test]
async fn files_that_others_could_read_become_private() {
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let names = ["a.db", "a.db-wal", "a.db-shm", "a.db.lock"].map(|name| folder.path().join(name));
    for name in &names {
        std::fs::write(name, "").unwrap();
        set_permissions(name, Permissions::from_mode(0o664)).unwrap();
    }
    let _store = open(&names[0]).await.unwrap();
    for name in &names {
        assert_eq!(name.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{name:?}");
    }
}

#[tokio::test]
async fn an_in_memory_database_is_rejected() {
    for url in ["sqlite::memory:", "sqlite://:memory:", "sqlite://"] {
        let error = SqliteStore::open(url, SqliteOptions::default()).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unusable);
        assert!(error.to_string().contains("in-memory"), "{error}");
    }
}

#[tokio::test]
async fn a_second_server_is_rejected_while_the_first_has_the_file_open() {
    let fixture = Fixture::new().await;
    assert!(open_error(&fixture.file()).await.contains("another server"));
    #[cfg(unix)]
    {
        let link = fixture.folder.path().join("link.db");
        std::os::unix::fs::symlink(fixture.file(), &link).unwrap();
        assert!(open_error(&link).await.contains("another server"));
    }
    fixture.push("a", &["ada"]).await;
    fixture.store.close().await;
    open(&fixture.file()).await.unwrap();
}

#[tokio::test]
async fn a_newer_schema_is_rejected() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    fixture
        .sql("INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) VALUES (9999, 'later', 1, x'00', 0)")
        .await;
    let error = open_error(&fixture.file()).await;
    assert!(error.contains("9999") && error.contains("newer"), "{error}");
}

#[tokio::test]
async fn an_altered_schema_is_rejected() {
    let fixture = Fixture::new().await;
    fixture.store.close().await;
    fixture.sql("UPDATE _sqlx_migrations SET checksum = x'00'").await;
    open_error(&fixture.file()).await;
}

#[tokio::test]
async fn an_empty_file_becomes_a_database_and_any_other_file_is_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let empty = folder.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    open(&empty).await.unwrap();
    let text = folder.path().join("text.db");
    std::fs::write(&text, "not a database ".repeat(1_000)).unwrap();
    open_error(&text).await;
    assert_eq!(std::fs::read_to_string(&text).unwrap(), "not a database ".repeat(1_000));
    assert!(open_error(&folder.path().join("missing/a.db")).await.contains("missing"));
    open_error(folder.path()).await;
}

#[tokio::test]
async fn file_names_with_a_special_meaning_in_sqlite_are_taken_literally() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["file:a.db", "a#b%20c d.db"] {
        let store = open(&folder.path().join(name)).await.unwrap();
        store.push(push("a", &["ada"])).await.unwrap();
        assert!(folder.path().join(name).metadata().unwrap().len() > 0, "{name}");
    }
}

/// A restore loses the changes after the copy. A client that saw them must detect this.
#[tokio::test]
async fn a_position_that_a_restore_lost_has_diverged() {
    let fixture = Fixture::new().await;
    fixture.push("a", &["ada"]).await;
    fixture.store.close().await;
    let copy = fixture.folder.path().join("copy.db");
    std::fs::copy(fixture.file(), &copy).unwrap();

    let store = open(&fixture.file()).await.unwrap();
    store.push(push("lost", &["ada"])).await.unwrap();
    let seen = store.head(&user("ada")).await.unwrap().position;
    store.close().await;
    std::fs::copy(&copy, fixture.file()).unwrap();

    let fixture = Fixture { store: open(&fixture.file()).await.unwrap(), folder: fixture.folder };
    assert_eq!(fixture.reset("ada", seen).await, Some(ResetReason::Diverged), "beyond the head");
    fixture.push("other", &["ada"]).await;
    assert_eq!(fixture.reset("ada", seen).await, Some(ResetReason::Diverged), "another tag");
    fixture.push("more", &["ada"]).await;
    assert_eq!(fixture.reset("ada", seen).await, Some(ResetReason::Diverged), "another tag below the head");
    assert_eq!(fixture.ids("ada").await, ["more", "other", "a"]);
}
