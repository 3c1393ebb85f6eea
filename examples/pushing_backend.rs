//! A backend that pushes: it tells users that their order is on its way. It needs the facade's feature `client` alone.
//!
//! `INTERNAL_NOTIFICATIONS_URL` and `INTERNAL_NOTIFICATIONS_API_KEY` say where, then
//! `cargo run -p examples --bin pushing_backend -- 1815 ada`.
#![allow(clippy::print_stdout, reason = "it is a command")]

use std::env;
use std::error::Error;

use internal_notifications::{InboxClient, InternalNotification, UserId};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let order = args.next().ok_or("usage: pushing_backend ORDER USER…")?;
    let users = args.map(|user| user.parse()).collect::<Result<Vec<UserId>, _>>()?;

    let key = env::var("INTERNAL_NOTIFICATIONS_API_KEY")?;
    let inbox = InboxClient::new(&env::var("INTERNAL_NOTIFICATIONS_URL")?, key)?;
    // An id of the backend's own, made of what has happened: told twice, by a job that was run again, say, it is stored once.
    let notification = InternalNotification::new("is on its way")
        .with_heading(format!("Order {order}"))
        .with_id(format!("order-{order}-shipped").parse()?);
    let receipt = inbox.push(&users, notification).await?;
    println!("stored for {}, known to {}", receipt.accepted, receipt.duplicates);
    Ok(())
}
