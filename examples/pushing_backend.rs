//! A backend that notifies users that their order was shipped.
//!
//! It needs only the feature `client` of `internal-notifications`. Set
//! `INTERNAL_NOTIFICATIONS_URL` and `INTERNAL_NOTIFICATIONS_API_KEY`, then run
//! `cargo run -p examples --bin pushing_backend -- 1815 ada`.
#![allow(clippy::print_stdout, reason = "a command prints its result")]

use std::env;
use std::error::Error;

use internal_notifications::{InboxClient, InternalNotification, UserId};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let order = args.next().ok_or("usage: pushing_backend ORDER USER…")?;
    let users = args.map(|user| user.parse()).collect::<Result<Vec<UserId>, _>>()?;

    let key = env::var("INTERNAL_NOTIFICATIONS_API_KEY")?;
    let client = InboxClient::new(&env::var("INTERNAL_NOTIFICATIONS_URL")?, key)?;
    // The id is derived from the event, so a repeated job stores the notification only once.
    let notification = InternalNotification::new("is on its way")
        .with_heading(format!("Order {order}"))
        .with_id(format!("order-{order}-shipped").parse()?);
    let receipt = client.push(&users, notification).await?;
    println!("{} accepted, {} duplicates", receipt.accepted, receipt.duplicates);
    Ok(())
}
