mod json;
mod printer;
mod status_name;
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
use crate::output::{Output, print_to_stderr};
use crate::server_options::ServerOptions;
use crate::signals::Signals;
use crate::{client, logging};
use printer::Printer;

/// Print the newest notifications of a user's inbox, then every change, until Ctrl-C
///
/// It continues through server restarts, lost connections and temporary rejections, and misses
/// nothing. It fails only if the server rejects it at the start. INTERNAL_NOTIFICATIONS_URL is the
/// server, INTERNAL_NOTIFICATIONS_TOKEN the user's token.
#[derive(Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    server: ServerOptions,
    /// The user
    #[arg(long, value_name = "USER")]
    user: UserId,
    /// Print JSON, one object a line
    #[arg(long)]
    json: bool,
    /// How many of the newest notifications to print first, at most 5000
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u16).range(0..=5000))]
    limit: u16,
    /// Exit with 0 after this many new notifications
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Exit with 1 after this many seconds
    #[arg(long, value_name = "S", value_parser = parse_seconds)]
    timeout: Option<Duration>,
}

impl Tail {
    pub(crate) async fn run(self, env: &Env) -> Result<(), Error> {
        let env = &self.server.env(env)?;
        logging::start(env, "off")?;
        let limit = usize::from(self.limit);
        let service = client::inbox_of(env, &self.user)?.window(limit).build();
        let service = service.map_err(|error| client::command_error(&error))?;
        if service.is_live_only() {
            print_to_stderr(
                "INTERNAL_NOTIFICATIONS_URL is not set: live-only, so notifications sent while disconnected are lost",
            );
        }
        let mut signals = Signals::listen()?;
        let printer = Printer::new(Output::stdout(), self.json, limit, self.count);
        // In a separate task, since a write to a full pipe blocks and must not prevent the exit.
        let following = tokio::spawn(follow(service.clone(), printer, limit));
        let result = tokio::select! {
            followed = following => followed.unwrap_or_else(|error| Err(Error::failed(error))),
            () = signals.next() => Ok(()),
            seconds = elapsed(self.timeout) => Err(Error::failed(format!("timed out after {seconds} s"))),
        };
        service.dispose().await;
        result
    }
}

/// Prints until the count is reached or the service ends.
async fn follow(service: PusherService, mut printer: Printer, limit: usize) -> Result<(), Error> {
    start(&service, &mut printer).await?;
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
                printer.snapshot(&snapshot, reset)?;
                printer.status(&snapshot.status)?;
            }
            Update::Change(change) => {
                let was_last = printer.change(&change)?;
                if was_last {
                    return Ok(());
                }
            }
            // The service keeps trying in every status, even after a failure.
            Update::Status(status) => printer.status(&status)?,
            _ => {}
        }
    }
}

/// Waits until the list holds `limit` notifications, which may take several pages. Returns the
/// updates until then: a snapshot with the whole list, and what happened since.
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

/// Appends the notifications of `now` that are older than the oldest of the snapshot.
fn add_older(snapshot: &mut Snapshot, now: &Snapshot) {
    let first = &snapshot.notifications;
    if let Some(oldest) = first.last().map(|row| row.added) {
        let older = now.notifications.iter().filter(|row| row.added < oldest);
        snapshot.notifications = first.iter().chain(older).cloned().collect();
    }
}

/// Initializes the service, and retries while the server cannot be reached.
async fn start(service: &PusherService, printer: &mut Printer) -> Result<(), Error> {
    let mut delay = Duration::from_millis(100);
    loop {
        match service.init().await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_retryable() => printer.status(&Status::Offline(error))?,
            Err(error) => return Err(client::command_error(&error)),
        }
        tokio::time::sleep(delay).await;
        delay = (delay * 2).min(Duration::from_secs(5));
    }
}

/// Returns the seconds of the timeout when it has elapsed.
async fn elapsed(timeout: Option<Duration>) -> f64 {
    match timeout {
        Some(timeout) => tokio::time::sleep(timeout).await,
        None => std::future::pending().await,
    }
    timeout.unwrap_or_default().as_secs_f64()
}

fn parse_seconds(text: &str) -> Result<Duration, &'static str> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.filter(|seconds| !seconds.is_zero()).ok_or("it must be a number of seconds, like 30 or 0.5")
}

#[cfg(test)]
mod tests {
    use internal_notifications_pusher::models::{
        InboxNotification, InternalNotification, NotificationId, Timestamp,
    };

    use super::*;

    fn snapshot_of(seqs: &[u64]) -> Snapshot {
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
    fn notifications_added_while_older_pages_load_are_not_in_the_snapshot() {
        let mut snapshot = snapshot_of(&[4, 3]);
        add_older(&mut snapshot, &snapshot_of(&[5, 4, 3, 2, 1]));
        assert_eq!(snapshot, snapshot_of(&[4, 3, 2, 1]));
    }

    #[test]
    fn an_empty_snapshot_gets_nothing_older() {
        let mut snapshot = snapshot_of(&[]);
        add_older(&mut snapshot, &snapshot_of(&[1]));
        assert_eq!(snapshot, snapshot_of(&[]));
    }
}
