use std::collections::BTreeMap;

use super::WebhookEvent;
use super::event::Subject;
use super::filter::Filter;
use super::size::Size;

/// The events for one destination in the order in which to send them.
///
/// While an event is being sent, later ones of the same subject wait, so that they do not overtake
/// it if it has to be sent again. A departure cancels an arrival that was not sent yet. So the
/// arrivals and departures that wait are bounded by the channels and members that the registry
/// holds, or held when the destination last accepted something.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    ready: BTreeMap<i64, WebhookEvent>,
    first: i64,
    last: i64,
    /// The numbers of the arrivals and counts in `ready` that a later event may make obsolete.
    replaceable: BTreeMap<Subject, i64>,
    /// The subjects of events that are being sent, each with the later events that wait for it.
    sending: BTreeMap<Subject, Vec<WebhookEvent>>,
}

impl Outbox {
    /// Adds a subscription count in place of an earlier one of the same channel, and returns
    /// whether there was one.
    pub(super) fn replace_count(&mut self, event: &WebhookEvent) -> bool {
        let Some(subject @ Subject::Count(_)) = event.subject() else { return false };
        let earlier = match self.replaceable.get(&subject) {
            Some(number) => self.ready.get_mut(number),
            None => self.sending.get_mut(&subject).and_then(|waiting| waiting.last_mut()),
        };
        earlier.map(|earlier| *earlier = event.clone()).is_some()
    }

    /// Adds an event, unless it is a departure and cancels an arrival.
    pub(super) fn push(&mut self, event: WebhookEvent) {
        let subject = event.subject();
        if event.is_departure() && subject.as_ref().is_some_and(|subject| self.cancel_arrival(subject)) {
            return;
        }
        self.last += 1;
        if !event.is_departure() {
            self.replaceable.extend(subject.map(|subject| (subject, self.last)));
        }
        self.ready.insert(self.last, event);
    }

    fn cancel_arrival(&mut self, subject: &Subject) -> bool {
        if let Some(number) = self.replaceable.remove(subject) {
            return self.ready.remove(&number).is_some();
        }
        let Some(waiting) = self.sending.get_mut(subject) else { return false };
        waiting.last().is_some_and(WebhookEvent::is_arrival) && waiting.pop().is_some()
    }

    /// Returns the next events to send, at most `limit` of them but at least one if there are any.
    pub(super) fn take(&mut self, limit: Size, filter: &Filter) -> Vec<WebhookEvent> {
        let (mut taken, mut bytes) = (Vec::new(), 0_usize);
        while let Some(next) = self.ready.first_entry() {
            let subject = next.get().subject();
            let is_wanted = filter.wants_kind(next.get().kind());
            let waits_for = subject.as_ref().and_then(|subject| self.sending.get_mut(subject));
            if is_wanted && waits_for.is_none() {
                bytes = bytes.saturating_add(next.get().bytes());
                if taken.len() >= limit.events || (bytes > limit.bytes && !taken.is_empty()) {
                    break;
                }
            }
            let (number, event) = next.remove_entry();
            if let Some(subject) = subject.filter(|subject| self.replaceable.get(subject) == Some(&number)) {
                self.replaceable.remove(&subject);
            }
            match waits_for {
                // Also an event that is not wanted: its opposite may cancel it.
                Some(waiting) => waiting.push(event),
                None if is_wanted => taken.push(event),
                None => {}
            }
        }
        let subjects = taken.iter().filter_map(WebhookEvent::subject);
        self.sending.extend(subjects.map(|subject| (subject, Vec::new())));
        taken
    }

    /// Ends the sending of these events, so that later ones of the same subjects can be sent.
    pub(super) fn settle(&mut self, events: &[WebhookEvent]) {
        for subject in events.iter().filter_map(WebhookEvent::subject) {
            let waiting = self.sending.remove(&subject);
            waiting.into_iter().flatten().rev().for_each(|event| self.push_front(event));
        }
    }

    /// Adds events again that were taken but not sent.
    pub(super) fn put_back(&mut self, events: Vec<WebhookEvent>) {
        self.settle(&events);
        events.into_iter().rev().for_each(|event| self.push_front(event));
    }

