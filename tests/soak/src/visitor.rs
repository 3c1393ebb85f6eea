use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use rand::RngExt;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use crate::Failure;
use crate::connection::{Connection, text};
use crate::world::{Client, Place, World, feed_name, own_name, user};

/// What all clients do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// They come and go. A tenth of them dies at once whenever the number changes.
    Live(usize),
    /// They stay as they are.
    Settle,
    /// They leave, or die.
    Leave,
}

/// The events that one connection received from its feed, in order.
pub(crate) struct Stay {
    pub(crate) feed: usize,
    pub(crate) events: Vec<u64>,
    /// Whether it stayed until nothing was published any more.
    pub(crate) is_last: bool,
}

/// A client that connects again and again.
pub(crate) struct Visitor {
    pub(crate) world: Arc<World>,
    pub(crate) number: usize,
    pub(crate) phase: watch::Receiver<Phase>,
    /// The longest that a connection lasts.
    pub(crate) longest: Duration,
}

impl Visitor {
    /// Runs until all leave.
    pub(crate) async fn run(mut self) -> Vec<Stay> {
        let mut stays = Vec::new();
        self.update(|client| *client = Client::default());
        loop {
            let phase = *self.phase.borrow_and_update();
            match phase {
                Phase::Leave => return stays,
                Phase::Settle => {
                    self.update(|client| client.is_settled = true);
                    let _ = self.phase.changed().await;
                }
                Phase::Live(_) => {
                    let pause = self.random(self.longest / 10);
                    tokio::select! {
                        () = sleep(pause) => {}
                        _ = self.phase.changed() => continue,
                    }
                    match Connection::open(&self.world).await {
                        Ok(connection) => stays.push(self.stay(connection).await),
                        Err(error) => self.world.find(&format!("a client cannot connect: {error}")),
                    }
                    self.update(|client| *client = Client::default());
                }
            }
        }
    }

    async fn stay(&mut self, mut connection: Connection) -> Stay {
        let feed = self.world.feed(self.number);
        let mut stay = Stay { feed, events: Vec::new(), is_last: false };
        match self.live(&mut connection, &mut stay).await {
            Ok(()) if self.number.is_multiple_of(2) => connection.close().await,
            Ok(()) => {}
            Err(error) => self.world.find(&format!("client {}: {error}", self.number)),
        }
        stay
    }

    /// Lives through one connection until its end.
    async fn live(&mut self, connection: &mut Connection, stay: &mut Stay) -> Result<(), Failure> {
        let end = Instant::now() + self.random(self.longest);
        let mut next = Instant::now() + self.random(self.longest / 4);
        let mut is_settling = false;
        connection.subscribe(&self.world, &feed_name(stay.feed), None).await?;
        self.change(connection).await?;
        loop {
            tokio::select! {
                event = connection.next() => self.handle(&event?, stay),
                () = sleep_until(next), if !is_settling => {
                    if next >= end {
                        return Ok(());
                    }
                    self.change(connection).await?;
                    next = Instant::now() + self.random(self.longest / 4);
                }
                _ = self.phase.changed() => {
                    let phase = *self.phase.borrow_and_update();
                    match phase {
                        Phase::Live(dying) if self.number % 10 == dying % 10 => return Ok(()),
                        Phase::Live(_) => {}
                        Phase::Settle => {
                            is_settling = true;
                            connection.ping().await?;
                        }
                        Phase::Leave => return Ok(()),
                    }
                }
            }
        }
    }

    /// Joins or leaves its room or its own channel.
    async fn change(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        let (room, own) = (self.world.room(self.number), own_name(self.number));
        let (in_room, in_own) = self.update(|client| (client.room, client.own)).unwrap_or_default();
        if in_room == Place::Out || rand::rng().random_bool(0.5) {
            match in_room {
                Place::Out => {
                    let member = json!({"user_id": user(self.number), "user_info": {"name": "Ada"}});
                    connection.subscribe(&self.world, &room, Some(&member.to_string())).await?;
                    self.update(|client| client.room = Place::Asked);
                }
                Place::In => {
                    connection.unsubscribe(&room).await?;
                    self.update(|client| client.room = Place::Out);
                }
                Place::Asked => {}
            }
        }
        match in_own {
            Place::Out => {
                connection.subscribe(&self.world, &own, None).await?;
                self.update(|client| client.own = Place::Asked);
            }
            Place::In => {
                connection.unsubscribe(&own).await?;
                self.update(|client| client.own = Place::Out);
            }
            Place::Asked => {}
        }
        Ok(())
    }

    fn handle(&self, event: &Value, stay: &mut Stay) {
        let channel = text(event, "channel");
        match text(event, "event") {
            // It comes after the answers to all requests before the ping.
            "pusher:pong" => {
                stay.is_last = true;
                let is_answered = self.update(|client| {
                    client.is_settled = true;
                    client.feed == Place::In && ![client.room, client.own].contains(&Place::Asked)
                });
                if is_answered != Some(true) {
                    self.world.find(&format!("client {}: a subscription is not confirmed", self.number));
                }
            }
            "pusher:error" => self.world.find(&format!("client {}: {event}", self.number)),
            "pusher_internal:subscription_succeeded" if channel == feed_name(stay.feed) => {
                self.update(|client| client.feed = Place::In);
            }
            "pusher_internal:subscription_succeeded" if channel == own_name(self.number) => {
                self.update(|client| client.own = Place::In);
            }
            "pusher_internal:subscription_succeeded" => {
                let members = members(event);
                self.update(|client| (client.room, client.members) = (Place::In, members));
            }
            "pusher_internal:member_added" => {
                let member = member(event);
                self.update(|client| client.members.insert(member));
            }
            "pusher_internal:member_removed" => {
                let member = member(event);
                self.update(|client| client.members.remove(&member));
            }
            "news" => stay.events.extend(text(event, "data").parse::<u64>()),
            _ => {}
        }
    }

    fn update<T>(&self, change: impl FnOnce(&mut Client) -> T) -> Option<T> {
        self.world.update(self.number, change)
    }

    fn random(&self, longest: Duration) -> Duration {
        longest.mul_f64(rand::rng().random_range(0.1..1.0))
    }
}

fn data(event: &Value) -> Value {
    serde_json::from_str(text(event, "data")).unwrap_or_default()
}

/// Returns the ids in a presence channel's confirmation.
fn members(event: &Value) -> BTreeSet<String> {
    let data = data(event);
    let ids = data.pointer("/presence/ids").and_then(Value::as_array);
    ids.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn member(event: &Value) -> String {
    text(&data(event), "user_id").to_owned()
}
