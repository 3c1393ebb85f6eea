use std::sync::Arc;

use internal_notifications_service::{ServiceError, ServiceErrorKind, Status};
use tokio::sync::{mpsc, watch};

use super::actor::{Actor, First};
use super::command::Command;
use super::keeper::Keeper;
use super::live_only::LiveOnly;
use super::publisher::{EndGuard, Publisher};
use super::settings::{Endpoint, Settings, Target};
use super::user_tokens::UserTokens;
use crate::api::{BaseUrl, CallError, InboxApi};

/// The result of an `init`: none while it runs. A live-only service has no API.
pub(crate) type StartResult = Option<Result<Option<Arc<InboxApi>>, ServiceError>>;

/// Runs the task of an initialized service: starts it, reports the result, and serves its commands.
pub(crate) async fn run(
    settings: Arc<Settings>,
    publisher: Arc<Publisher>,
    keeper: Keeper,
    commands: mpsc::Receiver<Command>,
    started: watch::Sender<StartResult>,
) {
    let guard = EndGuard::new(&publisher);
    publisher.set_status(Status::Starting);
    match start(settings, &publisher, keeper, commands).await {
        Ok(Running::Inbox(api, actor)) => {
            started.send_replace(Some(Ok(Some(api))));
            actor.run().await;
        }
        Ok(Running::LiveOnly(actor)) => {
            started.send_replace(Some(Ok(None)));
            actor.run().await;
        }
        Err(error) => {
            publisher.set_status(Status::Idle);
            guard.dismiss();
            started.send_replace(Some(Err(error)));
        }
    }
}

enum Running {
    Inbox(Arc<InboxApi>, Box<Actor>),
    LiveOnly(Box<LiveOnly>),
}

async fn start(
    settings: Arc<Settings>,
    publisher: &Arc<Publisher>,
    keeper: Keeper,
    commands: mpsc::Receiver<Command>,
) -> Result<Running, ServiceError> {
    let call_timeout = settings.options.call_timeout;
    let tokens = UserTokens::of(Arc::clone(&settings.identity), call_timeout, settings.fork_rng()).await?;
    let user_id = tokens.user_id().clone();
    let api = |endpoint: &Endpoint| {
        let (http_client, base) = (Arc::clone(&endpoint.http_client), endpoint.base.clone());
        Arc::new(InboxApi::new(http_client, base, Arc::new(tokens), call_timeout))
    };
    let publisher = Arc::clone(publisher);
    match &settings.target {
        Target::Server(endpoint) => {
            let api = api(endpoint);
            let first = match keeper.open(&settings, &endpoint.base, &user_id).await? {
                Some(inbox) => First::Kept(Box::new(inbox)),
                None => first(&settings, &api, &endpoint.base).await?,
            };
            let settings = Arc::clone(&settings);
            let actor = Actor::start(settings, Arc::clone(&api), publisher, keeper, commands, first).await?;
            Ok(Running::Inbox(api, Box::new(actor)))
        }
        Target::LiveOnly(channels, endpoint) => {
            let api = endpoint.as_ref().map(api);
            let settings = Arc::clone(&settings);
            let info = channels.info(&user_id, settings.event.as_ref())?;
            let actor = LiveOnly::start(settings, api, publisher, commands, info).await?;
            Ok(Running::LiveOnly(Box::new(actor)))
        }
    }
}

/// Loads the inbox.
async fn first(settings: &Settings, api: &InboxApi, server: &BaseUrl) -> Result<First, ServiceError> {
    match tokio::try_join!(api.realtime(), api.page(settings.first_page())) {
        Ok((info, page)) => Ok(First::Loaded(Box::new(info), page)),
        Err(error) if error.is_retryable() && settings.options.start_offline => {
            Ok(First::Offline(error.into()))
        }
        Err(error) => Err(start_error(error, server)),
    }
}

/// Returns the error of an `init`. It names the URL if there is no inbox server.
fn start_error(error: CallError, server: &BaseUrl) -> ServiceError {
    if !error.denies_server() {
        return error.into();
    }
    let detail = format!(
        "no inbox server answers at {}: check the server's URL (INTERNAL_NOTIFICATIONS_URL)",
        server.url()
    );
    ServiceError::new(ServiceErrorKind::Configuration, detail).with_source(ServiceError::from(error))
}
