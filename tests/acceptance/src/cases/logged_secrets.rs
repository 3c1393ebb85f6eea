use crate::cases::hostile::{good_event, wrong_event};
use crate::support::binary::run;
use crate::support::inbox::converge;
use crate::support::server::{API_KEY, APP_KEY, APP_SECRET, JWT_SECRET, Server, token};
use crate::support::tail::Tail;
use serde_json::json;

const HEADING: &str = "heading-that-no-log-may-contain";
const CONTENT: &str = "content-that-no-log-may-contain";
const PAYLOAD: &str = "payload-that-no-log-may-contain";
const EVENT: &str = "event-that-no-log-may-contain";

#[tokio::test(flavor = "multi_thread")]
async fn no_log_contains_a_secret_a_credential_a_signature_or_a_notification() {
    let trace = [("RUST_LOG", "trace")];
    let mut server = Server::start_with(&trace, &[]).await;
    let mut tail = Tail::start_with("ada", &server.url(), &trace);
    tail.live().await;
    let (mut shop, mut ada) = (server.backend(), server.user("ada"));
    let ada_token = token("ada", &["--push"]);
    let mut secrets: Vec<String> =
        [JWT_SECRET, API_KEY, APP_SECRET, HEADING, CONTENT, PAYLOAD, EVENT].map(str::to_owned).into();

    for id in ["small", "large"] {
        let filler = if id == "large" { "x".repeat(20_000) } else { String::new() };
        let notification =
            json!({"id": id, "heading": HEADING, "content": CONTENT, "payload": [PAYLOAD, filler]});
        assert!(shop.push(&["ada"], &notification).await.unwrap());
    }
    ada.post("/v1/inbox/opened", &json!({"ids": ["small"], "op": "an-op"})).await.with(200);
    let auth =
        ada.post("/pusher/auth", &json!({"socket_id": "1.1", "channel_name": "private-ada"})).await.with(200);
    let (_, signature) = auth["auth"].as_str().unwrap().split_once(':').unwrap();
    secrets.push(signature.to_owned());
    for event in [good_event(&server, EVENT).await, wrong_event(&server, EVENT).await] {
        secrets.extend(event);
    }

    // Rejected requests must not be logged either.
    let wrong = format!("{ada_token}x");
    for bearer in [&wrong, "a-wrong-bearer-that-no-log-may-contain"] {
        server.caller(bearer).get("/v1/inbox").await.with(401);
    }
    for notification in [
        json!({"content": CONTENT, "inbox": HEADING}),
        json!({"id": "small", "content": CONTENT}),
        json!({"content": [CONTENT]}),
    ] {
        assert!(!shop.push(&["ada"], &notification).await.unwrap());
    }
    let url = server.url();
    let env = [
        ("INTERNAL_NOTIFICATIONS_URL", url.as_str()),
        ("INTERNAL_NOTIFICATIONS_TOKEN", &ada_token),
        trace[0],
    ];
    let pushed = run(
        &["push", "--to", "ada", "--heading", HEADING, "--payload", &json!(PAYLOAD).to_string(), CONTENT],
        &env,
    );
    pushed.ok();
    let opened = run(&["open", "--user", "ada", "--all"], &env);
    opened.ok();

    converge(&mut tail, &mut ada).await;
    server.kill().await;
    tail.until("offline", |view| view.status == "offline").await;
    server.restart().await;
    converge(&mut tail, &mut ada).await;
    server.stop().await;

    let output = server.output();
    assert!(
        output.contains("/v1/notifications") && output.lines().count() > 20,
        "the log is not complete: {output}"
    );
    secrets.extend([ada_token, token("ada", &[]), "a-wrong-bearer-that-no-log-may-contain".to_owned()]);
    let contains_jwt = |text: &str| text.contains("eyJ");
    for (whose, text) in [
        ("server", &output),
        ("tail", &tail.stderr()),
        ("push", &(pushed.stdout + &pushed.stderr)),
        ("open", &(opened.stdout + &opened.stderr)),
    ] {
        let shown: Vec<_> = secrets.iter().filter(|secret| text.contains(secret.as_str())).collect();
        let lines: Vec<_> = text
            .lines()
            .filter(|line| shown.iter().any(|secret| line.contains(secret.as_str())))
            .take(5)
            .collect();
        assert!(shown.is_empty() && !contains_jwt(text), "{whose} shows {shown:?}: {lines:#?}");
        let signature = text.split(|letter: char| !letter.is_ascii_hexdigit()).find(|word| word.len() == 64);
        assert_eq!(signature, None, "{whose} shows a signature");
        assert!(
            !text.contains("auth_signature"),
            "{whose} shows a signed query; the key {APP_KEY} is public"
        );
    }
}
