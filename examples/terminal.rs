//! An inbox in a terminal. It prints new notifications, and Enter marks all as opened.
//!
//! `INTERNAL_NOTIFICATIONS_URL` and `INTERNAL_NOTIFICATIONS_TOKEN` are the server and the user's
//! token; the project's README shows how to start a server. Then run `cargo run -p examples`.
#![allow(clippy::print_stdout, reason = "this is a terminal app")]

use std::error::Error;

use internal_notifications::{Announcement, InternalNotifications, StreamExt};
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
            // The whole state after each change: an app draws its list and badge from it.
            Some(now) = snapshots.next() => {
                if pending.replace(now.pending) != Some(now.pending) {
                    println!("{} pending; Enter opens all, Ctrl-D ends", now.pending);
                }
            }
            // Each new notification once: an app shows a toast for it.
            Some(announcement) = announcements.next() => match announcement {
                Announcement::Notification(new) => {
                    println!("* {} {}", new.heading.as_deref().unwrap_or_default(), new.content);
                }
                Announcement::WriteRefused(refused) => println!("* not done: {}", refused.error),
                // Some were skipped, or a later version has more kinds of announcements.
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
