//! An inbox in a terminal: shows what comes, as it comes, and opens what is pending at a press of Enter.
//!
//! `INTERNAL_NOTIFICATIONS_URL` and `INTERNAL_NOTIFICATIONS_TOKEN` say whose: see the README's "And a server to try it with", then
//! `cargo run -p examples`.
#![allow(clippy::print_stdout, reason = "it is a terminal app")]

use std::error::Error;

use futures_util::StreamExt;
use internal_notifications::{Announcement, InternalNotifications, InternalNotificationsService};
use tokio::io::{AsyncBufReadExt, BufReader};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let inbox = InternalNotifications::from_env()?;
    let mut snapshots = inbox.snapshots();
    let mut announcements = inbox.announcements();
    inbox.init().await?;

    let mut pending = None;
    let mut keys = BufReader::new(tokio::io::stdin()).lines();
    loop {
        tokio::select! {
            // The whole state, whenever it changes: what a list and a badge are drawn from.
            Some(now) = snapshots.next() => {
                if pending.replace(now.pending) != Some(now.pending) {
                    println!("{} pending; Enter opens all, Ctrl-D ends", now.pending);
                }
            }
            // What is new, once: what a toast is made of.
            Some(announcement) = announcements.next() => match announcement {
                Announcement::Notification(new) => {
                    println!("* {} {}", new.heading.as_deref().unwrap_or_default(), new.content);
                }
                Announcement::WriteRefused(refused) => println!("* not done: {}", refused.error),
                // What was skipped may be more; so may kinds that are yet to come.
                _ => println!("* and more"),
            },
            line = keys.next_line() => match line? {
                Some(_) => {
                    if let Err(error) = inbox.mark_all_opened().await {
                        println!("not opened: {error}");
                    }
                }
                None => break,
            },
        }
    }
    inbox.dispose().await;
    Ok(())
}
