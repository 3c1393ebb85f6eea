use crate::support::server::APP_KEY;
use crate::support::target::{Target, request, with_headers};

const CHANNEL: &str = r#"{"socket_id":"1.1","channel_name":"private-ada"}"#;
const PUSH: &str =
    r#"{"user_ids":["carol"],"notification":{"id":"01890a5d-ac96-774b-bcce-b302099a8057","content":"c"}}"#;
const UNKNOWN: &str = r#"{"ids":["unknown"]}"#;

/// The routes that need a credential: method, path, a valid body, and the status for it.
pub(super) const ROUTES: [(&str, &str, &str, u16); 12] = [
    ("POST", "/pusher/auth", CHANNEL, 200),
    ("POST", "/pusher/authorize", CHANNEL, 200),
    ("POST", "/broadcasting/auth", CHANNEL, 200),
    ("GET", "/v1/realtime", "", 200),
    ("POST", "/v1/notifications", PUSH, 201),
    ("GET", "/v1/inbox?limit=1&before=2", "", 200),
    ("GET", "/v1/inbox/notifications/one", "", 200),
    ("DELETE", "/v1/inbox/notifications/unknown", "", 404),
    ("GET", "/v1/inbox/changes?after=0", "", 200),
    ("GET", "/v1/inbox/head", "", 200),
    ("POST", "/v1/inbox/opened", UNKNOWN, 200),
    ("POST", "/v1/inbox/unopened", UNKNOWN, 200),
];

#[tokio::test(flavor = "multi_thread")]
async fn wrong_methods_and_unknown_paths_are_rejected() {
    let mut target = Target::start().await;
    let ada = target.ada.clone();
    let paths = ROUTES.map(|(_, path, _, _)| path).into_iter().chain(["/health/live", "/health/ready"]);
    for path in paths {
        let served: Vec<_> = ROUTES
            .iter()
            .filter(|route| route.1 == path)
            .map(|route| route.0)
            .chain(path.starts_with("/health").then_some("GET"))
            .collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
            // The path of a notification serves both methods.
            if served.contains(&method)
                || path.contains("/notifications/") && ["GET", "DELETE"].contains(&method)
            {
                continue;
            }
            target.expect(&format!("{method} {path}"), 405, request(method, path, &ada, "{}")).await;
        }
    }
    let app = format!("/app/{APP_KEY}");
    for (method, path) in
        [("POST", app.as_str()), ("GET", "/apps/4711/events"), ("DELETE", "/apps/4711/batch_events")]
    {
        target.expect_plain(&format!("{method} {path}"), 405, request(method, path, &ada, "")).await;
    }
    for path in [
        "//",
        "/v1",
        "/v1/",
        "/v1/inbox/",
        "//v1/inbox",
        "/v1//inbox",
        "/V1/inbox",
        "/v1/inbox%2Fhead",
        "/v1/inbox%3Flimit=1",
        "/v1/inbox/../inbox",
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/%00",
        "/%ff%fe",
        "/v1/inbox/notifications",
        "/v1/inbox/notifications/",
        "/v1/inbox/notifications/one/two",
        "/app",
        "/apps",
        "/health",
        "/.env",
        "/inbox.db",
    ] {
        for method in ["GET", "POST", "DELETE"] {
            target.expect(&format!("{method} {path}"), 404, request(method, path, &ada, "{}")).await;
        }
    }
    let long = format!("/{}", "a".repeat(7_000));
    target.expect("a long path", 404, request("GET", &long, &ada, "")).await;
    let many: Vec<_> = (0..90).map(|_| ("x-many", "of them")).chain([("host", "localhost")]).collect();
    target.expect("many headers", 404, with_headers("GET", "/nothing", &many, "")).await;
    target.assert_unharmed().await;
}
