use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::{InternalNotificationsBuilder, ServiceKind};

/// Whether two settings of the builder cannot both be meant.
pub(crate) fn check(builder: &InternalNotificationsBuilder) -> Result<(), ServiceError> {
    #[cfg(feature = "pusher")]
    {
        let (inbox, pusher) = (&builder.inbox, &builder.pusher);
        let user = ("user", pusher.user.is_some());
        let user_id = ("user_id", inbox.user_id.is_some());
        let identity = ("identity", pusher.identity.is_some());
        let pairs = [
            [("url", pusher.url.is_some()), ("channels", pusher.channels.is_some())],
            [user, user_id],
            [user, identity],
            [user_id, identity],
            [("authorizer", pusher.authorizer.is_some()), ("auth_endpoint", pusher.auth_endpoint.is_some())],
        ];
        if let Some([(one, _), (other, _)]) = pairs.into_iter().find(|pair| pair.iter().all(|(_, set)| *set))
        {
            return Err(contradiction(one, other));
        }
    }
    // Switched off is switched off, whatever else is given.
    let Some(kind) = builder.kind.filter(|kind| *kind != ServiceKind::None) else { return Ok(()) };
    match services(builder).find(|(_, of)| *of != kind) {
        Some((setting, _)) => Err(contradiction(&format!("service({kind})"), setting)),
        None => Ok(()),
    }
}

/// The one kind of service that the builder was given what it takes, if it was.
pub(crate) fn given(builder: &InternalNotificationsBuilder) -> Result<Option<ServiceKind>, ServiceError> {
    let mut given = services(builder).chain(servers(builder));
    let Some((one, kind)) = given.next() else { return Ok(None) };
    match given.find(|(_, of)| *of != kind) {
        Some((other, _)) => Err(contradiction(one, other)),
        None => Ok(Some(kind)),
    }
}

type Given = (&'static str, ServiceKind);

fn services(builder: &InternalNotificationsBuilder) -> impl Iterator<Item = Given> + use<> {
    let custom = builder.custom.as_ref().map(|_| ("custom", ServiceKind::Custom));
    #[cfg(feature = "mock")]
    let hub = builder.hub.as_ref().map(|_| ("hub", ServiceKind::Mock));
    #[cfg(not(feature = "mock"))]
    let hub = None;
    custom.into_iter().chain(hub)
}

#[cfg(feature = "pusher")]
fn servers(builder: &InternalNotificationsBuilder) -> impl Iterator<Item = Given> + use<> {
    let url = builder.pusher.url.as_ref().map(|_| ("url", ServiceKind::Pusher));
    let channels = builder.pusher.channels.as_ref().map(|_| ("channels", ServiceKind::Pusher));
    url.into_iter().chain(channels)
}

#[cfg(not(feature = "pusher"))]
fn servers(_: &InternalNotificationsBuilder) -> impl Iterator<Item = Given> + use<> {
    std::iter::empty()
}

fn contradiction(one: &str, other: &str) -> ServiceError {
    let detail =
        format!("the builder has `{one}` and `{other}`, which contradict each other: give it one of them");
    ServiceError::new(ServiceErrorKind::Configuration, detail)
}
