use pusher_signer::{Error, ErrorKind, Request, Signer};
use serde_json::Value;

use crate::vectors::{BodyMd5, CanonicalQuery, SignedRequest, Tolerance, section};

const NOW: u64 = 1_700_000_000;
const PATH: &str = "/apps/1/events";

fn signer() -> Signer {
    Signer::new("key", "secret")
}

fn borrowed(query: &[(String, String)]) -> Vec<(&str, &str)> {
    query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn sign(query: &[(&str, &str)], body: Option<&[u8]>) -> Result<Vec<(String, String)>, Error> {
    signer().sign_request(&Request::new("POST", PATH).with_query(query).with_body(body), NOW)
}

fn verify(query: &[(&str, &str)], body: Option<&[u8]>, now: u64) -> Result<(), ErrorKind> {
    let request = Request::new("POST", PATH).with_query(query).with_body(body);
    signer().verify_request(&request, now).map_err(|error| error.kind())
}

/// Signs a query without the checks of `sign_request`, as an attacker with a key could.
fn forge(parameters: &[(&'static str, &'static str)]) -> Vec<(&'static str, String)> {
    let mut sorted = parameters.to_vec();
    sorted.sort();
    let joined: Vec<_> = sorted.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let text = format!("POST\n{PATH}\n{}", joined.join("&"));
    let mut query: Vec<_> = parameters.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    query.push(("auth_signature", signer().sign(text.as_bytes())));
    query
}

fn verify_forged(parameters: &[(&'static str, &'static str)], now: u64) -> Result<(), ErrorKind> {
    let query = forge(parameters);
    let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
    verify(&query, None, now)
}

#[test]
fn every_request_vector_is_signed_and_verified_as_published() {
    for vector in section::<SignedRequest>("requests", 25) {
        let signer = Signer::new(&vector.key, &vector.secret);
        assert_eq!(signer.sign(vector.string_to_sign.as_bytes()), vector.auth_signature);

        let now: u64 = vector.query["auth_timestamp"].parse().unwrap();
        // One library sends the MD5 of an empty body with a GET.
        let body = vector.body.as_deref().or(vector.body_md5.as_ref().map(|_| "")).map(str::as_bytes);
        let own: Vec<_> = vector
            .query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !name.starts_with("auth_"))
            .collect();
        let request = Request::new(&vector.method, &vector.path).with_query(&own).with_body(body);
        let signed = signer.sign_request(&request, now).unwrap();
        let (name, signature) = signed.last().unwrap();
        assert_eq!((name.as_str(), signature), ("auth_signature", &vector.auth_signature), "{}", vector.path);
        let mut expected = vector.query.clone();
        expected.extend(vector.body_md5.clone().map(|md5| ("body_md5".to_owned(), md5)));
        expected.insert("auth_signature".to_owned(), vector.auth_signature.clone());
        assert_eq!(signed.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(), expected);
        assert_eq!(signed.len(), expected.len());

        let received = borrowed(&signed);
        let body = vector.body.as_deref().map(str::as_bytes);
        let request = Request::new(&vector.method, &vector.path).with_query(&received).with_body(body);
        signer.verify_request(&request, now).unwrap();
        let lower = vector.method.to_lowercase();
        signer
            .verify_request(&Request::new(&lower, &vector.path).with_query(&received).with_body(body), now)
            .unwrap();
        for other in [
            Request::new("PUT", &vector.path).with_query(&received).with_body(body),
            Request::new(&vector.method, "/apps/2/events").with_query(&received).with_body(body),
            request.with_query(&[&received[..], &[("more", "1")]].concat()),
        ] {
            assert_eq!(signer.verify_request(&other, now).unwrap_err().kind(), ErrorKind::Signature);
        }
        let kind = if body.is_some() { ErrorKind::BodyMd5 } else { ErrorKind::MissingParameter };
        let kind = if vector.body_md5.is_some() { ErrorKind::BodyMd5 } else { kind };
        let other = request.with_body(b"another body".as_slice());
        assert_eq!(signer.verify_request(&other, now).unwrap_err().kind(), kind);
    }
}

#[test]
fn every_body_md5_vector_holds() {
    for vector in section::<BodyMd5>("body_md5", 18) {
        let signed = sign(&[], Some(vector.body.as_bytes())).unwrap();
        let md5 = signed.iter().find(|(name, _)| name == "body_md5").map(|(_, value)| value);
        assert_eq!(md5, Some(&vector.body_md5), "{}", vector.body);
    }
    assert!(sign(&[], None).unwrap().iter().all(|(name, _)| name != "body_md5"));
}

