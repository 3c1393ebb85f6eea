//! Alleged webhooks, given to the receiver.

use pusher_signer::{EncryptionMasterKey, ErrorKind, ReceivedWebhook, Signer, WebhookReceiver};

/// Receives the input as it is, and correctly signed. The first three lines are the headers
/// `Content-Type`, `X-Pusher-Key` and `X-Pusher-Signature`, the rest is the body.
pub fn run(input: &[u8]) {
    let mut parts = input.splitn(4, |byte| *byte == b'\n');
    let mut header = || parts.next().and_then(|line| std::str::from_utf8(line).ok());
    let (content_type, key, signature) = (header(), header(), header());
    let body = parts.next().unwrap_or_default();

    let signer = Signer::new("app-key", "app-secret")
        .with_encryption_master_key(EncryptionMasterKey::new(*b"thirty-two bytes of a master key"));
    let receiver =
        WebhookReceiver::new(Signer::new("app-key", "the secret before")).with_signer(signer.clone());
    let receive = |received| receiver.receive(&received, 0);

    let right = signer.sign(body);
    let received =
        ReceivedWebhook::new(body).with_content_type(content_type).with_key(key).with_signature(signature);
    if receive(received).is_ok() {
        let signature = signature.unwrap_or_default();
        assert!(
            signature.eq_ignore_ascii_case(&right) && key == Some("app-key"),
            "accepted without a valid signature"
        );
    }

    let signed = |body| {
        ReceivedWebhook::new(body)
            .with_content_type("application/json")
            .with_key("app-key")
            .with_signature(right.as_str())
    };
    match receive(signed(body)) {
        Ok(webhook) => drop(format!("{webhook:?}")),
        Err(error) => assert_eq!(error.kind(), ErrorKind::WebhookBody, "{error}"),
    }
    let tampered = [body, b" "].concat();
    let error = receive(signed(&tampered)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Signature);
}
