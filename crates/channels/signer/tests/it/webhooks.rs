use pusher_signer::{ErrorKind, Signer};

use crate::vectors::{Webhook, section};

#[test]
fn every_published_webhook_is_accepted() {
    for vector in section::<Webhook>("webhooks", 8) {
        // Two published vectors have no key.
        let key = vector.key.as_deref().unwrap_or("any");
        let signer = Signer::new(key, &vector.secret);
        let body = vector.body.as_bytes();
        signer.verify_webhook(Some(key), Some(&vector.x_pusher_signature), body).unwrap();

        let changed = vector.body.replacen('{', "{ ", 1);
        let result = signer.verify_webhook(Some(key), Some(&vector.x_pusher_signature), changed.as_bytes());
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Signature, "the signature covers the raw bytes");
    }
}

#[test]
fn every_published_forgery_is_rejected() {
    // The key in the tests from which the vectors come.
    const OURS: &str = "123456789";
    let mut with_extra_token = 0;
    for vector in section::<Webhook>("webhook_negative", 3) {
        let signer = Signer::new(OURS, "tofu");
        assert_eq!(vector.secret, "tofu");
        let (key, signature) = (vector.key.as_deref(), Some(vector.x_pusher_signature.as_str()));
        let body = vector.body.as_bytes();
        let expected = if key == Some(OURS) { ErrorKind::Signature } else { ErrorKind::UnknownKey };
        assert_eq!(signer.verify_webhook(key, signature, body).unwrap_err().kind(), expected);

        if let Some(extra) = vector.valid_with_extra_token {
            let signers = [signer, Signer::new(extra.key, &extra.secret)];
            assert!(signers.iter().any(|signer| signer.verify_webhook(key, signature, body).is_ok()));
            with_extra_token += 1;
        }
    }
    assert_eq!(with_extra_token, 1);
}

#[test]
fn a_webhook_without_its_headers_is_rejected() {
    let signer = Signer::new("key", "secret");
    let signature = signer.sign(b"{}");
    for (key, signature) in [(None, Some(signature.as_str())), (Some("key"), None), (None, None)] {
        let error = signer.verify_webhook(key, signature, b"{}").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingParameter);
        assert!(error.to_string().contains("X-Pusher-"), "{error}");
    }
    assert_eq!(signer.verify_webhook(Some("key"), Some(""), b"{}").unwrap_err().kind(), ErrorKind::Signature);
}

#[test]
fn a_signed_webhook_is_received() {
    let signer = Signer::new("key", "secret");
    let body = br#"{"time_ms":1,"events":[{"channel":"a","name":"channel_vacated"}]}"#;
    let [(_, content_type), (_, key), (_, signature)] = signer.sign_webhook(body);
    let received = pusher_signer::ReceivedWebhook::new(body)
        .with_content_type(content_type.as_str())
        .with_key(key.as_str())
        .with_signature(signature.as_str());
    assert_eq!(pusher_signer::WebhookReceiver::new(signer).receive(&received, 1).unwrap().events.len(), 1);
}
