use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::oneshot;

use crate::Failure;
use crate::connection::{Connection, text};
use crate::world::{World, feed_name};

/// A client that is subscribed to all feeds and stays.
pub(crate) struct Recorder {
    world: Arc<World>,
    connection: Connection,
}

impl Recorder {
    pub(crate) async fn start(world: Arc<World>) -> Result<Self, Failure> {
        let mut connection = Connection::open(&world).await?;
        for feed in 0..world.feeds {
            connection.subscribe(&world, &feed_name(feed), None).await?;
        }
        let mut missing = world.feeds;
        while missing > 0 {
            let event = connection.next().await?;
            if text(&event, "event") == "pusher_internal:subscription_succeeded" {
                missing -= 1;
            }
        }
        Ok(Self { world, connection })
    }

    /// Records the events of each feed until everything is published, which `published` says.
    pub(crate) async fn run(
        mut self,
        published: oneshot::Receiver<()>,
    ) -> Result<(HashMap<usize, Vec<u64>>, Connection), Failure> {
        let feeds: HashMap<String, usize> =
            (0..self.world.feeds).map(|feed| (feed_name(feed), feed)).collect();
        let mut events = HashMap::<usize, Vec<u64>>::new();
        let mut published = Some(published);
        loop {
            let event = tokio::select! {
                event = self.connection.next() => event?,
                () = async { match published.as_mut() {
                    Some(published) => drop(published.await),
                    None => std::future::pending().await,
                } } => {
                    published = None;
                    self.connection.ping().await?;
                    continue;
                }
            };
            match text(&event, "event") {
                "pusher:pong" => return Ok((events, self.connection)),
                "news" => {
                    let feed = feeds.get(text(&event, "channel")).copied().unwrap_or_default();
                    events.entry(feed).or_default().extend(text(&event, "data").parse::<u64>());
                }
                _ => {}
            }
        }
    }
}
