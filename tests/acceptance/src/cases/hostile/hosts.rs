use crate::support::server::{API_KEY, APP_ID, APP_KEY};
use crate::support::target::{Target, with_headers};

#[tokio::test(flavor = "multi_thread")]
async fn no_route_answers_a_foreign_host() {
    let mut target = Target::start().await;
    let port = target.server.address.port();
    let (app, events) = (format!("/app/{APP_KEY}"), format!("/apps/{APP_ID}/events"));
    let (ada, shop) = (format!("Bearer {}", target.ada), format!("Bearer {API_KEY}"));
    let routes = [
        ("GET", "/v1/inbox", ada.as_str()),
        ("GET", "/v1/realtime", &ada),
        ("POST", "/pusher/auth", &ada),
        ("POST", "/v1/notifications", &shop),
        ("GET", "/health/live", &ada),
        ("GET", "/nothing", &ada),
        ("GET", &app, &ada),
        ("POST", &events, &ada),
    ];
    let foreign = [
        "evil.example",
        "evil.example:80",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:127.0.0.1",
        "localhost@evil.example",
        "127.0.0.2",
        "0.0.0.0",
        "2130706433",
        "[::]",
        "localhost:80:80",
        "localhost, evil.example",
        "",
        ":80",
        "localhost.",
    ];
    for (method, path, bearer) in routes {
        for host in foreign {
            let headers = [("host", host), ("authorization", bearer)];
            target
                .expect(
                    &format!("{method} {path} of {host:?}"),
                    421,
                    with_headers(method, path, &headers, "{}"),
                )
                .await;
        }
        target
            .expect(
                &format!("{path} of none"),
                400,
                with_headers(method, path, &[("authorization", bearer)], "{}"),
            )
            .await;
        let two = [("host", "localhost"), ("host", "evil.example"), ("authorization", bearer)];
        target.expect(&format!("{path} of two"), 400, with_headers(method, path, &two, "{}")).await;
        let whole = format!("http://evil.example{path}");
        let headers = [("host", "localhost"), ("authorization", bearer)];
        target.expect(&whole, 421, with_headers(method, &whole, &headers, "{}")).await;
    }
    for host in ["localhost", "LocalHost", "127.0.0.1", "[::1]", &format!("127.0.0.1:{port}"), "[::1]:1"] {
        let headers = [("host", host), ("authorization", ada.as_str())];
        target.expect(host, 200, with_headers("GET", "/v1/inbox", &headers, "")).await;
    }
    target.assert_unharmed().await;
}
