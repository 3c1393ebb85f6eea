use std::sync::Arc;

use internal_notifications_models::{InboxPage, RealtimeInfo};
use internal_notifications_service::{ServiceError, ServiceErrorKind, Status};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

use crate::actor::{Actor, Command};
use crate::api::InboxApi;
use crate::bearer::UserBearer;
use crate::outlets::Outlets;
use crate::settings::Settings;

/// How an `init` went; none while it is under way.
pub(crate) type Started = Option<Result<Arc<InboxApi>, ServiceError>>;

/// The task of an initialized service: gets what it needs, tells how that went, and runs the actor.
pub(crate) async fn run(
    settings: Arc<Settings>,
    outlets: Arc<Outlets>,
    commands: mpsc::Receiver<Command>,
    started: watch::Sender<Started>,
) {
    outlets.set_status(Status::Starting);
    match start(settings, &outlets, commands).await {
        Ok((api, actor)) => {
            started.send_replace(Some(Ok(api)));
            actor.run().await;
        }
        Err(error) => {
            outlets.set_status(Status::Idle);
            started.send_replace(Some(Err(error)));
        }
    }
}

async fn start(
    settings: Arc<Settings>,
    outlets: &Arc<Outlets>,
    commands: mpsc::Receiver<Command>,
) -> Result<(Arc<InboxApi>, Actor), ServiceError> {
    let bearer = timeout(settings.call_timeout, UserBearer::of(Arc::clone(&settings.identity)));
    let bearer = bearer.await.map_err(|_| {
        ServiceError::new(ServiceErrorKind::Unavailable, "the identity was not told in time")
    })??;
    let api = Arc::new(InboxApi::new(
        Arc::clone(&settings.http),
        settings.base.clone(),
        Arc::new(bearer),
        settings.call_timeout,
    ));
    let (info, page) = first(&api, settings.window).await?;
    let actor = Actor::start(settings, Arc::clone(&api), Arc::clone(outlets), commands, info, page).await?;
    Ok((api, actor))
}

async fn first(api: &InboxApi, window: usize) -> Result<(RealtimeInfo, InboxPage), ServiceError> {
    tokio::try_join!(api.realtime(), api.page(window)).map_err(|refusal| refusal.error)
}