#[test]
fn every_canonical_query_vector_is_reproduced() {
    for vector in section::<CanonicalQuery>("canonical_query", 4) {
        let mut query = Vec::new();
        for (name, value) in &vector.params {
            match value {
                Value::Array(values) => {
                    query.extend(values.iter().map(|v| (name.as_str(), v.as_str().unwrap())))
                }
                Value::Null => query.push((name.as_str(), "")),
                value => query.push((name.as_str(), value.as_str().unwrap())),
            }
        }
        let signed = sign(&query, None).unwrap();
        let text =
            format!("POST\n{PATH}\nauth_key=key&auth_timestamp={NOW}&auth_version=1.0&{}", vector.canonical);
        assert_eq!(signed.last().unwrap().1, signer().sign(text.as_bytes()), "{}", vector.canonical);
        assert_eq!(verify(&borrowed(&signed), None, NOW), Ok(()));
    }
}

#[test]
fn the_timestamp_tolerance_is_as_published() {
    let signed = sign(&[], None).unwrap();
    for vector in section::<Tolerance>("timestamp_tolerance", 5) {
        let result = verify(&borrowed(&signed), None, NOW.checked_add_signed(vector.offset_s).unwrap());
        assert_eq!(
            result,
            if vector.accept { Ok(()) } else { Err(ErrorKind::Expired) },
            "{}",
            vector.offset_s
        );
    }
}

#[test]
fn a_malformed_timestamp_is_rejected_without_an_overflow() {
    for (timestamp, kind) in [
        ("", ErrorKind::Timestamp),
        ("-1", ErrorKind::Timestamp),
        ("+1700000000", ErrorKind::Timestamp),
        (" 1700000000", ErrorKind::Timestamp),
        ("1700000000.0", ErrorKind::Timestamp),
        ("1e9", ErrorKind::Timestamp),
        ("１７", ErrorKind::Timestamp),
        ("now", ErrorKind::Timestamp),
        ("18446744073709551616", ErrorKind::Timestamp),
        ("18446744073709551615", ErrorKind::Expired),
        ("1700000000000", ErrorKind::Expired),
        ("0", ErrorKind::Expired),
    ] {
        let query = [("auth_key", "key"), ("auth_timestamp", timestamp), ("auth_version", "1.0")];
        assert_eq!(verify_forged(&query, NOW), Err(kind), "{timestamp}");
    }
    let signed = sign(&[], None).unwrap();
    assert_eq!(verify(&borrowed(&signed), None, 0), Err(ErrorKind::Expired));
    assert_eq!(verify(&borrowed(&signed), None, u64::MAX), Err(ErrorKind::Expired));
}

#[test]
fn each_missing_or_wrong_parameter_has_its_own_error() {
    let all = [("auth_key", "key"), ("auth_timestamp", "1700000000"), ("auth_version", "1.0")];
    assert_eq!(verify_forged(&all, NOW), Ok(()));
    for left_out in 0..all.len() {
        let mut query = all.to_vec();
        query.remove(left_out);
        assert_eq!(verify_forged(&query, NOW), Err(ErrorKind::MissingParameter), "{left_out}");
    }
    assert_eq!(verify(&all, None, NOW), Err(ErrorKind::MissingParameter), "no signature");
    assert_eq!(verify(&[], None, NOW), Err(ErrorKind::MissingParameter));
    assert_eq!(verify_forged(&[("auth_key", "key2"), all[1], all[2]], NOW), Err(ErrorKind::UnknownKey));
    assert_eq!(verify_forged(&[all[0], all[1], ("auth_version", "1.1")], NOW), Err(ErrorKind::Version));
}

#[test]
fn a_repeated_parameter_is_rejected_in_any_position() {
    let signed = sign(&[("info", "user_count")], Some(b"{}")).unwrap();
    let good = borrowed(&signed);
    assert_eq!(verify(&good, Some(b"{}"), NOW), Ok(()));
    for (name, _) in &good {
        let upper = name.to_uppercase();
        for second in [(*name, "x"), (upper.as_str(), "x")] {
            let after = [&good[..], &[second]].concat();
            let before = [&[second], &good[..]].concat();
            assert_eq!(verify(&after, Some(b"{}"), NOW), Err(ErrorKind::DuplicateParameter), "{name}");
            assert_eq!(verify(&before, Some(b"{}"), NOW), Err(ErrorKind::DuplicateParameter), "{name}");
        }
    }
    assert_eq!(sign(&[("a", "1"), ("A", "2")], None).unwrap_err().kind(), ErrorKind::DuplicateParameter);
    assert_eq!(
        verify_forged(
            &[
                ("auth_key", "key"),
                ("auth_timestamp", "1700000000"),
                ("auth_version", "1.0"),
                ("a", "1"),
                ("a", "2")
            ],
            NOW
        ),
        Err(ErrorKind::DuplicateParameter),
        "even when it was signed"
    );
}

#[test]
fn the_signature_covers_the_body_through_its_md5() {
    let signed = sign(&[], Some(b"{}")).unwrap();
    let query = borrowed(&signed);
    assert_eq!(verify(&query, Some(b"{}"), NOW), Ok(()));
    for body in [None, Some(&b""[..]), Some(b"{} ")] {
        assert_eq!(verify(&query, body, NOW), Err(ErrorKind::BodyMd5), "{body:?}");
    }
    let bodiless = sign(&[], None).unwrap();
    assert_eq!(verify(&borrowed(&bodiless), Some(b""), NOW), Ok(()));
    assert_eq!(verify(&borrowed(&bodiless), Some(b"{}"), NOW), Err(ErrorKind::MissingParameter));
}

