use pusher_signer::{AuthRequest, EncryptionMasterKey, ReceivedWebhook, Request, Signer, WebhookReceiver};

use crate::authorizations::{channel, socket};
use crate::vectors::{MasterKey, section};

const MASTER_KEY: &str = "dGhpcyBpcyAzMiBieXRlcyAxMjM0NTY3ODkwMTIzNDU=";

#[test]
fn master_keys_are_base64_of_exactly_32_bytes() {
    for vector in section::<MasterKey>("encryption_master_key_parsing", 6) {
        assert_eq!(vector.input.parse::<EncryptionMasterKey>().is_ok(), vector.ok, "{}", vector.input);
    }
    for bad in ["", "=", &format!("{MASTER_KEY}\n"), &MASTER_KEY.replace('=', "")] {
        let error = bad.parse::<EncryptionMasterKey>().unwrap_err().to_string();
        assert!(
            bad.is_empty() || bad == "=" || !error.contains(bad.trim()),
            "the text must not contain a key"
        );
    }
    assert!(
        MASTER_KEY.parse::<EncryptionMasterKey>().unwrap()
            == EncryptionMasterKey::new(*b"this is 32 bytes 123456789012345")
    );
}

#[test]
fn no_error_quotes_what_it_could_not_read() {
    let signer = Signer::new("key", "secret");
    let body = r#"{"time_ms":"hidden-value","events":[]}"#;
    let signature = signer.sign(body.as_bytes());
    let webhook = ReceivedWebhook::new(body.as_bytes())
        .with_content_type("application/json")
        .with_key("key")
        .with_signature(signature.as_str());
    let errors = [
        AuthRequest::parse(br#"{"socket_id":{"a":1},"channel_name":"hidden-value"}"#).unwrap_err(),
        AuthRequest::parse(br#"{"socket_id":"1.2","channel_name":["hidden-value"]}"#).unwrap_err(),
        AuthRequest::parse(br#"{"socket_id":"1.2","channel_name":12345678}"#).unwrap_err(),
        signer.authorize_channel(&socket(), &channel("presence-a"), Some("\"hidden-value\"")).unwrap_err(),
        signer.authenticate_user(&socket(), "\"hidden-value\"").unwrap_err(),
        WebhookReceiver::new(signer).receive(&webhook, 0).unwrap_err(),
    ];
    for error in errors {
        let source = std::error::Error::source(&error).unwrap();
        let shown = format!("{error} {error:?} {source} {source:?}");
        assert!(!shown.contains("hidden-value") && !shown.contains("12345678"), "{shown}");
        assert!(source.to_string().contains("column"), "{source}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let master_key: EncryptionMasterKey = MASTER_KEY.parse().unwrap();
    let signer = Signer::new("the-key", "the-s3cret").with_encryption_master_key(master_key.clone());
    let channel_authorization =
        signer.authorize_channel(&socket(), &channel("private-encrypted-a"), None).unwrap();
    let presence = signer
        .authorize_channel(&socket(), &channel("presence-a"), Some(r#"{"user_id":"ada-private"}"#))
        .unwrap();
    let user = signer.authenticate_user(&socket(), r#"{"id":"ada-private"}"#).unwrap();
    let request = Request::new("POST", "/apps/1/events")
        .with_query(&[("auth_signature", "0123signature")])
        .with_body(b"the body".as_slice());
    let error = signer.verify(b"x", "the-s3cret");
    assert!(!error);

    let shown = format!(
        "{signer:?} {signer:#?} {master_key:?} {channel_authorization:?} {presence:?} {user:?} {request:?}"
    );
    let hidden = [
        "s3cret".to_owned(),
        format!("{:?}", b"the-s3cret"),
        MASTER_KEY.to_owned(),
        "this is 32 bytes".to_owned(),
        format!("{:?}", b"this is 32 bytes 123456789012345"),
        channel_authorization.auth.replace("the-key:", ""),
        channel_authorization.shared_secret.unwrap(),
        presence.auth.replace("the-key:", ""),
        user.auth.replace("the-key:", ""),
        "ada-private".to_owned(),
        "0123signature".to_owned(),
        "the body".to_owned(),
        "Hmac".to_owned(),
    ];
    for secret in hidden {
        assert!(!shown.contains(&secret), "{secret} in {shown}");
    }
    assert!(shown.contains("the-key") && shown.contains("/apps/1/events"), "{shown}");
}
