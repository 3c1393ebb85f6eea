use std::sync::Arc;

use pusher_client::{
    AuthorizationError, AuthorizationRequest, Authorizer, ChannelAuthorization, ChannelName, Client,
    ClientBuilder, EncryptionMasterKey, HttpApi, HttpApiBuilder, Signer, Trigger, UserAuthentication,
    UserAuthenticationRequest, UserAuthenticator,
};
use pusher_signer::WebhookEvent;
use serde_json::json;
use tokio::sync::mpsc;

use crate::{broker, sockudo};

pub(crate) const APP_ID: &str = "17";
pub(crate) const APP_KEY: &str = "app-key";
pub(crate) const APP_SECRET: &str = "app-secret";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Broker,
    Sockudo,
}

/// An engine that runs for one test, with its clients.
pub(crate) struct RunningEngine {
    pub(crate) kind: Engine,
    pub(crate) api: HttpApi,
    pub(crate) webhooks: mpsc::UnboundedReceiver<WebhookEvent>,
    /// Webhook events that were received and not expected yet.
    pub(crate) received: Vec<WebhookEvent>,
    port: u16,
    /// Stops the engine when dropped.
    _running: Box<dyn Send>,
}

impl RunningEngine {
    pub(crate) async fn start() -> Self {
        let (sender, webhooks) = mpsc::unbounded_channel();
        let (kind, (port, running)) = match std::env::var("ENGINE").as_deref() {
            Err(_) => (Engine::Broker, broker::start(sender).await),
            Ok("sockudo") => (Engine::Sockudo, sockudo::start(sender).await),
            Ok(other) => panic!("set ENGINE to sockudo, or unset it for the broker; not {other}"),
        };
        let api = api(port, signer()).build().unwrap();
        Self { kind, api, webhooks, received: Vec::new(), port, _running: running }
    }

    /// Connects a client as this user.
    pub(crate) fn client(&self, user: &'static str) -> Client {
        self.builder()
            .authorizer(Arc::new(As(user)))
            .user_authenticator(Arc::new(As(user)))
            .connect()
            .unwrap()
    }

    pub(crate) fn builder(&self) -> ClientBuilder {
        self.builder_for(APP_KEY)
    }

    pub(crate) fn builder_for(&self, app_key: &str) -> ClientBuilder {
        Client::builder(app_key).host("127.0.0.1").port(self.port).tls(false)
    }

    /// Creates a builder of an HTTP API client.
    pub(crate) fn api_with(&self, signer: Signer) -> HttpApiBuilder {
        api(self.port, signer)
    }

    pub(crate) async fn publish(&self, channel: &str, data: &str) {
        self.api.trigger(&Trigger::new([channel], "news", data).unwrap()).await.unwrap();
    }
}

fn api(port: u16, signer: Signer) -> HttpApiBuilder {
    HttpApi::builder(APP_ID, signer).host("127.0.0.1").port(port).tls(false)
}

pub(crate) fn signer() -> Signer {
    Signer::new(APP_KEY, APP_SECRET).with_encryption_master_key(EncryptionMasterKey::new([7; 32]))
}

pub(crate) fn name(channel: &str) -> ChannelName {
    channel.parse().unwrap()
}

/// Signs as a user whose watchlist contains bob.
pub(crate) struct As(pub(crate) &'static str);

#[async_trait::async_trait]
impl Authorizer for As {
    async fn authorize(
        &self,
        request: &AuthorizationRequest,
    ) -> Result<ChannelAuthorization, AuthorizationError> {
        let data = json!({"user_id": self.0, "user_info": {"name": self.0.to_uppercase()}}).to_string();
        let data = request.channel.kind().is_presence().then_some(data);
        Ok(signer().authorize_channel(&request.socket_id, &request.channel, data.as_deref()).unwrap())
    }
}

#[async_trait::async_trait]
impl UserAuthenticator for As {
    async fn authenticate(
        &self,
        request: &UserAuthenticationRequest,
    ) -> Result<UserAuthentication, AuthorizationError> {
        let data = json!({"id": self.0, "user_info": {"name": self.0.to_uppercase()}, "watchlist": ["bob"]});
        Ok(signer().authenticate_user(&request.socket_id, &data.to_string()).unwrap())
    }
}
