use serde_json::{Value, json};

use crate::support::*;

const ROOM: &str = "presence-room";

fn change(name: &str, data: Value) -> Value {
    json!({"event": format!("pusher_internal:{name}"), "channel": ROOM, "data": data.to_string()})
}

#[tokio::test]
async fn a_new_member_receives_the_members_and_the_others_a_member_added_event() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    let alone = json!({"ids": ["ada"], "hash": {"ada": {"name": "ada"}}, "count": 1});
    assert_eq!(ada.join(ROOM, "ada").await, alone);
    let both =
        json!({"ids": ["ada", "bob"], "hash": {"ada": {"name": "ada"}, "bob": {"name": "bob"}}, "count": 2});
    assert_eq!(bob.join(ROOM, "bob").await, both);
    let added = change("member_added", json!({"user_id": "bob", "user_info": {"name": "bob"}}));
    assert_eq!(ada.next().await, added);
    bob.got_nothing().await;
}

#[tokio::test]
async fn a_user_is_added_with_the_first_connection_and_removed_with_the_last() {
    let broker = broker();
    let (mut ada, mut phone, mut laptop) =
        (connect(&broker).await, connect(&broker).await, connect(&broker).await);
    ada.join(ROOM, "ada").await;
    phone.join(ROOM, "bob").await;
    let again = r#"{"user_id":"bob","user_info":{"name":"another"}}"#;
    let answer = laptop.try_join(ROOM, again).await;
    assert_eq!(
        data_of(&answer)["presence"]["hash"]["bob"],
        json!({"name": "bob"}),
        "the user_info of the first connection is shown"
    );
    assert_eq!(ada.next().await["event"], "pusher_internal:member_added");
    ada.got_nothing().await;
    phone.unsubscribe(ROOM).await;
    phone.got_nothing().await;
    ada.got_nothing().await;
    drop(laptop);
    assert_eq!(ada.next().await, change("member_removed", json!({"user_id": "bob"})));
}

#[tokio::test]
async fn user_info_is_optional_and_a_user_id_may_be_a_number() {
    let broker = broker();
    let (mut ada, mut bob) = (connect(&broker).await, connect(&broker).await);
    let answer = ada.try_join(ROOM, r#"{"user_id":7}"#).await;
    assert_eq!(data_of(&answer), json!({"presence": {"ids": ["7"], "hash": {"7": null}, "count": 1}}));
    bob.try_join(ROOM, r#"{"user_id":"8"}"#).await;
    assert_eq!(ada.next().await, change("member_added", json!({"user_id": "8"})));
}

#[tokio::test]
async fn channel_data_must_be_signed_and_name_a_user() {
    let mut client = connect(&broker()).await;
    let sign = |client: &Client, data: &str| {
        format!("app-key:{}", signer().sign(format!("{}:{ROOM}:{data}", client.id).as_bytes()))
    };
    let good = r#"{"user_id":"ada"}"#;
    let long_id = json!({"user_id": "a".repeat(129)}).to_string();
    let long_info = json!({"user_id": "a", "user_info": "a".repeat(1_023)}).to_string();
    for (signed, sent) in [
        (good, Some(r#"{"user_id":"eve"}"#)),
        (good, None),
        ("", Some(good)),
        ("{}", Some("{}")),
        ("[]", Some("[]")),
        (r#"{"user_id":null}"#, Some(r#"{"user_id":null}"#)),
        (r#"{"user_id":""}"#, Some(r#"{"user_id":""}"#)),
        (&long_id, Some(&long_id)),
        (&long_info, Some(&long_info)),
    ] {
        let data = json!({"channel": ROOM, "auth": sign(&client, signed), "channel_data": sent});
        client.send(json!({"event": "pusher:subscribe", "data": data})).await;
        let answer = client.next().await;
        assert_eq!(
            (&answer["event"], &answer["channel"]),
            (&json!("pusher:error"), &json!(ROOM)),
            "{sent:?}"
        );
    }
    let longest = json!({"user_id": "é".repeat(128), "user_info": "a".repeat(1_022)}).to_string();
    assert_eq!(client.try_join(ROOM, &longest).await["event"], "pusher_internal:subscription_succeeded");
}

#[tokio::test]
async fn the_101st_user_of_a_channel_is_rejected_but_not_another_connection_of_a_member() {
    let broker = broker();
    let mut clients = Vec::new();
    for n in 0..100 {
        let mut client = connect(&broker).await;
        client.join(ROOM, &format!("user-{n}")).await;
        clients.push(client);
    }
    let mut late = connect(&broker).await;
    let message = "Cannot subscribe to presence-room: it has at most 100 members";
    assert_eq!(late.try_join(ROOM, r#"{"user_id":"late"}"#).await, error(message, Some(ROOM)));
    assert_eq!(late.join(ROOM, "user-7").await["count"], 100);
}

#[tokio::test]
async fn a_signed_in_user_joins_without_channel_data() {
    let broker = broker();
    let mut client = connect(&broker).await;
    let auth = format!("app-key:{}", signer().sign(format!("{}:{ROOM}", client.id).as_bytes()));
    let answer = client.try_subscribe(ROOM, &auth).await;
    let message = "channel_data required to subscribe to presence-room, or a signed-in user";
    assert_eq!(answer, error(message, Some(ROOM)));
    client.try_sign_in(r#"{"id":"ada","user_info":{"name":"Ada"}}"#).await;
    assert_eq!(client.try_subscribe(ROOM, "app-key:00").await["event"], "pusher:error");
    let answer = client.try_subscribe(ROOM, &auth).await;
    assert_eq!(data_of(&answer)["presence"]["hash"], json!({"ada": {"name": "Ada"}}));
}
