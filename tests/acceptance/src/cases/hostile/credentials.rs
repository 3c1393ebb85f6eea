use super::routes::ROUTES;
use crate::support::server::{API_KEY, JWT_SECRET, token};
use crate::support::target::{Target, request, with_headers};
use crate::support::tokens::{claims, now, signed, signed_by, unsigned};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Returns tokens that each have one thing wrong.
fn bad_tokens() -> Vec<(&'static str, String)> {
    let (good, good_claims) = (json!({"alg": "HS256", "typ": "JWT"}), claims(json!({})));
    let alg = |alg: &str| json!({"alg": alg, "typ": "JWT"});
    let with = |changes: Value| signed(&good, &claims(changes));
    let header = |header: &Value| signed(header, &good_claims);
    let cut = signed(&good, &good_claims);
    let (text, signature) = cut.rsplit_once('.').unwrap();
    let other = unsigned(&good, &claims(json!({"sub": "bob"})));
    vec![
        ("garbage", "garbage".into()),
        ("dots", "..".into()),
        ("alg none, unsigned", format!("{}.", unsigned(&alg("none"), &good_claims))),
        ("alg none, without the last dot", unsigned(&alg("none"), &good_claims)),
        ("alg none, signed", header(&alg("none"))),
        ("alg NONE", format!("{}.", unsigned(&alg("NONE"), &good_claims))),
        ("alg HS384", header(&alg("HS384"))),
        ("alg HS512", header(&alg("HS512"))),
        ("alg RS256", header(&alg("RS256"))),
        ("alg ES256", header(&alg("ES256"))),
        ("alg EdDSA", header(&alg("EdDSA"))),
        ("no alg", header(&json!({"typ": "JWT"}))),
        ("alg of another type", header(&json!({"alg": 1}))),
        ("another secret", signed_by("another-secret-that-has-more-than-32-bytes", &good, &good_claims)),
        ("an empty secret", signed_by("", &good, &good_claims)),
        ("the API key as the secret", signed_by(API_KEY, &good, &good_claims)),
        ("the secret itself", JWT_SECRET.into()),
        ("no signature", format!("{text}.")),
        ("half a signature", format!("{text}.{}", &signature[..20])),
        ("a signature of other claims", format!("{other}.{signature}")),
        ("a fourth part", format!("{cut}.{signature}")),
        ("expired", with(json!({"exp": now() - 61}))),
        ("no exp", with(json!({"exp": null}))),
        ("exp as text", with(json!({"exp": "99999999999"}))),
        ("exp below zero", with(json!({"exp": -1}))),
        ("not yet", with(json!({"nbf": now() + 120}))),
        ("no sub", with(json!({"sub": null}))),
        ("sub of another type", with(json!({"sub": ["ada"]}))),
        ("an empty sub", with(json!({"sub": ""}))),
        ("sub with a line break", with(json!({"sub": "ada\nbob"}))),
        ("sub with a path", with(json!({"sub": "../ada"}))),
        ("sub that would make an encrypted channel", with(json!({"sub": "encrypted-ada"}))),
        ("sub that is too long", with(json!({"sub": "a".repeat(121)}))),
        ("claims that are no object", signed(&good, &json!(["ada"]))),
        ("claims nested 20,000 deep", format!("{}.{signature}", URL_SAFE_NO_PAD.encode("[".repeat(5_000)))),
        ("long", with(json!({"padding": "x".repeat(9_000)}))),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_lets_anybody_in_without_a_valid_credential() {
    let mut target = Target::start().await;
    let pushing = token("ada", &["--push"]);
    for (method, path, body, good) in ROUTES {
        let what = |what: &str| format!("{method} {path}, {what}");
        target.expect(&what("a valid token"), good, request(method, path, &pushing, body)).await;
        for (name, token) in bad_tokens() {
            target.expect(&what(name), 401, request(method, path, &token, body)).await;
        }
        let bearer = format!("Bearer {pushing}");
        let headers: [(&str, &[&str]); 6] = [
            ("no credential", &[]),
            ("an empty one", &[""]),
            ("another scheme", &[&format!("Basic {pushing}")]),
            ("no scheme", &[&pushing]),
            ("two of them", &[&bearer, &bearer]),
            ("two in one", &[&format!("{bearer}, {bearer}")]),
        ];
        for (name, values) in headers {
            let headers = values.iter().map(|value| ("authorization", *value)).chain([("host", "localhost")]);
            let headers: Vec<_> = headers.collect();
            target.expect(&what(name), 401, with_headers(method, path, &headers, body)).await;
        }
        let in_query = format!("{path}{}access_token={pushing}", if path.contains('?') { '&' } else { '?' });
        target
            .expect(
                &what("in the query"),
                401,
                with_headers(method, &in_query, &[("host", "localhost")], body),
            )
            .await;
        if path != "/v1/notifications" {
            target.expect(&what("an API key"), 403, request(method, path, API_KEY, body)).await;
        }
    }
    for (name, key) in [
        ("half a key", &API_KEY[..20]),
        ("a key and more", &format!("{API_KEY}x")),
        ("name and key", &format!("shop:{API_KEY}")),
    ] {
        target.expect(name, 401, request("POST", "/v1/notifications", key, "{}")).await;
    }
    let to_bob = r#"{"user_ids":["bob"],"notification":{"content":"c"}}"#;
    let to_herself = to_bob.replace("bob", "ada");
    let other_scope =
        signed(&json!({"alg": "HS256"}), &claims(json!({"scope": "notifications:pushing notifications"})));
    for (name, token) in [("no scope", target.ada.clone()), ("another scope", other_scope)] {
        for body in [to_bob, &to_herself] {
            target.expect(name, 403, request("POST", "/v1/notifications", &token, body.to_owned())).await;
        }
    }
    target.assert_unharmed().await;
}
