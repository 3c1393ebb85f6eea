use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use black_box_support::Webhooks;
use futures_util::{StreamExt, TryStreamExt, stream};
use pusher_client::HttpApi;
use tokio::time::{Instant, sleep};

use crate::Failure;
use crate::webhooks::Reported;
use crate::world::{Place, World, feed_name, own_name, user};

/// How long webhooks and members' lists may take to become right: the grace period of departures is
/// three seconds.
const PATIENCE: Duration = Duration::from_secs(60);
/// Requests at the same time.
const REQUESTS: usize = 16;

/// What the clients together know to be true.
#[derive(Default)]
struct Expected {
    channels: BTreeSet<String>,
    rooms: BTreeMap<String, BTreeSet<String>>,
}

impl Expected {
    fn by(world: &World, has_recorder: bool) -> Self {
        let mut this = Self::default();
        for (number, client) in world.clients() {
            if client.feed == Place::In {
                this.channels.insert(feed_name(world.feed(number)));
            }
            if client.own == Place::In {
                this.channels.insert(own_name(number));
            }
            if client.room == Place::In {
                this.rooms.entry(world.room(number)).or_default().insert(user(number));
            }
        }
        this.channels.extend(this.rooms.keys().cloned());
        if has_recorder {
            this.channels.extend((0..world.feeds).map(feed_name));
        }
        this
    }

    fn members(&self) -> BTreeSet<(String, String)> {
        let rooms = self.rooms.iter();
        rooms.flat_map(|(room, users)| users.iter().map(|user| (room.clone(), user.clone()))).collect()
    }
}

/// Compares the clients with each other, with the HTTP API and with the webhooks, until they agree
/// or too much time has passed.
pub(crate) async fn compare(world: &World, webhooks: &Webhooks, has_recorder: bool) -> Result<(), Failure> {
    let (api, expected) = (world.api()?, Expected::by(world, has_recorder));
    let started = Instant::now();
    loop {
        let wrong = differences(world, webhooks, &expected, &api).await?;
        if wrong.is_empty() {
            return Ok(());
        }
        if started.elapsed() > PATIENCE {
            wrong.iter().for_each(|what| world.find(what));
            return Ok(());
        }
        sleep(Duration::from_millis(500)).await;
    }
}

async fn differences(
    world: &World,
    webhooks: &Webhooks,
    expected: &Expected,
    api: &HttpApi,
) -> Result<Vec<String>, Failure> {
    let mut wrong = Vec::new();
    let reported = Reported::by(webhooks);
    let listed = api.channels(None, &[]).await?.into_keys().collect();
    compare_sets(&mut wrong, "channels of the HTTP API", &listed, &expected.channels);
    compare_sets(&mut wrong, "channels that webhooks report", &reported.channels, &expected.channels);
    compare_sets(&mut wrong, "members that webhooks report", &reported.members, &expected.members());
    if reported.repeated > 0 {
        wrong.push(format!("{} webhooks repeat what was reported before", reported.repeated));
    }
    let asked = expected.rooms.iter().map(async |(room, users)| {
        let listed: BTreeSet<String> = api.users(room.as_str()).await?.into_iter().collect();
        Ok::<_, Failure>((listed != *users).then(|| format!("the HTTP API's users of {room}")))
    });
    let answers: Vec<Option<String>> = stream::iter(asked).buffer_unordered(REQUESTS).try_collect().await?;
    wrong.extend(answers.into_iter().flatten());
    for (number, client) in world.clients() {
        let room = world.room(number);
        if client.room == Place::In && expected.rooms.get(&room) != Some(&client.members) {
            wrong.push(format!("the members of {room} that client {number} knows"));
        }
    }
    Ok(wrong)
}

/// Adds a line if two sets differ.
fn compare_sets<T: Ord>(wrong: &mut Vec<String>, what: &str, found: &BTreeSet<T>, expected: &BTreeSet<T>) {
    let (missing, extra) = (expected.difference(found).count(), found.difference(expected).count());
    if missing + extra > 0 {
        wrong.push(format!("{what}: {missing} missing, {extra} too many, {} expected", expected.len()));
    }
}
