//! A server, a channel and a client that take one step at a time.

use std::collections::{BTreeMap, BTreeSet};

use internal_notifications_models::{
    Change, ChangesAnswer, Head, InboxPage, LiveEvent, NotificationId, OpId, Position, WriteAnswer,
};

use super::server::Server;
use super::step::Step;
use crate::inbox::fault::Fault;
use crate::{Announcement, Inbox, InboxCommand, InboxEvent, InboxQuery, Refused, WriteRequest};

/// An answer of the server, with its query.
enum Answer {
    Snapshot(InboxPage),
    Older(Position, u64, InboxPage),
    Changes(Position, ChangesAnswer),
}

pub(super) struct World {
    /// The window of the replica.
    pub(super) window: usize,
    pub(super) server: Server,
    channel: Vec<LiveEvent>,
    pub(super) inbox: Inbox,
    /// The answer in transit, and how many of `news` had arrived before its query.
    answer: Option<(Answer, usize)>,
    head: Option<(Position, Head)>,
    /// The write in transit: its op, the position of the inbox, and the server's answer.
    sent: Option<(OpId, Position, Result<WriteAnswer, Refused>)>,
    /// Positions that the client has heard of since its last complete answer.
    pub(super) news: Vec<Position>,
    /// The user's own unconfirmed writes.
    pub(super) own: BTreeMap<OpId, Own>,
    writes: u64,
    /// Ids that existed before the first snapshot.
    pub(super) first: BTreeSet<NotificationId>,
    pub(super) announced: BTreeMap<NotificationId, u64>,
    pub(super) skipped: bool,
    /// What the replica told in this step. The app hears of it once the replica is kept.
    events: Vec<InboxEvent>,
    /// The writes of each request that was ever sent.
    requests: BTreeMap<OpId, Vec<OpId>>,
    crash: Option<Crash>,
    /// Ids whose announcement was kept and not made, because of a crash.
    pub(super) untold: BTreeSet<NotificationId>,
}

/// How the app crashes at the end of the next step.
enum Crash {
    /// Before it has kept anything after this.
    Unkept(Kept),
    /// Before it has announced what it has kept.
    Untold,
}

/// What survives a crash of the app: a record, and the writes that the app knows to be queued.
struct Kept {
    record: Vec<u8>,
    own: BTreeMap<OpId, Own>,
}

/// An own write of the user.
#[derive(Clone)]
pub(super) struct Own {
    /// The position of the inbox when the user made it.
    pub(super) seen: Position,
    /// Whether the server had done it when it last answered.
    pub(super) done: bool,
    /// The request in which it is sent.
    pub(super) sent_as: Option<OpId>,
}

/// The server's pages are small, so that schedules page often.
const PAGE: usize = 4;

impl World {
    /// Makes a world in which the client starts after `already` pushes.
    pub(super) fn new(window: usize, already: usize) -> Self {
        let mut server = Server::new();
        for _ in 0..already {
            server.push();
        }
        Self {
            window,
            server,
            channel: Vec::new(),
            inbox: Inbox::new(window),
            answer: None,
            head: None,
            sent: None,
            news: Vec::new(),
            own: BTreeMap::new(),
            writes: 0,
            first: BTreeSet::new(),
            announced: BTreeMap::new(),
            skipped: false,
            events: Vec::new(),
            requests: BTreeMap::new(),
            crash: None,
            untold: BTreeSet::new(),
        }
    }

