//! Tests the mock's features beyond the contract.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test may"
)]

mod cancelling;
mod catch_up;
mod converges;
mod hub;
mod identity;
mod lifecycle;
mod offline;
mod planned_faults;
mod schedule;
mod states;
mod streams;
mod trace;

use futures_util::{FutureExt, Stream, StreamExt};
use internal_notifications_mock::MockService;
use internal_notifications_mock::models::{InternalNotification, NotificationId, UserId};
use internal_notifications_service::{Announcement, InternalNotificationsService, ServiceError};

/// An id under which a user may push.
const UUID: &str = "11111111-1111-4111-8111-111111111111";

fn user(id: &str) -> UserId {
    id.parse().unwrap()
}

fn id(id: &str) -> NotificationId {
    id.parse().unwrap()
}

fn note(id: &str) -> InternalNotification {
    InternalNotification::new("c").with_id(id.parse().unwrap())
}

/// Returns the result of a call, which completes when it is first polled.
fn now<T>(call: impl Future<Output = T>) -> T {
    call.now_or_never().expect("a call of the mock completes at once")
}

fn live(service: MockService) -> MockService {
    now(service.init()).unwrap();
    service
}

/// Returns the ids of the list, newest first; opened ones have a tick.
fn shown(service: &MockService) -> Vec<String> {
    let rows = service.snapshot().notifications;
    rows.iter().map(|row| format!("{}{}", row.id, if row.opened { "✓" } else { "" })).collect()
}

/// Returns what a stream yields without waiting, and whether it has ended.
fn take<S: Stream + Unpin>(stream: &mut S) -> (Vec<S::Item>, bool) {
    let mut items = Vec::new();
    loop {
        match stream.next().now_or_never() {
            None => return (items, false),
            Some(None) => return (items, true),
            Some(Some(item)) => items.push(item),
        }
    }
}

fn announced(stream: &mut (impl Stream<Item = Announcement> + Unpin)) -> Vec<String> {
    let brief = |announcement| match announcement {
        Announcement::Notification(row) => row.id.to_string(),
        Announcement::Bare(bare) => format!("bare {}", bare.content),
        Announcement::Skipped => "skipped".to_owned(),
        Announcement::WriteRefused(refused) => format!("refused {:?}", refused.error.kind()),
        _ => "unexpected".to_owned(),
    };
    take(stream).0.into_iter().map(brief).collect()
}

fn kind<T: std::fmt::Debug>(
    outcome: Result<T, ServiceError>,
) -> internal_notifications_service::ServiceErrorKind {
    outcome.unwrap_err().kind()
}
