use std::time::Duration;

use pusher_signer::{
    ErrorKind, ReceivedWebhook, Signer, Webhook as Read, WebhookEvent as Event, WebhookReceiver,
};

use crate::vectors::{Webhook, section};

const NOW: u64 = 1_327_078_148_132;

fn signer() -> Signer {
    Signer::new("app-key", "app-secret")
}

fn receive(receiver: &WebhookReceiver, body: &str) -> Result<Read, pusher_signer::Error> {
    let signature = signer().sign(body.as_bytes());
    receiver.receive(&received(&signature, body), NOW)
}

fn received<'a>(signature: &'a str, body: &'a str) -> ReceivedWebhook<'a> {
    ReceivedWebhook::new(body.as_bytes())
        .with_content_type("application/json")
        .with_key("app-key")
        .with_signature(signature)
}

fn one(event: &str) -> Event {
    let body = format!(r#"{{"time_ms":{NOW},"events":[{event}]}}"#);
    receive(&WebhookReceiver::new(signer()), &body).unwrap().events.remove(0)
}

#[test]
fn every_published_webhook_is_parsed() {
    let mut read = 0;
    for vector in section::<Webhook>("webhooks", 8) {
        let key = vector.key.as_deref().unwrap_or("any");
        let receiver = WebhookReceiver::new(Signer::new(key, &vector.secret));
        let webhook = received(&vector.x_pusher_signature, &vector.body).with_key(key);
        match receiver.receive(&webhook, NOW) {
            Ok(webhook) => {
                assert!(webhook.time_ms > 1_000_000_000_000 && !webhook.events.is_empty());
                read += 1;
            }
            // Two published vectors have a valid signature, but a body that is not a webhook's.
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WebhookBody);
                assert_eq!(vector.body, r#"{"hello":"world"}"#);
            }
        }
    }
    assert_eq!(read, 6);
}

