use std::error::Error;
use std::sync::Arc;

use futures_util::StreamExt;
use internal_notifications_models::RealtimeInfo;
use internal_notifications_service::{ServiceError, ServiceErrorKind, with_causes};
use pusher_client::{
    Authorizer, ChannelEvent, ChannelName, Client, ConnectionState, Errors, States, Subscription, User,
    UserAuthenticator, UserEvent,
};

use super::settings::Settings;
use crate::api::BaseUrl;

/// The subscription to the user's channel, and the sign-in of its connection. Dropping it ends
/// both.
pub(crate) struct LiveChannel {
    client: Client,
    subscription: Subscription,
    states: States,
    errors: Errors,
    sign_in: SignIn,
}

/// What happens to a live channel.
pub(crate) enum LiveUpdate {
    /// An event of the channel.
    Event(ChannelEvent),
    /// Why there is no connection or subscription, if there is none.
    Offline(ServiceError),
}

/// The sign-in of the connection.
///
/// It follows the subscription, which matters more and may have brought a fresh token.
enum SignIn {
    /// There is no authenticator, or the sign-in was rejected.
    Off,
    /// Waits for the subscription.
    Waiting,
    /// Must be done now.
    Due,
    Done(User),
}

impl LiveChannel {
    /// Returns the next update, or none once the channel has ended. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Option<LiveUpdate> {
        loop {
            let sign_in = async {
                match &mut self.sign_in {
                    SignIn::Off | SignIn::Waiting => std::future::pending().await,
                    SignIn::Due => self.client.sign_in().await.map_or(SignIn::Off, SignIn::Done),
                    SignIn::Done(user) => signed_out(user).await,
                }
            };
            let event = tokio::select! {
                biased;
                event = self.subscription.next() => event,
                Some(state) = self.states.next() => match state {
                    ConnectionState::Reconnecting { reason, .. } | ConnectionState::Unavailable { reason, .. } => {
                        return Some(LiveUpdate::Offline(offline(reason)));
                    }
                    _ => continue,
                },
                Some(error) = self.errors.next() => return Some(LiveUpdate::Offline(offline(error))),
                changed = sign_in => {
                    self.sign_in = changed;
                    continue;
                }
            };
            self.sign_in = match (&event, std::mem::replace(&mut self.sign_in, SignIn::Off)) {
                (_, SignIn::Off) => SignIn::Off,
                (Some(ChannelEvent::Subscribed), SignIn::Waiting) => SignIn::Due,
                (Some(ChannelEvent::Interrupted), _) => SignIn::Waiting,
                (_, sign_in) => sign_in,
            };
            return event.map(LiveUpdate::Event);
        }
    }

    /// Pings the server now, or makes the next attempt to connect now.
    pub(crate) async fn wake(&self) {
        // It fails only once the client has ended, which its last event reports.
        let _ = self.client.ping_now().await;
    }
}

/// Returns why there are no live events.
pub(crate) fn offline(reason: pusher_client::Error) -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unavailable, "the live channel is not connected").with_source(reason)
}

/// Returns why live events are refused.
pub(crate) fn refused(reason: pusher_client::Error) -> ServiceError {
    let kind = match reason.code() {
        Some(401) => ServiceErrorKind::Unauthorized,
        _ => ServiceErrorKind::Forbidden,
    };
    ServiceError::new(kind, "the live channel was rejected").with_source(reason)
}

/// Waits until the user is no longer signed in.
async fn signed_out(user: &mut User) -> SignIn {
    while let Some(event) = user.next().await {
        if let UserEvent::Refused(error) = event {
            tracing::debug!(error = with_causes(&error), "the sign-in of the connection was rejected");
            break;
        }
    }
    SignIn::Off
}

/// Connects to the user's channel that `info` describes, on the inbox server at `base` unless
/// `info` names another host.
///
/// Returns at once; the channel's events report the progress. With an `authenticator` the
/// connection is signed in too. If that fails, the channel works all the same.
pub(crate) async fn subscribe(
    settings: &Settings,
    authorizer: Arc<dyn Authorizer>,
    authenticator: Option<Arc<dyn UserAuthenticator>>,
    base: Option<&BaseUrl>,
    info: &RealtimeInfo,
    seed: u64,
) -> Result<Box<LiveChannel>, ServiceError> {
    let channel = ChannelName::new(&info.channel).map_err(unusable)?;
    let roots = settings.options.roots.clone();
    let mut builder = Client::builder(&info.key).authorizer(authorizer).roots(roots).seed(seed);
    if let Some(connector) = &settings.options.connector {
        builder = builder.connector(Arc::clone(connector));
    }
    if let Some(proxy) = &settings.options.proxy {
        builder = builder.proxy(proxy);
    }
    let signs_in = authenticator.is_some();
    if let Some(authenticator) = authenticator {
        builder = builder.user_authenticator(authenticator);
    }
    let scheme_is_tls = info.scheme.as_deref() != Some("http");
    let mut path = info.path.trim_matches('/').to_owned();
    builder = match (&info.cluster, &info.host, base) {
        (Some(cluster), ..) => builder.cluster(cluster),
        (None, Some(host), _) => builder.host(host).tls(scheme_is_tls),
        (None, None, Some(base)) => {
            path = format!("{}/{path}", base.url().path().trim_matches('/'));
            builder = builder.host(base.host()).tls(base.url().scheme() == "https");
            match base.url().port() {
                Some(port) => builder.port(port),
                None => builder,
            }
        }
        (None, None, None) => builder,
    };
    if let (Some(_), Some(port)) = (&info.host, info.port) {
        builder = builder.port(port);
    }
    let client = builder.path_prefix(path.trim_matches('/')).connect().map_err(unusable)?;
    let subscription = client.subscribe(channel).await.map_err(unusable)?;
    let sign_in = if signs_in { SignIn::Waiting } else { SignIn::Off };
    let (states, errors) = (client.states(), client.errors());
    Ok(Box::new(LiveChannel { client, subscription, states, errors, sign_in }))
}

/// Returns the error of a live channel that has ended without a reason.
pub(crate) fn ended() -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unavailable, "the connection has ended")
}

/// Returns the error of a live channel that was lost, until the reason is known.
pub(crate) fn lost() -> ServiceError {
    ServiceError::new(ServiceErrorKind::Unavailable, "the live channel was lost")
}

fn unusable(error: impl Into<Box<dyn Error + Send + Sync>>) -> ServiceError {
    let detail = "the live channel cannot be subscribed to as configured";
    ServiceError::new(ServiceErrorKind::Protocol, detail).with_source(error)
}
