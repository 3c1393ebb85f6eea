use std::sync::Arc;

use pusher_client::{
    AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, ChannelEvent, ConnectionState,
};

use crate::engine::{As, RunningEngine, signer};
use crate::known_differences::MEMBER_BY_SIGN_IN;
use crate::next_event::{next, signed_in, subscribed};

#[tokio::test]
async fn members_join_and_leave() {
    let engine = RunningEngine::start().await;
    let (ada, bob) = (engine.client("ada"), engine.client("bob"));
    let mut room = subscribed(&ada, "presence-room").await;
    assert_eq!(room.members().me().unwrap().info(), r#"{"name":"ADA"}"#);
    let bobs = subscribed(&bob, "presence-room").await;
    let ids: Vec<_> = bobs.members().iter().map(|member| member.id().to_owned()).collect();
    assert_eq!(ids, ["ada", "bob"]);
    let ChannelEvent::MemberAdded(member) = next(&mut room).await else { panic!() };
    assert_eq!((member.id(), member.info()), ("bob", r#"{"name":"BOB"}"#));
    drop(bobs);
    let ChannelEvent::MemberRemoved(member) = next(&mut room).await else { panic!() };
    assert_eq!((member.id(), room.members().count()), ("bob", 1));
}

#[tokio::test]
async fn a_user_is_one_member_from_the_first_connection_to_the_last() {
    let engine = RunningEngine::start().await;
    let mut room = subscribed(&engine.client("ada"), "presence-room").await;
    let first = subscribed(&engine.client("bob"), "presence-room").await;
    let second = subscribed(&engine.client("bob"), "presence-room").await;
    assert_eq!(second.members().count(), 2);
    assert!(matches!(next(&mut room).await, ChannelEvent::MemberAdded(_)));
    drop(first);
    let _carol = subscribed(&engine.client("carol"), "presence-room").await;
    let ChannelEvent::MemberAdded(member) = next(&mut room).await else { panic!("bob was reported as gone") };
    assert_eq!(member.id(), "carol");
    drop(second);
    let ChannelEvent::MemberRemoved(member) = next(&mut room).await else { panic!() };
    assert_eq!((member.id(), room.members().count()), ("bob", 2));
}

/// Signs for the signed-in user, without naming one.
struct WithoutUser;

#[async_trait::async_trait]
impl Authorizer for WithoutUser {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        let text = format!("{}:{}", request.socket_id, request.channel);
        let signer = signer();
        let mut authorization = signer
            .authorize_channel(&request.socket_id, &"private-any".parse().unwrap(), None)
            .map_err(|why| AuthorizationError::permanent(why.to_string()))?;
        authorization.auth = format!("{}:{}", signer.key(), signer.sign(text.as_bytes()));
        Ok(authorization)
    }
}

#[tokio::test]
async fn a_signed_in_user_is_a_member_without_channel_data() {
    let engine = RunningEngine::start().await;
    let client = engine.builder().authorizer(Arc::new(WithoutUser)).user_authenticator(Arc::new(As("ada")));
    let client = client.connect().unwrap();
    let _user = signed_in(&client).await;
    let mut states = client.states();
    let mut room = client.subscribe("presence-room").await.unwrap();
    let dropped = async { while !matches!(next(&mut states).await, ConnectionState::Reconnecting { .. }) {} };
    let seen = tokio::select! {
        event = next(&mut room) => {
            assert_eq!(event, ChannelEvent::Subscribed);
            assert_eq!(room.members().me().unwrap().id(), "ada");
            "accepted"
        }
        () = dropped => "connection dropped without a code",
    };
    MEMBER_BY_SIGN_IN.check(engine.kind, seen);
}
