use crate::command_runner::run;
use crate::server::Server;

#[test]
fn a_running_server_is_copied_and_an_existing_file_is_kept_without_force() {
    let server = Server::start();
    server.push(&["--to", "ada", "c"]).ok();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let to = path.to_str().unwrap();
    let ran = run(&["backup", "--database", server.database(), to], &[]);
    let length = path.metadata().unwrap().len();
    assert_eq!(ran.ok(), format!("{to}: {length} bytes"));

    let ran = run(&["backup", "--database", server.database(), to], &[]);
    assert!(ran.error(1).contains("--force"));
    let env = [("INTERNAL_NOTIFICATIONS_DATABASE_URL", server.database())];
    let ran = run(&["backup", "--force", "--json", to], &env);
    let line: serde_json::Value = serde_json::from_str(ran.ok()).unwrap();
    assert_eq!((&line["path"], &line["bytes"]), (&to.into(), &length.into()));
    server.push(&["--to", "ada", "the server goes on"]).ok();
}

#[test]
fn a_missing_database_is_a_failure_and_none_is_created() {
    let folder = tempfile::tempdir().unwrap();
    let [database, to] = ["a.db", "b.db"].map(|name| folder.path().join(name).display().to_string());
    let ran = run(&["backup", "--database", &format!("sqlite://{database}"), &to], &[]);
    assert!(ran.error(1).contains(&database));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}
