use crate::binary::run;
use crate::server::{JWT_SECRET, Server};

fn claims(token: &str) -> String {
    let output = std::process::Command::new("sh")
        .args([
            "-c",
            "printf '%s' \"$1\" | cut -d. -f2 | tr -- '-_' '+/' | base64 -d 2>/dev/null; true",
            "sh",
            token,
        ])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_token_is_minted_from_the_secret_without_a_database() {
    let env = [
        ("INTERNAL_NOTIFICATIONS_JWT_SECRET", JWT_SECRET),
        ("INTERNAL_NOTIFICATIONS_JWT_ISSUER", "https://example.org"),
    ];
    let ran = run(&["token", "--user", "ada", "--ttl", "90s"], &env);
    ran.does_not_show(JWT_SECRET);
    let claims = claims(ran.ok());
    assert!(
        claims.contains(r#""sub":"ada""#) && claims.contains(r#""iss":"https://example.org""#),
        "{claims}"
    );
    assert!(!claims.contains("scope"), "{claims}");
}

#[test]
fn a_secret_that_is_too_short_is_refused_and_not_shown() {
    let ran = run(&["token", "--user", "ada"], &[("INTERNAL_NOTIFICATIONS_JWT_SECRET", "hunter2")]);
    assert!(ran.error(2).contains("INTERNAL_NOTIFICATIONS_JWT_SECRET"));
    ran.does_not_show("hunter2");
}

#[test]
fn without_a_secret_and_without_its_database_it_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("none.db");
    let ran = run(&["token", "--user", "ada", "--database", &format!("sqlite://{}", path.display())], &[]);
    assert!(ran.error(2).contains("INTERNAL_NOTIFICATIONS_JWT_SECRET"), "{}", ran.stderr);
    assert!(!path.exists(), "asking for a token makes no database");
}

#[test]
fn the_secret_that_a_server_made_is_found_in_its_database() {
    let server = Server::start_with(Vec::new());
    let token = run(&["token", "--user", "ada", "--database", server.database()], &[]).ok().to_owned();
    server.run_as(&token, &["open", "--user", "ada", "--all"]).ok();
    let (code, output) = server.terminate();
    assert_eq!(code, 0);
    assert!(output.contains("internal-notifications token --user ada"), "it told the command: {output}");
}
