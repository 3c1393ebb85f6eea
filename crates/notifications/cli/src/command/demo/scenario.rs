use std::time::Instant;

use internal_notifications_pusher::contract::Snapshot;
use internal_notifications_pusher::models::{NotificationId, UserId};
use internal_notifications_server::Server;

use super::device::Device;
use super::story::Story;
use crate::error::Error;

/// The main job, each step checked.
pub(super) async fn play(server: &Server, story: &mut Story<'_>) -> Result<(), Error> {
    let (ada, bob) = (user("ada")?, user("bob")?);
    story.step("a server with a database and a Channels broker of its own")?;
    story.saw(&format!("listens on {}", server.url()))?;

    story.step("ada's laptop and bob's phone connect, each to its user's own private channel")?;
    let mut laptop = Device::connect(server, "ada's laptop", &ada).await?;
    let mut bobs = Device::connect(server, "bob's phone", &bob).await?;
    story.saw("both are live")?;

    story.step("bob pushes to ada, ada pushes to bob: live delivery")?;
    let sent = Instant::now();
    let lunch = bobs.push(&ada, "Lunch", "At noon?").await?;
    laptop.until("shows bob's notification", |now| now.pending == 1).await?;
    let took = ms(sent);
    laptop.announces(std::slice::from_ref(&lunch)).await?;
    story.saw(&format!("ada's laptop shows \"Lunch: At noon?\" {took} after bob sent it, 1 pending"))?;
    let sent = Instant::now();
    let reply = laptop.push(&bob, "Lunch", "At noon, yes").await?;
    bobs.until("shows ada's notification", |now| now.pending == 1).await?;
    let took = ms(sent);
    bobs.announces(&[reply]).await?;
    story.saw(&format!("bob's phone shows \"Lunch: At noon, yes\" {took} after ada sent it"))?;

    story.step("ada's laptop goes offline, and bob pushes three more")?;
    laptop.go_offline().await?;
    let mut missed = Vec::new();
    for content in ["I am on my way", "I have a table", "Where are you?"] {
        missed.push(bobs.push(&ada, "Lunch", content).await?);
    }
    if laptop.now().notifications.len() != 1 {
        return Err(laptop.missing("is offline"));
    }
    story.saw("they are stored; the laptop still shows 1")?;

    story.step("ada's laptop comes back and catches up")?;
    let back = Instant::now();
    laptop.come_back().await?;
    laptop.until("shows what it missed", |now| now.pending == 4).await?;
    let took = ms(back);
    let all: Vec<_> = [lunch.clone()].into_iter().chain(missed.iter().cloned()).collect();
    if !shows(&laptop.now(), &all) {
        return Err(laptop.missing("shows all four, in order, once"));
    }
    laptop.announces(&missed).await?;
    story.saw(&format!("all four are there, in order, none twice, after {took}; 4 pending"))?;

    story.step("ada's phone connects; what is opened on one device is opened on the other")?;
    let phone = Device::connect(server, "ada's phone", &ada).await?;
    if !shows(&phone.now(), &all) || phone.now().pending != 4 {
        return Err(phone.missing("shows the same inbox"));
    }
    let pressed = Instant::now();
    phone.open(&lunch).await?;
    let is_opened = |now: &Snapshot| now.notifications.iter().any(|row| row.id == lunch && row.opened);
    laptop.until("sees it opened", |now| now.pending == 3 && is_opened(now)).await?;
    story
        .saw(&format!("opened on the phone, the laptop shows it opened {} later, 3 pending", ms(pressed)))?;
    let pressed = Instant::now();
    laptop.open_all().await?;
    phone.until("sees all opened", |now| now.pending == 0).await?;
    story.saw(&format!("all opened on the laptop, the phone shows 0 pending {} later", ms(pressed)))?;

    let (one, other) = (laptop.now(), phone.now());
    if (&one.notifications, one.position) != (&other.notifications, other.position) {
        return Err(phone.missing("ends with the same inbox as the laptop"));
    }
    laptop.announces(&[]).await?;
    story.step("done: nothing missing, nothing twice, both devices alike")
}

/// Whether the inbox holds just these, the last one first.
fn shows(now: &Snapshot, ids: &[NotificationId]) -> bool {
    now.notifications.iter().map(|row| &row.id).eq(ids.iter().rev())
}

fn user(id: &str) -> Result<UserId, Error> {
    UserId::new(id).map_err(Error::failed)
}

fn ms(since: Instant) -> String {
    format!("{} ms", since.elapsed().as_millis())
}
