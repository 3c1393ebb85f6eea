use crate::support::binary::run;
use crate::support::server::Server;
use serde_json::json;
use std::os::unix::fs::PermissionsExt;

#[test]
fn without_authentication_the_server_refuses_to_listen_beyond_loopback() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("inbox.db");
    let database = format!("sqlite://{}", path.display());
    for listen in ["0.0.0.0:0", "[::]:0"] {
        let output = run(&["serve", "--json", "--listen", listen, "--database", &database], &[]);
        assert!(output.failed(2).contains("INTERNAL_NOTIFICATIONS_JWT_SECRET"), "{}", output.stderr);
    }
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_server_refuses_to_start_on_the_same_database_and_does_no_harm() {
    let server = Server::start().await;
    let database = format!("sqlite://{}", server.database().display());
    let output = run(&["serve", "--json", "--listen", "127.0.0.1:0", "--database", &database], &[]);
    assert!(output.failed(1).contains("another server"), "{}", output.stderr);
    assert!(server.backend().push(&["ada"], &json!({"content": "c"})).await.unwrap());
    assert_eq!(server.user("ada").get("/v1/inbox").await.with(200)["pending"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_owner_can_read_the_files_of_the_database() {
    let server = Server::start().await;
    assert!(server.backend().push(&["ada"], &json!({"content": "c"})).await.unwrap());
    let mut files = 0;
    for entry in std::fs::read_dir(server.database().parent().unwrap()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{entry:?}");
        files += 1;
    }
    assert!(files >= 3, "the database, its log and its lock are missing: {files}");
}
