use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::command_runner::{env_file, run};
use crate::server::{JWT_SECRET, Server};

fn claims(token: &str) -> Value {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

#[test]
fn a_token_is_issued_from_the_secret_without_a_database() {
    let env = [
        ("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET),
        ("INTERNAL_NOTIFICATIONS_JWT_ISSUER", "https://example.org"),
    ];
    let ran = run(&["token", "--user", "ada", "--ttl", "90s"], &env);
    ran.does_not_show(JWT_SECRET);
    let claims = claims(ran.ok());
    assert_eq!((&claims["sub"], &claims["iss"]), (&json!("ada"), &json!("https://example.org")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 90);
    assert_eq!(claims.get("scope"), None);
}

#[test]
fn with_push_a_token_has_the_scope_to_push() {
    let args = ["token", "--user", "ada", "--push", "--json"];
    let ran = run(&args, &[("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET)]);
    let answer: Value = serde_json::from_str(ran.ok()).unwrap();
    assert_eq!(claims(answer["token"].as_str().unwrap())["scope"], "notifications:push");
}

#[test]
fn a_short_secret_is_rejected_and_not_shown() {
    let ran = run(&["token", "--user", "ada"], &[("INTERNAL_NOTIFICATIONS_JWT_SECRET", "hunter2")]);
    assert!(ran.error(2).contains("INTERNAL_NOTIFICATIONS_JWT_SECRET"));
    ran.does_not_show("hunter2");
}

#[test]
fn without_a_secret_or_a_database_the_error_names_the_variable() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    let ran = run(&["token", "--user", "ada", "--database", &format!("sqlite://{}", path.display())], &[]);
    assert!(ran.error(2).contains("INTERNAL_NOTIFICATIONS_JWT_SECRET"), "{}", ran.stderr);
    assert!(!path.exists(), "the command created a database");
}

#[test]
fn an_unreadable_database_is_a_failure() {
    let file = env_file(&"no database, but long enough to have a header".repeat(100));
    let database = format!("sqlite://{}", file.path().display());
    run(&["token", "--user", "ada", "--database", &database], &[]).error(1);
}

#[test]
fn a_generated_secret_is_found_in_the_database() {
    let server = Server::start_with(Vec::new());
    let token = run(&["token", "--user", "ada", "--database", server.database()], &[]).ok().to_owned();
    server.run_as(&token, &["open", "--user", "ada", "--all"]).ok();
    let (code, output) = server.terminate();
    assert_eq!(code, 0);
    assert!(output.contains("internal-notifications token --user ada"), "the hint is printed: {output}");
}
