use pusher_signer::{ErrorKind, PresenceData, Signer, UserData};
use serde_json::{Value, json};

use crate::authorizations::{channel, socket};

fn signer() -> Signer {
    Signer::new("key", "secret")
}

#[test]
fn a_member_is_signed_as_its_json() {
    let room = channel("presence-room");
    let sign = |data: &PresenceData| signer().authorize_presence(&socket(), &room, data).unwrap();
    let plain = sign(&PresenceData::new("ada").unwrap());
    assert_eq!(plain, signer().authorize_channel(&socket(), &room, Some(r#"{"user_id":"ada"}"#)).unwrap());
    let data = PresenceData::new("a\"b").unwrap().with_info(&json!({"name": "Ada"})).unwrap();
    let text = sign(&data).channel_data.unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({"user_id": "a\"b", "user_info": {"name": "Ada"}})
    );
    assert_eq!(format!("{data:?}"), r#"PresenceData { user_id: "a\"b", .. }"#);
    for other in ["private-room", "room"] {
        assert!(signer().authorize_presence(&socket(), &channel(other), &data).is_err(), "{other}");
    }
}

#[test]
fn a_user_is_signed_in_as_its_json() {
    let user = UserData::new("ada").unwrap();
    let plain = signer().sign_in(&socket(), &user).unwrap();
    assert_eq!(plain, signer().authenticate_user(&socket(), r#"{"id":"ada"}"#).unwrap());
    let user = user.with_info(&json!({"name": "Ada"})).unwrap().with_watchlist(["bob", "eve"]).unwrap();
    let text = signer().sign_in(&socket(), &user).unwrap().user_data;
    assert_eq!(
        serde_json::from_str::<Value>(&text).unwrap(),
        json!({"id": "ada", "user_info": {"name": "Ada"}, "watchlist": ["bob", "eve"]})
    );
    assert_eq!(format!("{user:?}"), r#"UserData { id: "ada", .. }"#);
}

#[test]
fn pushers_limits_are_checked() {
    let kind = |error: pusher_signer::Error| error.kind();
    for id in [String::new(), "a".repeat(129), "é".repeat(129)] {
        assert_eq!(PresenceData::new(id).map(|_| ()).map_err(kind), Err(ErrorKind::ChannelData));
    }
    assert!(PresenceData::new("é".repeat(128)).is_ok());
    for id in [String::new(), "a".repeat(129), "a b".to_owned(), "é".to_owned()] {
        assert_eq!(UserData::new(id).map(|_| ()).map_err(kind), Err(ErrorKind::UserData));
    }
    let info = |length: usize| "x".repeat(length - 2);
    let (member, user) = (|| PresenceData::new("ada").unwrap(), || UserData::new("ada").unwrap());
    assert!(member().with_info(&info(1_024)).is_ok() && user().with_info(&info(1_024)).is_ok());
    assert_eq!(member().with_info(&info(1_025)).map(|_| ()).map_err(kind), Err(ErrorKind::ChannelData));
    assert_eq!(user().with_info(&info(1_025)).map(|_| ()).map_err(kind), Err(ErrorKind::UserData));
    let unwritable = std::collections::HashMap::from([(vec![1], 1)]);
    assert_eq!(member().with_info(&unwritable).map(|_| ()).map_err(kind), Err(ErrorKind::ChannelData));
    let watched = |count: usize| user().with_watchlist((0..count).map(|user| user.to_string()));
    assert!(watched(100).is_ok());
    assert_eq!(watched(101).map(|_| ()).map_err(kind), Err(ErrorKind::UserData));
    for id in [String::new(), "a".repeat(129), "a b".to_owned()] {
        let watched = user().with_watchlist(["bob".to_owned(), id]);
        assert_eq!(watched.map(|_| ()).map_err(kind), Err(ErrorKind::UserData));
    }
    let repeated = user().with_watchlist(["bob", "ada"].repeat(101)).unwrap();
    let text = signer().sign_in(&socket(), &repeated).unwrap().user_data;
    assert_eq!(text, r#"{"id":"ada","watchlist":["bob"]}"#);
}
