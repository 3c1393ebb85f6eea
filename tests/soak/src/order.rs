use std::collections::HashMap;

use crate::publishers::PUBLISHERS;
use crate::visitor::Stay;
use crate::world::World;

type Feeds = HashMap<usize, Vec<u64>>;

/// Checks that every connection received its feed's events in the recorder's order and without a
/// gap, and that the recorder received what was accepted, each publisher's in its order.
pub(crate) fn check(world: &World, recorded: &Feeds, accepted: &[Feeds], stays: &[Stay]) {
    for (feed, events) in recorded {
        for (publisher, accepted) in accepted.iter().enumerate() {
            let of_publisher = |event: &&u64| usize::try_from(**event % PUBLISHERS) == Ok(publisher);
            let recorded: Vec<u64> = events.iter().filter(of_publisher).copied().collect();
            if accepted.get(feed).map_or(0, Vec::len) != recorded.len()
                || accepted.get(feed).is_some_and(|accepted| *accepted != recorded)
            {
                world.find(&format!("feed {feed}: the events of publisher {publisher} differ"));
            }
        }
    }
    let places: HashMap<usize, HashMap<u64, usize>> = recorded
        .iter()
        .map(|(feed, events)| (*feed, events.iter().enumerate().map(|(at, event)| (*event, at)).collect()))
        .collect();
    for stay in stays {
        let Some(first) = stay.events.first() else { continue };
        let place = places.get(&stay.feed).and_then(|places| places.get(first).copied());
        let expected = recorded.get(&stay.feed).zip(place).and_then(|(events, place)| events.get(place..));
        let is_right = expected.is_some_and(|expected| match stay.is_last {
            true => expected == stay.events,
            false => expected.starts_with(&stay.events),
        });
        if !is_right {
            world.find(&format!(
                "a connection received the events of feed {} otherwise than the recorder",
                stay.feed
            ));
        }
    }
}
