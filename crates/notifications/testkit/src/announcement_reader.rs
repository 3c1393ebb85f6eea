use std::time::Duration;

use futures_util::stream::BoxStream;
use futures_util::{FutureExt, StreamExt};
use internal_notifications_service::Announcement;
use internal_notifications_service::models::NotificationId;

use crate::deadline::in_time;
use crate::violation::{CheckResult, Failure, ensure};

/// Reads a stream of announcements and checks what it yields.
pub(crate) struct AnnouncementReader {
    stream: BoxStream<'static, Announcement>,
    timeout: Duration,
}

impl AnnouncementReader {
    pub(crate) fn new(stream: BoxStream<'static, Announcement>, timeout: Duration) -> Self {
        Self { stream, timeout }
    }

    /// Waits for the next announcement or the end of the stream.
    pub(crate) async fn next(&mut self, what: &str) -> CheckResult<Option<Announcement>> {
        in_time(self.timeout, what, self.stream.next()).await
    }

    /// Checks that these notifications are announced next, in this order and not opened, and that
    /// nothing else has been announced yet.
    pub(crate) async fn expect(&mut self, ids: &[&NotificationId]) -> CheckResult {
        for (index, id) in ids.iter().enumerate() {
            match self.next(&format!("{id:?} was announced")).await? {
                Some(Announcement::Notification(row)) if row.id == **id => {
                    ensure!(!row.opened, "{id:?} was announced though it was opened");
                }
                other => {
                    return Err(Failure(format!(
                        "{} was announced instead of {id:?}, number {} of {}",
                        describe(other.as_ref()),
                        index + 1,
                        ids.len()
                    )));
                }
            }
        }
        self.expect_none("after the expected announcements")
    }

    /// Checks that every announcement so far has been read.
    pub(crate) fn expect_none(&mut self, when: &str) -> CheckResult {
        match self.stream.next().now_or_never() {
            None => Ok(()),
            Some(more) => Err(Failure(format!("{when}, {} was announced", describe(more.as_ref())))),
        }
    }
}

/// Describes an announcement briefly.
pub(crate) fn describe(announcement: Option<&Announcement>) -> String {
    match announcement {
        None => "the end of the stream".to_owned(),
        Some(Announcement::Notification(row)) => format!("{:?}", row.id),
        Some(other) => format!("{other:?}"),
    }
}
