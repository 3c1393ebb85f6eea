use crate::support::server::{API_KEY, OTHER_API_KEY};
use crate::support::target::{Target, brackets, request, with_headers};
use serde_json::{Value, json};

const PATH: &str = "/v1/notifications";

#[tokio::test(flavor = "multi_thread")]
async fn invalid_pushes_are_rejected_and_store_nothing() {
    let mut target = Target::start().await;
    let nested = |count| {
        format!(r#"{{"user_ids":["ada"],"notification":{{"content":"c","payload":{}}}}}"#, brackets(count))
    };
    let quoted =
        |content: &str| format!(r#"{{"user_ids":["ada"],"notification":{{"content":"{content}"}}}}"#);
    let not_utf8 =
        [br#"{"user_ids":["ada"],"notification":{"content":""#.as_slice(), b"\xff\xfe", br#""}}"#].concat();
    let bodies: [(&str, u16, Vec<u8>); 28] = [
        ("nothing", 400, Vec::new()),
        ("NUL", 400, vec![0; 64]),
        ("a form", 400, b"user_ids=ada&content=c".into()),
        ("truncated", 400, br#"{"user_ids":["ada"],"notification":{"content":"c"}"#.into()),
        ("truncated in a text", 400, br#"{"user_ids":["ada"],"notification":{"content":"c"#.into()),
        ("a trailing comma", 400, br#"{"user_ids":["ada",],"notification":{"content":"c"}}"#.into()),
        ("something after it", 400, br#"{"user_ids":["ada"],"notification":{"content":"c"}}{}"#.into()),
        ("not UTF-8", 400, not_utf8),
        ("a raw NUL in a text", 400, quoted("\0").into()),
        ("a raw line break in a text", 400, quoted("a\nb").into()),
        ("half a surrogate pair", 400, quoted(r"\ud800").into()),
        ("an unknown escape", 400, quoted(r"\x00").into()),
        ("20,000 brackets", 422, brackets(20_000).into()),
        ("20,000 opening brackets", 400, "[".repeat(20_000).into()),
        ("20,000 objects", 400, r#"{"a":"#.repeat(20_000).into()),
        ("20,000 brackets in a payload", 400, nested(20_000).into()),
        ("100 brackets in a payload", 422, nested(100).into()),
        (
            "half a surrogate pair in a payload",
            400,
            br#"{"user_ids":["ada"],"notification":{"content":"c","payload":"\ud800"}}"#.into(),
        ),
        (
            "a number that is none",
            400,
            br#"{"user_ids":["ada"],"notification":{"content":"c","payload":01}}"#.into(),
        ),
        ("null", 422, b"null".into()),
        ("a text", 422, br#""text""#.into()),
        ("an array", 422, b"[]".into()),
        ("its values in an array", 422, br#"[["ada"],{"content":"c"}]"#.into()),
        ("an empty object", 422, b"{}".into()),
        (
            "recipients twice",
            422,
            br#"{"user_ids":["ada"],"user_ids":["bob"],"notification":{"content":"c"}}"#.into(),
        ),
        (
            "content twice",
            422,
            br#"{"user_ids":["ada"],"notification":{"content":"c","content":"d"}}"#.into(),
        ),
        (
            "an escaped name of the server's",
            422,
            br#"{"user_ids":["ada"],"notification":{"content":"c","inb\u006fx":{}}}"#.into(),
        ),
        ("3 MiB", 413, vec![b' '; 3 << 20]),
    ];
    for (what, status, body) in bodies {
        target.expect(what, status, request("POST", PATH, API_KEY, body)).await;
    }
    let recipients = [
        json!(null),
        json!("ada"),
        json!(1),
        json!({}),
        json!([]),
        json!([null]),
        json!([1]),
        json!([["ada"]]),
        json!([""]),
        json!(["ada", ""]),
        json!(["a b"]),
        json!(["ada\n"]),
        json!(["ada\0"]),
        json!(["../ada"]),
        json!(["ada:bob"]),
        json!(["#ada"]),
        json!(["ädä"]),
        json!(["encrypted-ada"]),
        json!(["cache-ada"]),
        json!(["a".repeat(121)]),
        json!((0..10_001).map(|number| number.to_string()).collect::<Vec<_>>()),
    ];
    for user_ids in recipients {
        let body = json!({"user_ids": user_ids, "notification": {"content": "c"}}).to_string();
        let what: String = body.chars().take(60).collect();
        target.expect(&what, 422, request("POST", PATH, API_KEY, body)).await;
    }
    target
        .expect("no recipients", 422, request("POST", PATH, API_KEY, r#"{"notification":{"content":"c"}}"#))
        .await;
    for notification in bad_notifications() {
        let body = json!({"user_ids": ["ada", "bob"], "notification": notification}).to_string();
        let what: String = notification.to_string().chars().take(60).collect();
        target.expect(&what, 422, request("POST", PATH, API_KEY, body)).await;
    }
    let large = json!({"user_ids": ["ada"], "notification": {"content": "x".repeat(200_000)}}).to_string();
    target.expect("200 KB", 413, request("POST", PATH, API_KEY, large)).await;
    let taken = json!({"user_ids": ["ada", "carol"], "notification": {"id": "one", "content": "another"}})
        .to_string();
    target.expect("another body", 409, request("POST", PATH, API_KEY, taken)).await;
    let same = json!({"id": "one", "content": "one", "payload": {"secret": "of ada and bob"}});
    let same = json!({"user_ids": ["ada", "carol"], "notification": same}).to_string();
    target.expect("another sender", 409, request("POST", PATH, OTHER_API_KEY, same)).await;
    let key = format!("Bearer {API_KEY}");
    for odd in ["", "a b", "\u{e9}", &"k".repeat(256)] {
        let headers = [("host", "localhost"), ("authorization", key.as_str()), ("idempotency-key", odd)];
        target.expect("Idempotency-Key", 422, with_headers("POST", PATH, &headers, quoted("c"))).await;
    }
    assert_eq!(
        target.server.user("carol").get("/v1/inbox/head").await.with(200)["seq"],
        0,
        "a rejected push stored something"
    );
    target.assert_unharmed().await;
}

fn bad_notifications() -> Vec<Value> {
    let with = |name: &str, value: Value| {
        let mut notification = json!({"content": "c"});
        notification[name] = value;
        notification
    };
    let mut bad = vec![json!(null), json!("c"), json!([]), json!({}), json!({"heading": "h"})];
    bad.extend(
        [json!(""), json!(null), json!(1), json!({}), json!(["c"])].map(|content| with("content", content)),
    );
    for name in
        ["inbox", "seq", "tag", "pending", "truncated", "gone", "added", "sender", "created_at", "opened_at"]
    {
        bad.extend(
            [json!({"seq": 9, "tag": "0123456789abcdef"}), json!(1), json!(null)]
                .map(|value| with(name, value)),
        );
    }
    bad.extend([json!(true), json!("false"), json!(0)].map(|opened| with("opened", opened)));
    let ids = [
        json!(""),
        json!("."),
        json!(".."),
        json!(1),
        json!({}),
        json!("a\nb"),
        json!("a\0"),
        json!("\u{85}"),
        json!("i".repeat(129)),
    ];
    bad.extend(ids.map(|id| with("id", id)));
    bad.extend([json!(1), json!({}), json!([])].map(|heading| with("heading", heading)));
    bad.extend([json!(1), json!([])].map(|url| with("image_url", url)));
    let times = [json!("tomorrow"), json!(""), json!(0), json!("9999-99-99T00:00:00Z")];
    bad.extend(times.clone().map(|time| with("send_after", time)));
    bad.extend(times.map(|time| with("expires_at", time)));
    bad.push(with("expires_at", json!("2000-01-01T00:00:00Z")));
    let buttons = [
        json!({}),
        json!("b"),
        json!([1]),
        json!([{}]),
        json!([{"id": "b"}]),
        json!([{"id": 1, "text": "t"}]),
    ];
    bad.extend(buttons.map(|buttons| with("buttons", buttons)));
    bad
}

#[tokio::test(flavor = "multi_thread")]
async fn unusual_but_valid_notifications_arrive_unchanged() {
    let target = Target::start().await;
    let mut shop = target.server.backend();
    let strange = json!({
        "id": "../'; DROP TABLE inboxes;--", "heading": "\0\u{1b}[2J\u{202e}", "content": "\0\u{ffff}\u{10ffff}'\"\\",
        "payload": {"inbox": {"seq": 9}, "": [[[[1.5e300, -0.0, null]]]], "__proto__": {"opened": true}},
        "image_url": "javascript:alert(1)", "buttons": [{"id": "", "text": "\0", "icon": null}], "opened": false, "ключ": "ü", "client-": 1,
    });
    assert!(shop.push(&["carol", "carol", "A-Z_0=@,.;9"], &strange).await.unwrap());
    for user in ["carol", "A-Z_0=@,.;9"] {
        let page = target.server.user(user).get("/v1/inbox").await.with(200);
        assert_eq!((&page["seq"], &page["pending"]), (&json!(1), &json!(1)), "{user}: once");
        for (name, value) in strange.as_object().unwrap() {
            assert_eq!(&page["notifications"][0][name], value, "{name}");
        }
    }
    let path = "/v1/inbox/notifications/..%2F%27%3B%20DROP%20TABLE%20inboxes%3B--";
    assert_eq!(target.server.user("carol").get(path).await.with(200)["id"], strange["id"]);
    target.assert_unharmed().await;
}