    fn push_front(&mut self, event: WebhookEvent) {
        let number = self.first;
        self.first -= 1;
        if let Some(subject) = event.subject().filter(|_| !event.is_departure()) {
            self.replaceable.entry(subject).or_insert(number);
        }
        self.ready.insert(number, event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::webhook::WebhookKind;

    const ALL: Size = Size { events: 10, bytes: usize::MAX };

    fn occupied(channel: &str) -> WebhookEvent {
        WebhookEvent::channel_occupied(&channel.parse().unwrap())
    }

    fn vacated(channel: &str) -> WebhookEvent {
        WebhookEvent::channel_vacated(&channel.parse().unwrap())
    }

    fn count(count: usize) -> WebhookEvent {
        WebhookEvent::subscription_count(&"a".parse().unwrap(), count)
    }

    fn outbox(events: impl IntoIterator<Item = WebhookEvent>) -> Outbox {
        let mut outbox = Outbox::default();
        events.into_iter().for_each(|event| outbox.push(event));
        outbox
    }

    fn take(outbox: &mut Outbox) -> Vec<WebhookEvent> {
        outbox.take(ALL, &Filter::default())
    }

    #[test]
    fn a_departure_cancels_an_arrival_that_was_not_sent() {
        let mut outbox = outbox([vacated("a"), occupied("a"), occupied("b"), vacated("a"), vacated("b")]);
        assert_eq!(take(&mut outbox), [vacated("a")]);
        assert!(outbox.replaceable.is_empty() && outbox.ready.is_empty());
    }

    #[test]
    fn what_waits_is_bounded_by_the_channels_however_often_they_change() {
        let mut outbox = outbox([occupied("a")]);
        assert_eq!(take(&mut outbox), [occupied("a")]);
        for n in 0..1_000 {
            let other = format!("b{n}");
            for event in [vacated("a"), occupied("a"), occupied(&other), vacated(&other)] {
                outbox.push(event);
            }
            assert_eq!(take(&mut outbox), [], "`a` is being sent");
        }
        assert!(outbox.ready.is_empty() && outbox.replaceable.is_empty());
        outbox.settle(&[occupied("a")]);
        assert_eq!(take(&mut outbox), [vacated("a"), occupied("a")]);
        outbox.settle(&[vacated("a"), occupied("a")]);
        assert!(outbox.sending.is_empty() && outbox.replaceable.is_empty());
    }

    #[test]
    fn what_waits_is_bounded_also_if_only_departures_are_wanted() {
        let mut filter = Filter::default();
        filter.set_kinds([WebhookKind::ChannelVacated]);
        let mut outbox = outbox([vacated("a")]);
        assert_eq!(outbox.take(ALL, &filter), [vacated("a")]);
        for _ in 0..1_000 {
            outbox.push(occupied("a"));
            assert_eq!(outbox.take(ALL, &filter), []);
            outbox.push(vacated("a"));
            assert_eq!(outbox.take(ALL, &filter), []);
        }
        assert!(outbox.ready.is_empty() && outbox.sending.values().all(Vec::is_empty));
        outbox.push(occupied("a"));
        assert_eq!(outbox.take(ALL, &filter), []);
        outbox.settle(&[vacated("a")]);
        assert_eq!(outbox.take(ALL, &filter), [], "an arrival is not wanted");
        outbox.push(vacated("a"));
        assert_eq!(outbox.take(ALL, &filter), [vacated("a")]);
    }

    #[test]
    fn later_events_of_a_subject_wait_while_others_go_on() {
        let mut outbox = outbox([occupied("a")]);
        assert_eq!(take(&mut outbox), [occupied("a")]);
        [vacated("a"), occupied("b")].into_iter().for_each(|event| outbox.push(event));
        assert_eq!(take(&mut outbox), [occupied("b")]);
        outbox.push(occupied("a"));
        outbox.settle(&[occupied("a")]);
        assert_eq!(take(&mut outbox), [vacated("a"), occupied("a")], "in their order");
    }

    #[test]
    fn events_that_were_put_back_come_first() {
        let mut outbox = outbox([occupied("a"), occupied("b")]);
        let taken = take(&mut outbox);
        outbox.push(vacated("a"));
        assert_eq!(take(&mut outbox), []);
        outbox.put_back(taken);
        let one = Size { events: 1, ..ALL };
        assert_eq!(outbox.take(one, &Filter::default()), [occupied("a")]);
        assert_eq!(take(&mut outbox), [occupied("b")]);
        outbox.settle(&[occupied("a")]);
        assert_eq!(take(&mut outbox), [vacated("a")]);
    }

    #[test]
    fn a_count_replaces_an_earlier_one() {
        let mut outbox = outbox([count(1), occupied("a")]);
        assert!(outbox.replace_count(&count(2)) && !outbox.replace_count(&occupied("a")));
        assert_eq!(take(&mut outbox), [count(2), occupied("a")]);
        assert!(!outbox.replace_count(&count(3)), "a count that is being sent stays");
        outbox.push(count(3));
        assert_eq!(take(&mut outbox), []);
        assert!(outbox.replace_count(&count(4)));
        outbox.settle(&[count(2), occupied("a")]);
        assert_eq!(take(&mut outbox), [count(4)]);
    }
}