#[test]
fn all_seven_kinds_are_parsed() {
    let (channel, user_id) = (|| "c".to_owned(), || "42".to_owned());
    for (name, event) in [
        ("channel_occupied", Event::ChannelOccupied { channel: channel() }),
        ("channel_vacated", Event::ChannelVacated { channel: channel() }),
        ("cache_miss", Event::CacheMiss { channel: channel() }),
    ] {
        assert!(one(&format!(r#"{{"name":"{name}","channel":"c"}}"#)) == event, "{name}");
    }
    for (name, event) in [
        ("member_added", Event::MemberAdded { channel: channel(), user_id: user_id() }),
        ("member_removed", Event::MemberRemoved { channel: channel(), user_id: user_id() }),
    ] {
        for id in ["\"42\"", "42"] {
            assert!(one(&format!(r#"{{"name":"{name}","channel":"c","user_id":{id}}}"#)) == event, "{name}");
        }
    }
    let count = one(r#"{"name":"subscription_count","channel":"c","subscription_count":3}"#);
    assert!(count == Event::SubscriptionCount { channel: channel(), subscription_count: 3 });

    let Event::ClientEvent(event) = one(
        r#"{"name":"client_event","channel":"presence-c","event":"client-x","data":"{}","socket_id":"1.2","user_id":"42"}"#,
    ) else {
        panic!("a client event")
    };
    assert_eq!(
        (event.channel.as_str(), event.event.as_str(), event.data.as_str()),
        ("presence-c", "client-x", "{}")
    );
    assert_eq!((event.socket_id.as_deref(), event.user_id.as_deref()), (Some("1.2"), Some("42")));
    assert!(!event.is_encrypted);
    let Event::ClientEvent(event) = one(
        r#"{"name":"client_event","channel":"private-c","event":"client-x","data":{"n":1},"socket_id":"1.2"}"#,
    ) else {
        panic!("a client event")
    };
    assert_eq!((event.data.as_str(), event.user_id), (r#"{"n":1}"#, None));
}

#[test]
fn an_event_of_an_unknown_kind_does_not_lose_the_others() {
    for event in [
        r#"{"name":"made_later","some":"data"}"#,
        r#"{"name":"member_added","channel":"c"}"#,
        r#"["cache_miss","c"]"#,
        r#"["client_event",{"channel":"c","event":"client-e"}]"#,
        "{}",
        "1",
    ] {
        let body = format!(r#"{{"time_ms":1,"events":[{event},{{"name":"cache_miss","channel":"c"}}]}}"#);
        let webhook = receive(&WebhookReceiver::new(signer()), &body).unwrap();
        assert!(webhook.events[0] == Event::Unknown(serde_json::from_str(event).unwrap()), "{event}");
        assert!(webhook.events[1] == Event::CacheMiss { channel: "c".to_owned() });
    }
}

#[test]
fn content_type_then_signature_then_body_are_checked() {
    let receiver = WebhookReceiver::new(signer());
    let good = r#"{"time_ms":1,"events":[]}"#;
    let signature = signer().sign(good.as_bytes());
    for content_type in ["application/json", "Application/JSON; charset=utf-8", "application/json ;a=b"] {
        let webhook = received(&signature, good).with_content_type(content_type);
        assert!(receiver.receive(&webhook, NOW).is_ok(), "{content_type}");
    }
    let kind = |webhook: ReceivedWebhook<'_>| receiver.receive(&webhook, NOW).unwrap_err().kind();
    for content_type in [None, Some(""), Some("text/plain"), Some("application/jsonp")] {
        let webhook = received("no", good).with_content_type(content_type);
        assert_eq!(kind(webhook), ErrorKind::ContentType);
    }
    assert_eq!(kind(received("no", "not JSON")), ErrorKind::Signature);
    assert_eq!(kind(received(&signature, good).with_key("other")), ErrorKind::UnknownKey);
    for key in [None, Some("app-key")] {
        let webhook = received("", good).with_key(key).with_signature(None);
        assert_eq!(kind(webhook), ErrorKind::MissingParameter);
    }
    for body in
        ["", "not JSON", "[]", r#"{"events":[]}"#, r#"{"time_ms":"1","events":[]}"#, r#"{"time_ms":1}"#]
    {
        assert_eq!(receive(&receiver, body).unwrap_err().kind(), ErrorKind::WebhookBody, "{body}");
    }
}

#[test]
fn an_app_may_have_several_keys_and_a_key_two_secrets() {
    let body = r#"{"time_ms":1,"events":[]}"#;
    let receiver =
        WebhookReceiver::new(Signer::new("older", "x")).with_signer(Signer::new("app-key", "changed"));
    assert_eq!(receive(&receiver, body).unwrap_err().kind(), ErrorKind::Signature);
    assert!(receive(&receiver.with_signer(signer()).with_signer(Signer::new("newer", "y")), body).is_ok());
}

#[test]
fn a_wrong_signature_is_not_reported_as_an_unknown_key() {
    let forged = received("0000", r#"{"time_ms":1,"events":[]}"#);
    let (ours, other) = (signer(), Signer::new("other", "x"));
    for receiver in [
        WebhookReceiver::new(ours.clone()).with_signer(other.clone()),
        WebhookReceiver::new(other).with_signer(ours),
    ] {
        assert_eq!(receiver.receive(&forged, NOW).unwrap_err().kind(), ErrorKind::Signature);
    }
}

#[test]
fn the_cause_of_a_malformed_body_is_the_source_and_not_the_text() {
    let error = receive(&WebhookReceiver::new(signer()), r#"{"time_ms":1}"#).unwrap_err();
    assert_eq!(error.to_string(), "the body of a webhook must be JSON with time_ms and events");
    let source = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(source, "a value is missing or has the wrong type, at line 1, column 13");
}

#[test]
fn the_age_matters_only_if_it_is_limited() {
    let unlimited = WebhookReceiver::new(signer());
    let limited = unlimited.clone().with_max_age(Duration::from_secs(300));
    for (time_ms, fresh) in [
        (NOW, true),
        (NOW - 300_000, true),
        (NOW - 300_001, false),
        (NOW + 300_000, true),
        (NOW + 300_001, false),
        (0, false),
    ] {
        let body = format!(r#"{{"time_ms":{time_ms},"events":[]}}"#);
        assert!(receive(&unlimited, &body).is_ok());
        let kind = receive(&limited, &body).err().map(|error| error.kind());
        assert_eq!(kind, (!fresh).then_some(ErrorKind::Expired), "{time_ms}");
    }
}

#[test]
#[cfg(feature = "encrypted")]
fn a_client_event_of_an_encrypted_channel_is_decrypted_if_the_key_is_known() {
    use pusher_signer::EncryptionMasterKey;
    let with = |key| signer().with_encryption_master_key(EncryptionMasterKey::new([key; 32]));
    let sealed = |channel: &str| {
        let secret = with(7).shared_secret(&channel.parse().unwrap()).unwrap();
        secret.seal([1; 24], r#"{"n":1}"#)
    };
    let body = |channel: &str| {
        let data = serde_json::Value::from(sealed(channel)).to_string();
        format!(
            r#"{{"time_ms":1,"events":[{{"name":"client_event","channel":"{channel}","event":"client-x","data":{data}}}]}}"#
        )
    };
    let read = |signer, channel: &str| match receive(&WebhookReceiver::new(signer), &body(channel))
        .unwrap()
        .events
        .remove(0)
    {
        Event::ClientEvent(event) => (event.data, event.is_encrypted),
        other => panic!("{other:?}"),
    };
    let encrypted = "private-encrypted-a";
    assert_eq!(read(with(7), encrypted), (r#"{"n":1}"#.to_owned(), false));
    assert_eq!(read(with(8), encrypted), (sealed(encrypted), true), "another key");
    assert_eq!(read(signer(), encrypted), (sealed(encrypted), true), "no key");
    assert_eq!(read(with(7), "private-a"), (sealed("private-a"), false), "the channel is not encrypted");
}

#[test]
fn debug_shows_no_data() {
    let shown = format!(
        "{:?} {:?} {:?}",
        one(r#"{"name":"client_event","channel":"c","event":"client-x","data":"hidden"}"#),
        one(r#"{"name":"other","data":"hidden"}"#),
        received("hidden", "hidden"),
    );
    assert!(!shown.contains("hidden") && shown.contains("client-x"), "{shown}");
}
