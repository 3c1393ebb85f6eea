use std::time::Instant;

use internal_notifications_pusher::contract::Snapshot;
use internal_notifications_pusher::models::{NotificationId, UserId};
use internal_notifications_server::Server;

use super::device::Device;
use super::transcript::Transcript;
use crate::error::Error;

/// Runs the demo, and checks each step.
pub(super) async fn run(server: &Server, transcript: &mut Transcript<'_>) -> Result<(), Error> {
    let (ada, bob) = (user("ada")?, user("bob")?);
    transcript.step("Start a server with its own database and Channels broker")?;
    transcript.result(&format!("it listens on {}", server.url()))?;

    transcript.step("Connect ada's laptop and bob's phone, each to its user's own private channel")?;
    let mut laptop = Device::connect(server, "ada's laptop", &ada).await?;
    let mut bobs = Device::connect(server, "bob's phone", &bob).await?;
    transcript.result("both are live")?;

    transcript.step("Deliver live: bob pushes to ada, and ada pushes to bob")?;
    let sent = Instant::now();
    let lunch = bobs.push(&ada, "Lunch", "At noon?").await?;
    laptop.until("shows bob's notification", |now| now.pending == 1).await?;
    let took = ms(sent);
    laptop.announces(std::slice::from_ref(&lunch)).await?;
    transcript
        .result(&format!("ada's laptop shows \"Lunch: At noon?\" {took} after bob sent it, 1 pending"))?;
    let sent = Instant::now();
    let reply = laptop.push(&bob, "Lunch", "At noon, yes").await?;
    bobs.until("shows ada's notification", |now| now.pending == 1).await?;
    let took = ms(sent);
    bobs.announces(&[reply]).await?;
    transcript.result(&format!("bob's phone shows \"Lunch: At noon, yes\" {took} after ada sent it"))?;

    transcript.step("Take ada's laptop offline, and push three more from bob")?;
    laptop.go_offline().await?;
    let mut missed = Vec::new();
    for content in ["I am on my way", "I have a table", "Where are you?"] {
        missed.push(bobs.push(&ada, "Lunch", content).await?);
    }
    if laptop.now().notifications.len() != 1 {
        return Err(laptop.failure("is offline"));
    }
    transcript.result("they are stored; the laptop still shows 1")?;

    transcript.step("Bring ada's laptop back to catch up")?;
    let back = Instant::now();
    laptop.come_back().await?;
    laptop.until("shows what it missed", |now| now.pending == 4).await?;
    let took = ms(back);
    let all: Vec<_> = [lunch.clone()].into_iter().chain(missed.iter().cloned()).collect();
    if !shows(&laptop.now(), &all) {
        return Err(laptop.failure("shows all four, in order, once"));
    }
    laptop.announces(&missed).await?;
    transcript.result(&format!("it shows all four, in order, none twice, after {took}; 4 pending"))?;

    transcript.step("Connect ada's phone: what is opened on one device is opened on the other")?;
    let phone = Device::connect(server, "ada's phone", &ada).await?;
    if !shows(&phone.now(), &all) || phone.now().pending != 4 {
        return Err(phone.failure("shows the same inbox"));
    }
    let pressed = Instant::now();
    phone.open(&lunch).await?;
    let is_opened = |now: &Snapshot| now.notifications.iter().any(|row| row.id == lunch && row.opened);
    laptop.until("shows it as opened", |now| now.pending == 3 && is_opened(now)).await?;
    transcript.result(&format!(
        "opened on the phone, it shows as opened on the laptop {} later, 3 pending",
        ms(pressed)
    ))?;
    let pressed = Instant::now();
    laptop.open_all().await?;
    phone.until("shows all as opened", |now| now.pending == 0).await?;
    transcript
        .result(&format!("all opened on the laptop, the phone shows 0 pending {} later", ms(pressed)))?;

    let (one, other) = (laptop.now(), phone.now());
    if (&one.notifications, one.position) != (&other.notifications, other.position) {
        return Err(phone.failure("ends with the same inbox as the laptop"));
    }
    laptop.announces(&[]).await?;
    transcript.step("Done: nothing missing, nothing twice, the same inbox on both devices")
}

/// Returns whether the inbox holds exactly these, the last one first.
fn shows(now: &Snapshot, ids: &[NotificationId]) -> bool {
    now.notifications.iter().map(|row| &row.id).eq(ids.iter().rev())
}

fn user(id: &str) -> Result<UserId, Error> {
    UserId::new(id).map_err(Error::failed)
}

fn ms(since: Instant) -> String {
    format!("{} ms", since.elapsed().as_millis())
}
