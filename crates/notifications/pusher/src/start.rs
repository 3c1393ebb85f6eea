use std::sync::Arc;

use internal_notifications_service::{ServiceError, ServiceErrorKind, Status};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::actor::Actor;
use crate::api::InboxApi;
use crate::command::Command;
use crate::live_only::LiveOnly;
use crate::outlets::Outlets;
use crate::settings::{Endpoint, Settings, Target};
use crate::user_bearer::UserBearer;

/// How an `init` went; none while it is under way. A live-only service has no server to call.
pub(crate) type Started = Option<Result<Option<Arc<InboxApi>>, ServiceError>>;

/// The task of an initialized service: gets what it needs, tells how that went, and runs.
pub(crate) async fn run(
    settings: Arc<Settings>,
    outlets: Arc<Outlets>,
    commands: mpsc::Receiver<Command>,
    started: watch::Sender<Started>,
) {
    outlets.set_status(Status::Starting);
    match start(settings, &outlets, commands).await {
        Ok(Running::Inbox(api, actor)) => {
            started.send_replace(Some(Ok(Some(api))));
            actor.run().await;
        }
        Ok(Running::LiveOnly(actor)) => {
            started.send_replace(Some(Ok(None)));
            actor.run().await;
        }
        Err(error) => {
            outlets.set_status(Status::Idle);
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
    outlets: &Arc<Outlets>,
    commands: mpsc::Receiver<Command>,
) -> Result<Running, ServiceError> {
    let bearer = timeout(settings.call_timeout, UserBearer::of(Arc::clone(&settings.identity)));
    let bearer = bearer.await.map_err(|_| {
        ServiceError::new(ServiceErrorKind::Unavailable, "the identity was not told in time")
    })??;
    let user_id = bearer.user_id().clone();
    let api = |endpoint: &Endpoint| {
        let (http, base) = (Arc::clone(&endpoint.http), endpoint.base.clone());
        Arc::new(InboxApi::new(http, base, Arc::new(bearer), settings.call_timeout))
    };
    let outlets = Arc::clone(outlets);
    match &settings.target {
        Target::Server(endpoint) => {
            let api = api(endpoint);
            let first = tokio::try_join!(api.realtime(), api.page(settings.first_page()));
            let (info, page) = first.map_err(|refusal| refusal.error)?;
            let settings = Arc::clone(&settings);
            let actor = Actor::start(settings, Arc::clone(&api), outlets, commands, info, page).await?;
            Ok(Running::Inbox(api, Box::new(actor)))
        }
        Target::LiveOnly(channels, endpoint) => {
            let api = endpoint.as_ref().map(api);
            let settings = Arc::clone(&settings);
            let info = channels.info(&user_id, settings.event.as_ref())?;
            let actor = LiveOnly::start(settings, api, outlets, commands, info).await?;
            Ok(Running::LiveOnly(Box::new(actor)))
        }
    }
}