    pub(super) fn step(&mut self, step: Step) {
        let crashes = self.crash.is_some() || matches!(step, Step::CrashSent);
        match step {
            Step::Push | Step::PushAgain(_) | Step::Retract(_) | Step::Expire | Step::Prune(_) => {
                let change = self.by_backend(step);
                self.publish(change);
            }
            Step::Open(pick) => self.by_device(pick, |id| InboxCommand::Opened(vec![id])),
            Step::Unopen(pick) => self.by_device(pick, |id| InboxCommand::Unopened(vec![id])),
            Step::Remove(pick) => self.by_device(pick, InboxCommand::Remove),
            Step::OpenAll => self.by_device(0, |_| InboxCommand::OpenedAll { through: None, tag: None }),
            Step::Backup => self.server.back_up(),
            Step::Restore => self.server.restore(),
            Step::Trim(pick) => {
                let through = self.server.log().head().position.seq * u64::from(pick) / 256;
                self.server.trim(through);
            }
            Step::Deliver(pick) => {
                if let Some(event) = self.take(pick) {
                    self.deliver(event);
                }
            }
            Step::Drop(pick) => drop(self.take(pick)),
            Step::Repeat(pick) => {
                let event = pick_of(&self.channel, pick).cloned();
                self.channel.extend(event);
            }
            Step::InboxQuery => self.ask(),
            Step::Answer => self.arrive(),
            Step::LoseAnswer => self.answer = None,
            Step::AskHead => self.head = Some((self.inbox.head().position, self.server.log().head())),
            Step::AnswerHead => {
                if let Some((asked_at, head)) = self.head.take() {
                    self.hear(head.position);
                    self.inbox.on_head(asked_at, head);
                }
            }
            Step::Lag => self.inbox.catch_up(),
            Step::LoadOlder(count) => {
                self.window += self.inbox.load_older(usize::from(count % 4)).unwrap();
            }
            Step::Write(pick) => self.write(pick),
            Step::Send => self.send(),
            Step::Sent => self.sent(),
            Step::LoseSent => self.sent = None,
            Step::Restart => self.restart(self.kept()),
            Step::CrashUnkept => self.crash = Some(Crash::Unkept(self.kept())),
            Step::CrashUntold => self.crash = Some(Crash::Untold),
            Step::CrashSent => {
                self.crash = Some(Crash::Unkept(self.kept()));
                self.send();
            }
        }
        let events = std::mem::take(&mut self.events);
        match self.crash.take_if(|_| crashes) {
            None => self.observe(events),
            Some(Crash::Unkept(kept)) => {
                if Fault::AnnouncedBeforeKept.is_planted() {
                    self.observe(events);
                }
                self.restart(kept);
            }
            Some(Crash::Untold) => {
                self.lose(events);
                self.check_own();
                self.restart(self.kept());
            }
        }
        self.check();
    }

    /// Excuses the announcements of events that a crash has lost.
    fn lose(&mut self, events: Vec<InboxEvent>) {
        for event in events {
            match event {
                InboxEvent::Announce(Announcement::Notification(row)) => {
                    self.untold.insert(row.id.clone());
                }
                InboxEvent::Announce(_) => self.skipped = true,
                _ => {}
            }
        }
    }

    fn kept(&self) -> Kept {
        let record = self.inbox.save();
        self.check_record(&record);
        Kept { record, own: self.own.clone() }
    }

    /// Starts the app again from what it has kept. Answers in transit are lost.
    fn restart(&mut self, kept: Kept) {
        self.inbox = Inbox::restore(&kept.record, self.window).unwrap();
        (self.answer, self.head, self.sent) = (None, None, None);
        if !Fault::QueuedBeforeKept.is_planted() {
            self.own = kept.own;
        }
        for op in self.own.keys() {
            assert!(self.inbox.pending_write(op).is_some(), "{op} was queued and is lost");
        }
    }

    /// Repairs the connection: one position check, and the queries that follow from it.
    pub(super) fn heal(&mut self) {
        while !self.channel.is_empty() {
            self.step(Step::Deliver(0));
        }
        self.step(Step::AnswerHead);
        self.answer = None;
        self.sent = None;
        for _ in 0..400 {
            self.step(Step::Send);
            self.step(Step::Sent);
            if self.inbox.next_query().is_none() {
                self.step(Step::AskHead);
                self.step(Step::AnswerHead);
            }
            if self.inbox.next_query().is_none() && self.inbox.unanswered_writes() == 0 {
                return self.check_end();
            }
            self.step(Step::InboxQuery);
            self.step(Step::Answer);
        }
        panic!("the replica never stops querying: {:?}", self.inbox.next_query());
    }

    fn by_backend(&mut self, step: Step) -> Option<Change> {
        match step {
            Step::Push => self.server.push(),
            Step::PushAgain(pick) => {
                let pushed = pick_of(&self.server.pushed, pick)?.clone();
                self.server.add(&pushed)
            }
            Step::Retract(pick) => {
                let id = pick_of(&self.server.pushed, pick)?.id.clone()?;
                self.server.retract(&id)
            }
            Step::Prune(pick) => self.server.prune(usize::from(pick % 16)),
            _ => self.server.expire(),
        }
    }

    fn by_device(&mut self, pick: u8, command: impl Fn(NotificationId) -> InboxCommand) {
        let rows: Vec<_> = self.server.log().rows().collect();
        if let Some(row) = pick_of(&rows, pick) {
            let command = command(row.id.clone());
            let (_, change) = self.server.write(&command, None);
            self.publish(change);
        }
    }

    fn publish(&mut self, change: Option<Change>) {
        self.channel.extend(change.map(|change| match change.stamp.tag.bits() % 7 {
            0 => LiveEvent::Thin(change.stamp),
            _ => LiveEvent::Change(change),
        }));
    }

    fn take(&mut self, pick: u8) -> Option<LiveEvent> {
        // Mostly the oldest, so that much arrives in order.
        let index = if pick < 192 { 0 } else { usize::from(pick) % self.channel.len().max(1) };
        (index < self.channel.len()).then(|| self.channel.remove(index))
    }

