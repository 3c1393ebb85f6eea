use crate::support::target::{Target, request};

const NUMBERS: [&str; 17] = [
    "0",
    "-1",
    "201x",
    "1e9",
    "1.0",
    "0x10",
    "18446744073709551616",
    "340282366920938463463374607431768211456",
    "text",
    "%00",
    "%0a1",
    "+5",
    "%205",
    "%D9%A3",
    "null",
    "[]",
    "NaN",
];

#[tokio::test(flavor = "multi_thread")]
async fn invalid_queries_are_rejected_and_extreme_ones_do_no_harm() {
    let mut target = Target::start().await;
    let ada = target.ada.clone();
    let tag = "0123456789abcdef";
    let mut refused: Vec<String> = Vec::new();
    for number in NUMBERS {
        refused.push(format!("/v1/inbox?limit={number}"));
        refused.push(format!("/v1/inbox/changes?after=0&limit={number}"));
        if number != "0" {
            refused.push(format!("/v1/inbox?before={number}"));
            refused.push(format!("/v1/inbox/changes?after={number}&tag={tag}"));
        }
    }
    let others = [
        "/v1/inbox?limit=201",
        "/v1/inbox?limit=18446744073709551615",
        "/v1/inbox?limit=5&limit=6",
        "/v1/inbox?before=1&before=1",
        "/v1/inbox/changes",
        "/v1/inbox/changes?after=",
        "/v1/inbox/changes?after=0&limit=501",
        "/v1/inbox/changes?after=0&after=0",
        "/v1/inbox/changes?after=1",
        "/v1/inbox/changes?after=0&tag=0123456789abcdef",
        "/v1/inbox/changes?after=1&tag=0123456789ABCDEF",
        "/v1/inbox/changes?after=1&tag=0123456789abcde",
        "/v1/inbox/changes?after=1&tag=%00",
        "/v1/inbox/changes?after=1&tag=%27%20OR%201=1--",
    ];
    refused.extend(others.map(str::to_owned));
    for path in refused {
        target.expect(&path, 422, request("GET", &path, &ada, "")).await;
    }
    let op = |op: &str| format!("/v1/inbox/notifications/one?op={op}");
    for op in [op(&"o".repeat(65)), op("%00"), op("a%0ab"), op("a&op=b")] {
        target.expect(&op, 422, request("DELETE", &op, &ada, "")).await;
    }
    for (id, status) in [
        ("%00", 422),
        ("a%0ab", 422),
        (&*"a".repeat(129), 422),
        ("%ff", 400),
        ("%27%20OR%201=1--", 404),
        ("%25", 404),
        ("..%2fone", 404),
    ] {
        for method in ["GET", "DELETE"] {
            let path = format!("/v1/inbox/notifications/{id}");
            target.expect(&path, status, request(method, &path, &ada, "")).await;
        }
    }
    for path in [
        "/v1/inbox?before=0",
        "/v1/inbox?before=18446744073709551615",
        "/v1/inbox?before=9223372036854775808",
        "/v1/inbox/head?limit=0",
        "/v1/inbox/changes?after=18446744073709551615&tag=0123456789abcdef",
        "/v1/inbox/changes?after=9223372036854775808&tag=0123456789abcdef",
    ] {
        target.expect(path, 200, request("GET", path, &ada, "")).await;
    }
    let reset = "/v1/inbox/changes?after=18446744073709551615&tag=0123456789abcdef";
    let reset = target.server.user("ada").get(reset).await.with(200);
    assert_eq!((&reset["kind"], &reset["reason"]), (&"reset".into(), &"diverged".into()));
    target.assert_unharmed().await;
}
