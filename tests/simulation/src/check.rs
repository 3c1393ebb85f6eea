//! Checks the promises G1 to G7.

use std::time::Duration;

use internal_notifications_models::{InboxPage, NotificationId};
use internal_notifications_service::Status;

use crate::device::WINDOW;
use crate::plan::{DEVICES, UserAction};
use crate::world::{View, World};

impl View {
    pub(crate) fn shows(&self, id: &str) -> bool {
        self.snapshot.notifications.iter().any(|row| row.id.as_str() == id)
    }
}

/// Describes the devices that are not live or differ from the server in order, state or count (G2,
/// G6).
pub(crate) fn diverged_devices(world: &World) -> Vec<String> {
    let seen = world.seen();
    let mut diverged = Vec::new();
    for (user, device) in DEVICES {
        let Some(view) = seen.views.get(device) else { continue };
        let page = world.page(user);
        let shown = &view.snapshot;
        let rows = shown.notifications.len();
        let is_same = rows >= page.notifications.len().min(WINDOW)
            && shown.notifications.iter().zip(&page.notifications).all(|(shown, stored)| **shown == *stored)
            && rows <= page.notifications.len()
            && (shown.pending, shown.position) == (page.head.pending, page.head.position);
        if shown.status != Status::Live || shown.unconfirmed > 0 || !is_same {
            diverged.push(format!(
                "{device} is {:?} at {:?} with {} of {} and pending {}, the server at {:?} with {}",
                shown.status,
                shown.position,
                rows,
                page.notifications.len(),
                shown.pending,
                page.head.position,
                page.head.pending
            ));
        }
    }
    diverged
}

/// Checks the promises about the whole run.
pub(crate) fn everything(world: &World, at: Duration) {
    let mut problems = Vec::new();
    for user in ["ada", "bob", "eve"] {
        inbox(world, user, &mut problems);
        published(world, user, &mut problems);
        marked(world, user, &mut problems);
    }
    problems.extend(world.unrelayed_intents());
    for (user, device) in DEVICES {
        announced(world, user, device, &mut problems);
    }
    let mut seen = world.seen();
    problems.iter().for_each(|problem| seen.problem(at, problem));
}

/// Checks that everything acknowledged is stored once, unless it was removed, retracted or has
/// expired (G1, G5).
fn inbox(world: &World, user: &str, problems: &mut Vec<String>) {
    let InboxPage { notifications, head, .. } = world.page(user);
    let seen = world.seen();
    for acknowledged in seen.expected().filter(|acknowledged| acknowledged.user == user) {
        let id = &acknowledged.id;
        let stored = notifications.iter().filter(|row| row.id.as_str() == id).count();
        let unwanted = seen.unwanted.contains(&(user.to_owned(), id.clone())) || world.plan.expires(id);
        if stored > 1 || (stored == 0 && !unwanted) {
            problems
                .push(format!("{user} has {id} {stored} times, acknowledged at {:?}", acknowledged.answered));
        }
    }
    for row in &notifications {
        if !world.plan.pushes(row.id.as_str()) {
            problems.push(format!("{user} has {}, but nobody pushed it", row.id));
        }
    }
    let pending = notifications.iter().filter(|row| !row.opened).count() as u64;
    if pending != head.pending {
        problems.push(format!("{user}'s count is {}, but {pending} are pending", head.pending));
    }
}

/// Checks that what a device reported as queued or stored was done, also if its app crashed.
fn marked(world: &World, user: &str, problems: &mut Vec<String>) {
    let seen = world.seen();
    let of_user = |index: &usize| DEVICES.get(*index).is_some_and(|(of, _)| *of == user);
    let unopens = |(_, index, action): &(Duration, usize, UserAction)| {
        matches!(action, UserAction::UnopenNewest) && of_user(index)
    };
    if !seen.restored.is_empty() || world.plan.actions.iter().any(unopens) {
        return;
    }
    for row in world.page(user).notifications.iter().filter(|row| !row.opened) {
        if seen.marked.contains(&(user.to_owned(), row.id.to_string())) {
            problems.push(format!("{user} opened {}, and it is pending", row.id));
        }
    }
}

/// Checks that every change was published.
fn published(world: &World, user: &str, problems: &mut Vec<String>) {
    let head = world.page(user).head.position.seq;
    let seen = world.seen();
    let Some(published) = seen.published.get(user) else { return };
    let first = published.seqs.first().copied().unwrap_or(head);
    let missing: Vec<u64> = (first..=head).filter(|seq| !published.seqs.contains(seq)).collect();
    if !missing.is_empty() {
        problems.push(format!("{user}'s changes {missing:?} were never published, of {first} to {head}"));
    }
}

/// Checks that a device announced everything that arrived while its app ran and that nobody had
/// opened (G3). Double announcements are noticed when they happen.
fn announced(world: &World, user: &str, device: &str, problems: &mut Vec<String>) {
    let seen = world.seen();
    let Some(view) = seen.views.get(device) else { return };
    let has_acted =
        world.plan.actions.iter().any(|(_, index, _)| DEVICES.get(*index).is_some_and(|(of, _)| *of == user));
    if has_acted || view.skipped || !seen.restored.is_empty() {
        return;
    }
    let first_seq = view.first_seq.unwrap_or(u64::MAX);
    for row in world.page(user).notifications.iter().filter(|row| row.added > first_seq) {
        let id: &NotificationId = &row.id;
        if !view.announced.contains(id.as_str()) {
            problems.push(format!("{device} did not announce {id}"));
        }
    }
}