#[test]
fn parameters_of_the_signer_are_reserved() {
    for name in
        ["auth_key", "auth_timestamp", "auth_version", "auth_signature", "body_md5", "Auth_Key", "auth_"]
    {
        assert_eq!(sign(&[(name, "x")], None).unwrap_err().kind(), ErrorKind::ReservedParameter, "{name}");
    }
}

#[test]
fn input_that_would_let_two_requests_share_a_signature_is_rejected() {
    for (name, value) in [
        ("a", "1&b=2"),
        ("a&b", "1"),
        ("a=b", "1"),
        ("a", "1\n"),
        ("a\r", "1"),
        ("a", "\0"),
        ("a", "\u{7f}"),
        ("", "1"),
    ] {
        assert_eq!(
            sign(&[(name, value)], None).unwrap_err().kind(),
            ErrorKind::Parameter,
            "{name:?} {value:?}"
        );
    }
    for (method, path) in [
        ("", "/a"),
        ("GET\n/b", "/a"),
        ("GET ", "/a"),
        ("GET", ""),
        ("GET", "a"),
        ("GET", "/a\nauth_key=x"),
        ("GET", "/a?b=c"),
        ("GET", "/a#b"),
    ] {
        let request = Request::new(method, path);
        assert_eq!(
            signer().sign_request(&request, NOW).unwrap_err().kind(),
            ErrorKind::Request,
            "{method} {path}"
        );
        assert_eq!(signer().verify_request(&request, NOW).unwrap_err().kind(), ErrorKind::Request);
    }
}

#[test]
fn a_received_ampersand_cannot_hide_a_parameter() {
    let signed = sign(&[("filter", "x"), ("info", "user_count")], None).unwrap();
    let mut query = borrowed(&signed);
    assert_eq!(verify(&query, None, NOW), Ok(()));
    query.retain(|(name, _)| *name != "info" && *name != "filter");
    query.push(("filter", "x&info=user_count"));
    assert_eq!(verify(&query, None, NOW), Err(ErrorKind::Parameter));
}

#[test]
fn an_error_contains_neither_the_right_signature_nor_the_secret() {
    let signed = sign(&[], Some(b"{}")).unwrap();
    let right = signed.last().unwrap().1.clone();
    let mut query = borrowed(&signed);
    query.pop();
    query.push(("auth_signature", "00"));
    let request = Request::new("POST", PATH).with_query(&query).with_body(b"{}".as_slice());
    let error = signer().verify_request(&request, NOW).unwrap_err();
    for shown in [error.to_string(), format!("{error:?}")] {
        assert!(!shown.contains(&right) && !shown.contains("secret"), "{shown}");
    }
}

#[test]
fn a_body_can_be_verified_after_the_rest_of_its_request() {
    let signed = sign(&[], Some(b"body")).unwrap();
    let query = borrowed(&signed);
    let head = Request::new("POST", PATH).with_query(&query);
    let expected = signer().verify_request_head(&head, NOW).unwrap();
    assert_eq!(expected.verify(b"body").map_err(|error| error.kind()), Ok(()));
    assert_eq!(expected.verify(b"other").map_err(|error| error.kind()), Err(ErrorKind::BodyMd5));
    let other = Request::new("POST", "/apps/2/events").with_query(&query);
    assert_eq!(signer().verify_request_head(&other, NOW).unwrap_err().kind(), ErrorKind::Signature);
    let bodiless = sign(&[], None).unwrap();
    let query = borrowed(&bodiless);
    let expected = signer().verify_request_head(&Request::new("POST", PATH).with_query(&query), NOW).unwrap();
    assert_eq!(expected.verify(b"").map_err(|error| error.kind()), Ok(()));
    assert_eq!(expected.verify(b"body").map_err(|error| error.kind()), Err(ErrorKind::MissingParameter));
}

#[test]
fn a_signed_query_is_percent_encoded() {
    let query = [("filter_by_prefix", "presence-é ;=+"), ("info[]", "user_count")];
    let request = Request::new("GET", "/apps/1/channels").with_query(&query);
    let text = signer().sign_query(&request, NOW).unwrap();
    assert!(text.contains("&filter_by_prefix=presence-%C3%A9%20%3B%3D%2B&"), "{text}");
    assert!(text.contains("info%5B%5D=user_count") && text.contains("auth_timestamp=1700000000"), "{text}");
    let decoded: Vec<_> = form_urlencoded::parse(text.as_bytes()).into_owned().collect();
    let received = borrowed(&decoded);
    let received = Request::new("GET", "/apps/1/channels").with_query(&received);
    assert_eq!(signer().verify_request(&received, NOW), Ok(()));
}
