//! A user's device: the real Pusher service on its own host.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use futures_util::StreamExt;
use internal_notifications_models::UserId;
use internal_notifications_pusher::PusherService;
use internal_notifications_service::{Announcement, InternalNotificationsService, Snapshot};

use crate::bug::Bug;
use crate::clock::{now, sleep_until};
use crate::device_storage::DeviceStorage;
use crate::network::{Network, URL, shared};
use crate::plan::{DEVICES, UserAction};
use crate::world::World;

/// How often a device compares its position with the server's.
pub(crate) const POSITION_CHECK: Duration = Duration::from_secs(10);
/// How many notifications a device holds.
pub(crate) const WINDOW: usize = 12;

pub(crate) async fn run(world: Arc<World>, index: usize) -> turmoil::Result {
    let (user, device) = DEVICES[index];
    let seed = world.start_host(device);
    world.seen().views.entry(device).or_default().snapshot = Snapshot::default();
    let network = Network {
        resets: world.resets[device].clone(),
        stale_authorization: (world.bug == Some(Bug::StaleAuthorization)).then(Default::default),
    };
    let (http, connector) = shared(network);
    let check = match world.bug {
        Some(Bug::NoPositionCheck) => Duration::from_secs(24 * 60 * 60),
        _ => POSITION_CHECK,
    };
    let service = PusherService::builder()
        .url(URL)
        .user(UserId::new(user)?, user)
        .http_client(http)
        .connector(connector)
        .position_check(check)
        .window(WINDOW)
        .seed(seed)
        .storage(DeviceStorage { world: world.clone(), device })
        // The machine's own clock says nothing about the simulated one.
        .wall_clock(|| UNIX_EPOCH)
        .build()?;
    tokio::spawn(watch_announcements(world.clone(), device, service.clone()));
    while let Err(error) = service.init().await {
        world.note(device, format_args!("init: {:?}", error.kind()));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    tokio::spawn(perform_actions(world.clone(), index, service.clone()));
    let mut snapshots = service.snapshots();
    while let Some(snapshot) = snapshots.next().await {
        record(&world, device, snapshot);
    }
    Ok(())
}

fn record(world: &World, device: &'static str, snapshot: Snapshot) {
    let Snapshot { notifications, pending, position, status, unconfirmed, .. } = &snapshot;
    let newest = notifications.first().map_or("", |newest| newest.id.as_str());
    let tag = position.tag.map_or_else(String::new, |tag| tag.to_string());
    let (seq, rows) = (position.seq, notifications.len());
    world.note(
        device,
        format_args!(
            "{status:?} {seq}:{tag} pending {pending} rows {rows} {newest} unconfirmed {unconfirmed}"
        ),
    );
    let mut seen = world.seen();
    let view = seen.views.entry(device).or_default();
    view.first_seq.get_or_insert(position.seq);
    view.snapshot = snapshot;
}

async fn watch_announcements(world: Arc<World>, device: &'static str, service: PusherService) {
    let mut announcements = service.announcements();
    while let Some(announcement) = announcements.next().await {
        let mut seen = world.seen();
        let view = seen.views.entry(device).or_default();
        match announcement {
            Announcement::Notification(notification) => {
                let id = notification.id.as_str().to_owned();
                world.note(device, format_args!("announced {id} {}", notification.added));
                view.last_announced = notification.added;
                if !view.announced.insert(id.clone()) {
                    seen.problem(now(), format_args!("{device} announced {id} twice"));
                }
            }
            Announcement::Skipped => {
                world.note(device, "announced that some were skipped");
                view.skipped = true;
            }
            _ => world.note(device, "a write was refused"),
        }
    }
}

async fn perform_actions(world: Arc<World>, index: usize, service: PusherService) {
    let (user, device) = DEVICES[index];
    let started = now();
    for (at, of, action) in world.plan.actions.iter().filter(|(at, ..)| *at >= started) {
        if *of != index {
            continue;
        }
        sleep_until(*at).await;
        let snapshot = service.snapshot();
        let newest = snapshot.notifications.first().map(|newest| newest.id.clone());
        let oldest = snapshot.notifications.last().map(|oldest| oldest.id.clone());
        world.note(device, format_args!("{action:?}"));
        let result = match (action, newest, oldest) {
            (UserAction::OpenAll, ..) => service.mark_all_opened().await.map(drop),
            (UserAction::LoadOlder, ..) => service.load_older(3).await,
            (UserAction::OpenNewest, Some(newest), _) => {
                let written = service.mark_opened(std::slice::from_ref(&newest)).await;
                if written.is_ok() {
                    world.seen().marked.insert((user.to_owned(), newest.to_string()));
                }
                written.map(drop)
            }
            (UserAction::UnopenNewest, Some(newest), _) => service.mark_unopened(&[newest]).await.map(drop),
            (UserAction::RemoveOldest, _, Some(oldest)) => {
                world.seen().unwanted.insert((user.to_owned(), oldest.to_string()));
                service.remove(&oldest).await.map(drop)
            }
            _ => continue,
        };
        if let Err(error) = result {
            world.note(device, format_args!("{action:?}: {:?}", error.kind()));
        }
    }
}