    fn deliver(&mut self, event: LiveEvent) {
        let stamp = match &event {
            LiveEvent::Change(change) => Some(change.stamp),
            LiveEvent::Thin(stamp) => Some(*stamp),
            _ => None,
        };
        if let Some(stamp) = stamp {
            self.hear(stamp.position());
        }
        let events = self.inbox.on_live(event);
        self.events.extend(events);
    }

    /// The client hears of a position. It is news unless the replica is past it.
    fn hear(&mut self, position: Position) {
        if !self.server.led(position, self.inbox.head().position) {
            self.news.push(position);
        }
    }

    fn ask(&mut self) {
        if self.answer.is_some() {
            return;
        }
        if !self.inbox.is_loaded() {
            self.first.extend(self.server.pushed.iter().filter_map(|pushed| pushed.id.clone()));
        }
        let (server, position) = (self.server.log(), self.inbox.head().position);
        let answer = self.inbox.next_query().map(|ask| match ask {
            InboxQuery::Changes { after } => {
                Answer::Changes(after, server.changes(after, PAGE, self.window.min(PAGE)))
            }
            InboxQuery::Older { before, limit } => {
                Answer::Older(position, before, server.page(limit.min(PAGE), Some(before)))
            }
            InboxQuery::Snapshot => Answer::Snapshot(server.page(self.window.min(PAGE), None)),
        });
        self.answer = answer.map(|answer| (answer, self.news.len()));
    }

    fn arrive(&mut self) {
        let Some((answer, heard)) = self.answer.take() else { return };
        let heard = heard.min(self.news.len());
        let events = match answer {
            Answer::Older(asked_at, before, page) => {
                self.inbox.on_older(asked_at, before, page);
                return;
            }
            Answer::Snapshot(page) => self.inbox.on_snapshot(page),
            Answer::Changes(after, answer) => self.inbox.on_changes(after, answer),
        };
        self.news.drain(..heard);
        self.events.extend(events);
    }

    /// The user writes in the app.
    fn write(&mut self, pick: u8) {
        let shown = self.inbox.shown();
        let Some(row) = pick_of(&shown, pick) else { return };
        let seen = self.inbox.head().position;
        let command = match pick % 4 {
            0 => InboxCommand::Opened(vec![row.id.clone()]),
            1 => InboxCommand::Unopened(vec![row.id.clone()]),
            2 => InboxCommand::Remove(row.id.clone()),
            _ => InboxCommand::OpenedAll { through: Some(seen.seq), tag: seen.tag },
        };
        self.writes += 1;
        let op = OpId::new(format!("o{}", self.writes)).unwrap();
        self.own.insert(op.clone(), Own { seen, done: false, sent_as: None });
        self.inbox.write(op, command, self.server.tick()).unwrap();
    }

    fn send(&mut self) {
        if self.sent.is_some() {
            return;
        }
        let Some(WriteRequest { op, command, ops, .. }) = self.inbox.next_write() else { return };
        // The request is kept before it is sent.
        if matches!(self.crash, Some(Crash::Unkept(_))) && !Fault::SentBeforeKept.is_planted() {
            self.crash = Some(Crash::Unkept(self.kept()));
        }
        let first = self.requests.entry(op.clone()).or_insert_with(|| ops.clone());
        assert_eq!(*first, ops, "{op} is sent again with other writes");
        let before = self.server.log().head().position;
        let (answer, change) = self.server.write(&command, Some(&op));
        let done = self.server.has_done(&op);
        for write in &ops {
            let own = self.own.get_mut(write).unwrap();
            assert!(own.sent_as.as_ref().is_none_or(|before| *before == op), "{write} changes its request");
            (own.sent_as, own.done) = (Some(op.clone()), done);
        }
        let seen = self.own[&op].seen;
        if matches!(command, InboxCommand::OpenedAll { .. }) {
            self.check_seen(seen, before);
        }
        self.publish(change);
        self.sent = Some((op, self.inbox.head().position, answer));
    }

    fn sent(&mut self) {
        match self.sent.take() {
            Some((op, asked_at, Ok(answer))) => {
                self.hear(answer.head.position);
                self.inbox.on_written(&op, asked_at, answer.head);
            }
            Some((op, _, Err(_))) => {
                let events = self.inbox.on_refused(&op);
                assert!(!events.is_empty());
                for event in events {
                    let InboxEvent::RolledBack(write) = event else { panic!("{event:?}") };
                    assert_eq!(self.own.remove(&write.op).unwrap().sent_as.as_ref(), Some(&op));
                }
            }
            None => {}
        }
    }
}

fn pick_of<T>(of: &[T], pick: u8) -> Option<&T> {
    of.get(usize::from(pick) % of.len().max(1))
}
