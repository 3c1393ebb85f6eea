use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use internal_notifications_service::Announcement;
use internal_notifications_service::models::NotificationId;

use crate::deadline::in_time;
use crate::violation::{Broken, Held, ensure};

/// A reader of announcements.
pub(crate) struct Ear {
    stream: BoxStream<'static, Announcement>,
    patience: Duration,
}

impl Ear {
    pub(crate) fn new(stream: BoxStream<'static, Announcement>, patience: Duration) -> Self {
        Self { stream, patience }
    }

    /// The next announcement, or the end.
    pub(crate) async fn next(&mut self, what: &str) -> Held<Option<Announcement>> {
        in_time(self.patience, what, self.stream.next()).await
    }

    /// Checks that these are announced next, in this order, pending as they are told, and nothing else so far.
    pub(crate) async fn hears(&mut self, ids: &[&NotificationId]) -> Held {
        for (index, id) in ids.iter().enumerate() {
            match self.next(&format!("{id:?} was announced")).await? {
                Some(Announcement::Notification(row)) if row.id == **id => {
                    ensure!(!row.opened, "{id:?} was announced though it was opened");
                }
                other => {
                    return Err(Broken(format!(
                        "{} was announced instead of {id:?}, the {} of {}",
                        told(other.as_ref()),
                        index + 1,
                        ids.len()
                    )));
                }
            }
        }
        self.is_silent("after what was due")
    }

    /// Checks that nothing was announced that was not read.
    pub(crate) fn is_silent(&mut self, when: &str) -> Held {
        match self.stream.next().now_or_never() {
            None => Ok(()),
            Some(more) => Err(Broken(format!("{when}, {} was announced", told(more.as_ref())))),
        }
    }
}

/// An announcement in short.
pub(crate) fn told(announcement: Option<&Announcement>) -> String {
    match announcement {
        None => "the end of the stream".to_owned(),
        Some(Announcement::Notification(row)) => format!("{:?}", row.id),
        Some(other) => format!("{other:?}"),
    }
}
