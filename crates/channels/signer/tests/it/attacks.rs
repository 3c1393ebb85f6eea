use pusher_signer::{ErrorKind, Signer, SocketId};

use crate::authorizations::{channel, socket};

#[test]
fn an_authorization_is_valid_only_for_its_own_connection_channel_and_data() {
    let signer = Signer::new("key", "secret");
    let data = Some(r#"{"user_id":"ada"}"#);
    let auth = signer.authorize_channel(&socket(), &channel("presence-room"), data).unwrap().auth;
    signer.verify_channel(&auth, &socket(), &channel("presence-room"), data).unwrap();

    let elsewhere = SocketId::new("1234.1235").unwrap();
    let refused = [
        signer.verify_channel(&auth, &elsewhere, &channel("presence-room"), data),
        signer.verify_channel(&auth, &socket(), &channel("presence-room2"), data),
        signer.verify_channel(&auth, &socket(), &channel("private-room"), data),
        signer.verify_channel(&auth, &socket(), &channel("presence-room"), Some(r#"{"user_id":"bob"}"#)),
        signer.verify_channel(&auth, &socket(), &channel("presence-room"), Some(r#"{"user_id": "ada"}"#)),
        Signer::new("key", "Secret").verify_channel(&auth, &socket(), &channel("presence-room"), data),
    ];
    for result in refused {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Signature);
    }
    let other_app = Signer::new("key2", "secret");
    let result = other_app.verify_channel(&auth, &socket(), &channel("presence-room"), data);
    assert_eq!(result.unwrap_err().kind(), ErrorKind::UnknownKey);
}

#[test]
fn channel_data_of_a_private_subscription_is_ignored() {
    let signer = Signer::new("key", "secret");
    let name = channel("private-ada");
    let auth = signer.authorize_channel(&socket(), &name, None).unwrap().auth;
    signer.verify_channel(&auth, &socket(), &name, Some(r#"{"user_id":"bob"}"#)).unwrap();
    let with_data = format!("key:{}", signer.sign(br#"1234.1234:private-ada:{"user_id":"bob"}"#));
    let result = signer.verify_channel(&with_data, &socket(), &name, Some(r#"{"user_id":"bob"}"#));
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Signature);
}

#[test]
fn a_malformed_token_is_rejected() {
    let signer = Signer::new("key", "secret");
    let name = channel("private-ada");
    let auth = signer.authorize_channel(&socket(), &name, None).unwrap().auth;
    for (bad, kind) in [
        (String::new(), ErrorKind::Signature),
        (":".into(), ErrorKind::UnknownKey),
        ("key".into(), ErrorKind::Signature),
        ("key:".into(), ErrorKind::Signature),
        (format!("{auth}0"), ErrorKind::Signature),
        (format!("{auth}\n"), ErrorKind::Signature),
        (format!(" {auth}"), ErrorKind::UnknownKey),
        (auth.replace("key:", ""), ErrorKind::Signature),
        (auth.replace("key:", ":"), ErrorKind::UnknownKey),
        (auth.replace("key:", "key::"), ErrorKind::UnknownKey),
        (auth.replace("key:", "KEY:"), ErrorKind::UnknownKey),
        (format!("key:{}", "é".repeat(32)), ErrorKind::Signature),
        (format!("key:{}", "0".repeat(64)), ErrorKind::Signature),
        (format!("key:{}", "0".repeat(1 << 20)), ErrorKind::Signature),
    ] {
        let result = signer.verify_channel(&bad, &socket(), &name, None);
        assert_eq!(result.unwrap_err().kind(), kind, "{bad:.80}");
    }
}

#[test]
fn a_key_with_a_colon_still_verifies() {
    let signer = Signer::new("a:b", "secret");
    let auth = signer.authorize_channel(&socket(), &channel("private-ada"), None).unwrap().auth;
    signer.verify_channel(&auth, &socket(), &channel("private-ada"), None).unwrap();
}

#[test]
fn changing_any_digit_invalidates_a_signature() {
    let signer = Signer::new("key", "secret");
    let good = signer.sign(b"text");
    for position in 0..good.len() {
        let mut bad = good.clone().into_bytes();
        bad[position] = if bad[position] == b'0' { b'1' } else { b'0' };
        assert!(!signer.verify(b"text", std::str::from_utf8(&bad).unwrap()), "{position}");
    }
    assert!(signer.verify(b"text", &good));
}
