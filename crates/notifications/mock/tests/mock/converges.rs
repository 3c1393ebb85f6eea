//! After any sequence of faults, once connections are restored, every device shows the hub's inbox.

use std::time::Duration;

use internal_notifications_mock::models::InternalNotification;
use internal_notifications_mock::{Backup, MockHub, MockService};
use internal_notifications_service::InternalNotificationsService;
use proptest::prelude::*;

use super::{live, now};

#[derive(Clone, Copy, Debug)]
enum Step {
    Push,
    Open(u8),
    Unopen(u8),
    OpenAll,
    Remove(u8),
    LoadOlder,
    Lose(u8),
    Repeat,
    Cut,
    Mend,
    Pause,
    Resume,
    Again,
    Backup,
    Restore,
    Trim,
    Wait(u8),
}

fn step() -> impl Strategy<Value = Step> {
    let pick = any::<u8>();
    prop_oneof![
        6 => Just(Step::Push),
        3 => pick.prop_map(Step::Open),
        1 => pick.prop_map(Step::Unopen),
        1 => Just(Step::OpenAll),
        2 => pick.prop_map(Step::Remove),
        1 => Just(Step::LoadOlder),
        2 => (0..4_u8).prop_map(Step::Lose),
        1 => Just(Step::Repeat),
        2 => Just(Step::Cut),
        3 => Just(Step::Mend),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
        1 => Just(Step::Again),
        1 => Just(Step::Backup),
        1 => Just(Step::Restore),
        1 => Just(Step::Trim),
        1 => pick.prop_map(Step::Wait),
    ]
}

fn perform(hub: &MockHub, backup: &mut Backup, device: &MockService, step: Step) {
    let rows = device.snapshot().notifications;
    let picked = |pick: u8| rows.get(usize::from(pick) % rows.len().max(1)).map(|row| row.id.clone());
    match step {
        Step::Push => drop(hub.push_as_backend("shop", ["ada", "bob"], InternalNotification::new("c"))),
        Step::Open(pick) => picked(pick).into_iter().for_each(|id| drop(now(device.mark_opened(&[id])))),
        Step::Unopen(pick) => picked(pick).into_iter().for_each(|id| drop(now(device.mark_unopened(&[id])))),
        Step::OpenAll => drop(now(device.mark_all_opened())),
        Step::Remove(pick) => picked(pick).into_iter().for_each(|id| drop(now(device.remove(&id)))),
        Step::LoadOlder => drop(now(device.load_older(1))),
        Step::Lose(events) => device.drop_next_events(events.into()),
        Step::Repeat => device.duplicate_next_event(),
        Step::Cut => device.go_offline(),
        Step::Mend => device.go_online(),
        Step::Pause => drop(now(device.unsubscribe())),
        Step::Resume => drop(now(device.subscribe())),
        Step::Again => {
            now(device.dispose());
            drop(now(device.init()));
        }
        Step::Backup => *backup = hub.backup(),
        Step::Restore => hub.restore(backup),
        Step::Trim => hub.trim(),
        Step::Wait(seconds) => hub.clock().advance(Duration::from_secs(seconds.into())),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_device_converges_to_the_hubs_inbox(steps in prop::collection::vec((0..4_usize, step()), 1..80)) {
        let hub = MockHub::new();
        let users = ["ada", "ada", "ada", "bob"];
        let devices = users.map(|user| live(hub.service_builder(user).window(3).write_queue(5).build()));
        let mut backup = hub.backup();
        for (device, step) in steps {
            perform(&hub, &mut backup, &devices[device], step);
        }
        hub.mend();
        for device in &devices {
            now(device.init()).unwrap();
            now(device.subscribe()).unwrap();
        }
        // The event of one device's queued write may still be dropped on the way to another.
        devices.iter().for_each(MockService::check_position);
        for (device, user) in devices.iter().zip(users) {
            let (snapshot, inbox) = (device.snapshot(), hub.inbox(user));
            prop_assert_eq!(snapshot.position, inbox.head.position);
            prop_assert_eq!((snapshot.pending, snapshot.unconfirmed), (inbox.head.pending, 0));
            let shown: Vec<_> = snapshot.notifications.iter().map(|row| (**row).clone()).collect();
            prop_assert_eq!(&*shown, &inbox.notifications[..shown.len()]);
            // A replica does not know which removals were of older ones: it may think that some are
            // left.
            prop_assert!(snapshot.has_older || shown.len() == inbox.notifications.len());
            prop_assert!(shown.len() >= inbox.notifications.len().min(3));
        }
    }
}
