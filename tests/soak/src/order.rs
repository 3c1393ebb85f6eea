use std::collections::HashMap;

use crate::publishers::PUBLISHERS;
use crate::visitor::Stay;
use crate::world::World;

type Feeds = HashMap<usize, Vec<u64>>;

/// So many events of a feed do not all fall into moments in which no client is subscribed.
const MANY: usize = 10;

/// Checks that every connection received its feed's events in the recorder's order and without a
/// gap, and that the recorder received what was accepted, each publisher's in its order. Some
/// connection besides the recorder must have received something of each feed with many events.
pub(crate) fn check(world: &World, recorded: &Feeds, accepted: &[Feeds], stays: &[Stay]) {
    for feed in 0..world.feeds {
        let events = of_feed(recorded, feed);
        for (publisher, accepted) in accepted.iter().enumerate() {
            let of_publisher = |event: &&u64| usize::try_from(**event % PUBLISHERS) == Ok(publisher);
            let recorded: Vec<u64> = events.iter().filter(of_publisher).copied().collect();
            if of_feed(accepted, feed) != recorded {
                world.find(&format!("feed {feed}: the events of publisher {publisher} differ"));
            }
        }
        let places: HashMap<u64, usize> = events.iter().enumerate().map(|(at, event)| (*event, at)).collect();
        let mut stays = stays.iter().filter(|stay| stay.feed == feed && !stay.events.is_empty()).peekable();
        if stays.peek().is_none() && events.len() >= MANY {
            world.find(&format!("feed {feed}: no client received any of its {} events", events.len()));
        }
        for stay in stays {
            let place = stay.events.first().and_then(|first| places.get(first)).copied();
            let expected = place.and_then(|place| events.get(place..));
            let is_right = expected.is_some_and(|expected| match stay.is_last {
                true => expected == stay.events,
                false => expected.starts_with(&stay.events),
            });
            if !is_right {
                world.find(&format!(
                    "a connection received the events of feed {feed} otherwise than the recorder"
                ));
            }
        }
    }
}

fn of_feed(feeds: &Feeds, feed: usize) -> &[u64] {
    feeds.get(&feed).map_or(&[], Vec::as_slice)
}
