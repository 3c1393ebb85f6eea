mod lines;
mod text;

use std::time::Duration;

use clap::Args;
use internal_notifications_pusher::contract::{
    InternalNotificationsService, InternalNotificationsServiceExt, Snapshot, Status,
};
use internal_notifications_pusher::models::UserId;
use internal_notifications_pusher::{PusherService, Update, Updates};

use crate::env::Env;
use crate::error::Error;
use crate::output::{Output, complain};
use crate::stop::Stop;
use crate::{inbox, logs};
use lines::Lines;

/// Print the newest of a user's inbox, then every change of it, until Ctrl-C
///
/// A real client: it goes on through restarts of the server, cut connections and refusals that pass, and misses nothing. It gives up only
/// where the server refuses it at the start. The server is INTERNAL_NOTIFICATIONS_URL, the user's token INTERNAL_NOTIFICATIONS_TOKEN.
#[derive(Args)]
pub(crate) struct Tail {
    /// The user
    #[arg(long, value_name = "USER")]
    user: UserId,
    /// Print one JSON object a line
    #[arg(long)]
    json: bool,
    /// How many of the newest notifications to print at the start, at most 5000
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(0..=5000))]
    limit: u16,
    /// Exit with 0 after that many new notifications
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Exit with 1 after that many seconds
    #[arg(long, value_name = "S", value_parser = parse_seconds)]
    timeout: Option<Duration>,
}

impl Tail {
    pub(crate) async fn run(self, env: Env) -> Result<(), Error> {
        logs::start(&env, "off")?;
        let builder = inbox::of_user(&env, &self.user)?;
        let limit = usize::from(self.limit);
        let service = builder.window(limit).build().map_err(|error| inbox::told(&error))?;
        if service.is_live_only() {
            complain(
                "no INTERNAL_NOTIFICATIONS_URL: live-only, what comes while there is no connection is lost",
            );
        }
        let mut stop = Stop::listen()?;
        let lines = Lines::new(Output::stdout(), self.json, limit, self.count);
        // A task of its own, so that a reader that reads no more cannot keep it from ending.
        let following = tokio::spawn(follow(service.clone(), lines, limit));
        let ended = tokio::select! {
            ended = following => ended.unwrap_or_else(|error| Err(Error::failed(error))),
            () = stop.asked() => Ok(()),
            seconds = over(self.timeout) => Err(Error::failed(format!("{seconds} s are over"))),
        };
        service.dispose().await;
        ended
    }
}

/// Prints until the count is reached, or nothing can come any more.
async fn follow(service: PusherService, mut lines: Lines, limit: usize) -> Result<(), Error> {
    start(&service, &mut lines).await?;
    let mut updates = service.updates();
    let mut held = until_filled(&service, &mut updates, limit).await.into_iter();
    loop {
        let next = match held.next() {
            Some(update) => Some(update),
            None => updates.next().await,
        };
        let Some(update) = next else { return Ok(()) };
        match update {
            Update::Snapshot { snapshot, reset } => {
                lines.snapshot(&snapshot, reset)?;
                lines.status(&snapshot.status)?;
            }
            Update::Change(change) => {
                let was_last = lines.change(&change)?;
                if was_last {
                    return Ok(());
                }
            }
            // The service goes on trying whatever it is, also after a failure.
            Update::Status(status) => lines.status(&status)?,
            _ => {}
        }
    }
}

/// More than one page comes page by page: what else happens meanwhile comes behind a snapshot that has them all.
async fn until_filled(service: &PusherService, updates: &mut Updates, limit: usize) -> Vec<Update> {
    let is_failed = |status: &Status| matches!(status, Status::Failed(_));
    let mut filled =
        service.wait_for(|now| !now.has_older || now.notifications.len() >= limit || is_failed(&now.status));
    let mut held: Vec<Update> = Vec::from_iter(updates.next().await);
    let now = loop {
        tokio::select! {
            now = &mut filled => break now,
            update = updates.next() => match update {
                Some(Update::Snapshot { snapshot, reset }) => held = vec![Update::Snapshot { snapshot, reset }],
                Some(update) => held.push(update),
                None => break None,
            },
        }
    };
    if let (Some(Update::Snapshot { snapshot, .. }), Some(now)) = (held.first_mut(), now) {
        add_older(snapshot, &now);
    }
    held
}

/// Adds what was loaded behind the oldest of this snapshot by now.
fn add_older(snapshot: &mut Snapshot, now: &Snapshot) {
    let first = &snapshot.notifications;
    if let Some(oldest) = first.last().map(|row| row.added) {
        let older = now.notifications.iter().filter(|row| row.added < oldest);
        snapshot.notifications = first.iter().chain(older).cloned().collect();
    }
}

/// Connects for the first time, and tries again while the server cannot be reached.
async fn start(service: &PusherService, lines: &mut Lines) -> Result<(), Error> {
    let mut delay = Duration::from_millis(100);
    loop {
        match service.init().await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_retryable() => lines.status(&Status::Offline)?,
            Err(error) => return Err(inbox::told(&error)),
        }
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(Duration::from_secs(5));
    }
}

async fn over(timeout: Option<Duration>) -> f64 {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => std::future::pending().await,
    }
    timeout.unwrap_or_default().as_secs_f64()
}

fn parse_seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|seconds| !seconds.is_zero()).ok_or("it may be a number of seconds, like 30 or 0.5")
}

#[cfg(test)]
mod tests {
    use internal_notifications_pusher::models::{
        InboxNotification, InternalNotification, NotificationId, Timestamp,
    };

    use super::*;

    fn of(seqs: &[u64]) -> Snapshot {
        let row = |seq: &u64| {
            let (id, body) =
                (NotificationId::new(format!("n{seq}")).unwrap(), InternalNotification::new("c"));
            InboxNotification::new(id, body, "key:shop", Timestamp::UNIX_EPOCH, *seq).into()
        };
        let mut snapshot = Snapshot::default();
        snapshot.notifications = seqs.iter().map(row).collect();
        snapshot
    }

    #[test]
    fn what_comes_while_older_pages_load_stays_behind_the_snapshot() {
        let mut snapshot = of(&[4, 3]);
        add_older(&mut snapshot, &of(&[5, 4, 3, 2, 1]));
        assert_eq!(snapshot, of(&[4, 3, 2, 1]));
    }

    #[test]
    fn an_inbox_that_was_empty_has_nothing_older() {
        let mut snapshot = of(&[]);
        add_older(&mut snapshot, &of(&[1]));
        assert_eq!(snapshot, of(&[]));
    }
}
