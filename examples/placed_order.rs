//! An app that stores an order and its notification in one transaction: a crash leaves both or
//! neither.
//!
//! Run `cargo run -p examples --bin placed_order -- inbox.db 1815 ada` beside a server that has
//! this database, or whose `INTERNAL_NOTIFICATIONS_OUTBOX_URLS` lists it. `CRASH=before` or
//! `CRASH=after` aborts the process before or after the commit, as a power failure would.
#![allow(clippy::print_stdout, reason = "a command prints its result")]

use std::env;
use std::error::Error;

use internal_notifications_outbox::{InternalNotification, Outbox};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection};

const ORDERS: &str = "CREATE TABLE IF NOT EXISTS orders (number TEXT PRIMARY KEY, customer TEXT NOT NULL)";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let file = args.next().ok_or("usage: placed_order DATABASE ORDER USER")?;
    let (number, user) = args.next().zip(args.next()).ok_or("usage: placed_order DATABASE ORDER USER")?;
    let mut database = SqliteConnectOptions::new().filename(file).create_if_missing(true).connect().await?;
    // An app's migrations would do this.
    sqlx::raw_sql(ORDERS).execute(&mut database).await?;
    Outbox::create_table(&mut database).await?;

    // IMMEDIATE takes the write lock now rather than in the middle of the transaction.
    let mut transaction = database.begin_with("BEGIN IMMEDIATE").await?;
    let order = sqlx::query("INSERT INTO orders (number, customer) VALUES (?, ?)").bind(&number).bind(&user);
    order.execute(&mut *transaction).await?;
    let notification = InternalNotification::new("Thank you!").with_heading(format!("Order {number}"));
    Outbox::new("orders")?.push(&mut *transaction, &[user.parse()?], &notification).await?;
    crash_if_asked("before");
    transaction.commit().await?;
    crash_if_asked("after");
    println!("order {number} is placed");
    Ok(())
}

fn crash_if_asked(when: &str) {
    if env::var("CRASH").is_ok_and(|crash| crash == when) {
        std::process::abort();
    }
}
