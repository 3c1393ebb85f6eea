use pusher_signer::{ChannelAuthorization, ChannelName, ErrorKind, Signer, SocketId, UserAuthentication};

use crate::vectors::{ChannelAuth, RawHmac, SocketIds, UserAuth, section, whole};

pub(crate) fn socket() -> SocketId {
    SocketId::new("1234.1234").unwrap()
}

pub(crate) fn channel(name: &str) -> ChannelName {
    ChannelName::new(name).unwrap()
}

fn kind<T: std::fmt::Debug>(result: Result<T, pusher_signer::Error>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn every_channel_vector_is_signed_as_published() {
    let mut authorized = 0;
    for vector in section::<ChannelAuth>("channel_auth", 41) {
        let mut signer = Signer::new(&vector.key, &vector.secret);
        if let Some(key) = &vector.encryption_master_key_base64 {
            signer = signer.with_encryption_master_key(key.parse().unwrap());
        }
        let text = vector.string_to_sign.as_bytes();
        assert_eq!(signer.sign(text), vector.signature, "{}", vector.string_to_sign);
        assert_eq!(format!("{}:{}", vector.key, vector.signature), vector.auth);
        assert!(signer.verify(text, &vector.signature));
        if let Some(wrong) = &vector.published_signature {
            assert!(!signer.verify(text, wrong), "the documentation shows the signature of another text");
        }

        let socket_id = SocketId::new(&*vector.socket_id).unwrap();
        let name = channel(&vector.channel);
        let data = vector.channel_data.as_deref();
        let result = signer.authorize_channel(&socket_id, &name, data);
        if !name.kind().needs_authorization() {
            assert_eq!(kind(result), ErrorKind::PublicChannel, "{name}");
        } else if !name.kind().is_presence() && data.is_some() {
            assert_eq!(kind(result), ErrorKind::UnexpectedChannelData, "{name}");
        } else if data.is_some_and(|data| !data.contains("user_id")) {
            assert_eq!(kind(result), ErrorKind::ChannelData, "{name}");
        } else {
            let authorization = result.unwrap();
            assert_eq!(authorization.auth, vector.auth, "{name}");
            assert_eq!(authorization.channel_data, vector.channel_data, "{name}");
            assert_eq!(authorization.shared_secret, vector.shared_secret, "{name}");
            signer.verify_channel(&vector.auth, &socket_id, &name, data).unwrap();
            authorized += 1;
        }
    }
    assert_eq!(authorized, 25);
}

#[test]
fn every_socket_id_vector_is_classified() {
    let SocketIds { valid, invalid } = whole("socket_id_validation");
    assert_eq!((valid.len(), invalid.len()), (4, 11));
    assert!(valid.into_iter().all(|id| SocketId::new(id).is_ok()));
    for id in invalid {
        assert!(SocketId::new(&*id).is_err(), "{id:?}");
    }
}

#[test]
fn every_user_vector_is_signed_and_verified_as_published() {
    for vector in section::<UserAuth>("user_auth", 12) {
        let signer = Signer::new(&vector.key, &vector.secret);
        let socket_id = SocketId::new(&*vector.socket_id).unwrap();
        assert_eq!(signer.sign(vector.string_to_sign.as_bytes()), vector.signature);
        let user = signer.authenticate_user(&socket_id, &vector.user_data).unwrap();
        assert!(user == UserAuthentication::new(vector.auth, vector.user_data), "{socket_id}");
        signer.verify_user(&user.auth, &socket_id, &user.user_data).unwrap();
        let other = signer.verify_user(&user.auth, &socket_id, r#"{"id":"someone else"}"#);
        assert_eq!(kind(other), ErrorKind::Signature);
        let other = Signer::new("other", &vector.secret).verify_user(&user.auth, &socket_id, &user.user_data);
        assert_eq!(kind(other), ErrorKind::UnknownKey);
    }
}

#[test]
fn every_plain_hmac_vector_is_reproduced() {
    for vector in section::<RawHmac>("raw_hmac", 4) {
        let signer = Signer::new("any", &vector.secret);
        assert_eq!(signer.sign(vector.message.as_bytes()), vector.hmac_sha256_hex);
        assert!(signer.verify(vector.message.as_bytes(), &vector.hmac_sha256_hex));
    }
}

#[test]
fn a_secret_longer_than_a_hash_block_is_hashed_first() {
    // Computed with Python's hmac.
    let signer = Signer::new("key", &"a".repeat(131));
    assert_eq!(signer.sign(b"text"), "f13cad014b0c8fcf7bff320b87cfd041d15aa63e0564ed58876c0acdd3660f08");
}

#[test]
fn channels_that_need_no_authorization_are_rejected() {
    let signer = Signer::new("key", "secret");
    for name in ["news", "cache-news", "#server-to-user-42", "privateer"] {
        assert_eq!(kind(signer.authorize_channel(&socket(), &channel(name), None)), ErrorKind::PublicChannel);
        assert_eq!(
            kind(signer.verify_channel("key:00", &socket(), &channel(name), None)),
            ErrorKind::PublicChannel
        );
    }
}

#[test]
fn the_cause_of_malformed_json_is_the_source_and_not_the_text() {
    let signer = Signer::new("key", "secret");
    for error in [
        signer.authorize_channel(&socket(), &channel("presence-a"), Some("{")).unwrap_err(),
        signer.authenticate_user(&socket(), "{").unwrap_err(),
    ] {
        let source = std::error::Error::source(&error).unwrap().to_string();
        assert!(source.contains("EOF") && !error.to_string().contains("EOF"), "{error}: {source}");
        assert!(error == error.clone() && format!("{error:?}").contains(&error.to_string()));
    }
    let missing = signer.authenticate_user(&socket(), "{}").unwrap_err();
    assert!(std::error::Error::source(&missing).is_none());
    assert!(missing != signer.authorize_channel(&socket(), &channel("a"), None).unwrap_err());
}

#[test]
fn an_authorization_signed_elsewhere_can_be_built() {
    let authorization =
        ChannelAuthorization::new("key:00").with_channel_data("{}").with_shared_secret("c2VjcmV0");
    let json = r#"{"auth":"key:00","channel_data":"{}","shared_secret":"c2VjcmV0"}"#;
    assert_eq!(serde_json::to_string(&authorization).unwrap(), json);
    let user = UserAuthentication::new("key:00", "{}");
    assert_eq!(serde_json::to_string(&user).unwrap(), r#"{"auth":"key:00","user_data":"{}"}"#);
}

#[test]
fn presence_needs_an_object_with_a_user_id() {
    let signer = Signer::new("key", "secret");
    let room = channel("presence-room");
    assert_eq!(kind(signer.authorize_channel(&socket(), &room, None)), ErrorKind::ChannelDataRequired);
    let nested = "[".repeat(20_000);
    for data in [
        "",
        "{}",
        "null",
        "42",
        r#""42""#,
        r#"["42"]"#,
        r#"[["user_id","42"]]"#,
        r#"{"user_id":null}"#,
        r#"{"user_id":""}"#,
        r#"{"user_id":true}"#,
        r#"{"user_id":["42"]}"#,
        r#"{"id":"42"}"#,
        r#"{"user_id":"42""#,
        r#"{"user_id":"42"} x"#,
        &nested,
    ] {
        let result = signer.authorize_channel(&socket(), &room, Some(data));
        assert_eq!(kind(result), ErrorKind::ChannelData, "{data}");
    }
    for data in [r#"{"user_id":"42"}"#, r#" { "user_info" : {}, "user_id" : 42 } "#] {
        let authorization = signer.authorize_channel(&socket(), &room, Some(data)).unwrap();
        assert_eq!(authorization.channel_data.as_deref(), Some(data), "returned unchanged");
        assert_eq!(authorization.shared_secret, None);
    }
}

#[test]
fn user_data_needs_a_string_id() {
    let signer = Signer::new("key", "secret");
    for data in
        ["", "{}", "[]", r#"["42"]"#, r#"{"id":""}"#, r#"{"id":42}"#, r#"{"id":null}"#, r#"{"user_id":"42"}"#]
    {
        assert_eq!(kind(signer.authenticate_user(&socket(), data)), ErrorKind::UserData, "{data}");
        assert_eq!(kind(signer.verify_user("key:00", &socket(), data)), ErrorKind::UserData, "{data}");
    }
}

#[test]
fn an_encrypted_channel_needs_the_master_key_to_be_authorized_but_not_to_be_verified() {
    let signer = Signer::new("key", "secret");
    let name = channel("private-encrypted-a");
    let result = signer.authorize_channel(&socket(), &name, None);
    assert_eq!(kind(result), ErrorKind::EncryptionKeyRequired);
    let able = signer
        .clone()
        .with_encryption_master_key("OHRXNUZRTG5pUTFzQlFGd3J3N3Q2VFZFc0paZDEweVk=".parse().unwrap());
    let authorization = able.authorize_channel(&socket(), &name, None).unwrap();
    assert!(authorization.shared_secret.is_some());
    signer.verify_channel(&authorization.auth, &socket(), &name, None).unwrap();
    assert_eq!(able.authorize_channel(&socket(), &channel("private-a"), None).unwrap().shared_secret, None);
}

#[test]
fn the_answer_contains_only_the_fields_of_its_channel_kind() {
    let signer = Signer::new("278d425bdf160c739803", "7ad3773142a6692b25b8");
    let authorization = signer.authorize_channel(&socket(), &channel("private-foobar"), None).unwrap();
    let json = serde_json::to_string(&authorization).unwrap();
    assert_eq!(
        json,
        r#"{"auth":"278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4"}"#
    );
    assert!(serde_json::from_str::<ChannelAuthorization>(&json).unwrap() == authorization);
    let lenient = r#"{"auth":"k:s","channel_data":null,"more":1}"#;
    assert_eq!(serde_json::from_str::<ChannelAuthorization>(lenient).unwrap().channel_data, None);
}
