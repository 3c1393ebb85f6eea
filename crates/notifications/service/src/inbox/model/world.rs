//! A server, a channel and a client, one step at a time.

use std::collections::{BTreeMap, BTreeSet};

use internal_notifications_models::{
    Change, ChangesAnswer, Head, InboxPage, LiveEvent, NotificationId, OpId, Position, WriteAnswer,
};

use super::server::Server;
use super::step::Step;
use crate::{Ask, Inbox, InboxCommand, InboxEvent, PendingWrite, Refused};

/// What the server answered, with what was asked.
enum Answer {
    Snapshot(InboxPage),
    Older(Position, u64, InboxPage),
    Changes(Position, ChangesAnswer),
}

pub(super) struct World {
    /// How many notifications the replica may hold.
    pub(super) window: usize,
    pub(super) server: Server,
    channel: Vec<LiveEvent>,
    pub(super) inbox: Inbox,
    /// The answer under way, and how much of the news had come when it was asked for.
    answer: Option<(Answer, usize)>,
    head: Option<(Position, Head)>,
    /// The write under way: its op, where the inbox was, and what the server answered.
    sent: Option<(OpId, Position, Result<WriteAnswer, Refused>)>,
    /// Positions that the client heard of since it was told what it missed.
    pub(super) news: Vec<Position>,
    /// The user's own writes that are shown and not confirmed.
    pub(super) own: BTreeMap<OpId, Own>,
    writes: u64,
    /// Ids that were there before the first snapshot.
    pub(super) first: BTreeSet<NotificationId>,
    pub(super) announced: BTreeMap<NotificationId, u64>,
    pub(super) skipped: bool,
}

/// A write of the user's own.
pub(super) struct Own {
    /// Where the inbox was when it was made.
    pub(super) seen: Position,
    /// Whether the server did it, as its last answer was made.
    pub(super) done: bool,
}

/// The server's pages are small.
const PAGE: usize = 4;

impl World {
    /// The client comes when there are `already` notifications.
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
        }
    }

    pub(super) fn step(&mut self, step: Step) {
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
            Step::Ask => self.ask(),
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
        }
        self.check();
    }

    /// Client and server can talk again: one position check, and the questions that follow from it.
    pub(super) fn heal(&mut self) {
        for event in std::mem::take(&mut self.channel) {
            self.deliver(event);
        }
        self.step(Step::AnswerHead);
        self.answer = None;
        self.sent = None;
        for _ in 0..400 {
            self.step(Step::Send);
            self.step(Step::Sent);
            if self.inbox.wants().is_none() {
                self.step(Step::AskHead);
                self.step(Step::AnswerHead);
            }
            if self.inbox.wants().is_none() && self.inbox.wants_write().is_none() {
                return self.check_end();
            }
            self.step(Step::Ask);
            self.step(Step::Answer);
        }
        panic!("the replica asks for ever: {:?}", self.inbox.wants());
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
        self.note(events);
    }

    /// The client hears of a position; it is news if it has not passed it.
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
        let answer = self.inbox.wants().map(|ask| match ask {
            Ask::Changes { after } => {
                Answer::Changes(after, server.changes(after, PAGE, self.window.min(PAGE)))
            }
            Ask::Older { before, limit } => {
                Answer::Older(position, before, server.page(limit.min(PAGE), Some(before)))
            }
            Ask::Snapshot => Answer::Snapshot(server.page(self.window.min(PAGE), None)),
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
        self.note(events);
    }

    /// The user does something in the app.
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
        self.own.insert(op.clone(), Own { seen, done: false });
        self.inbox.write(op, command, self.server.tick()).unwrap();
    }

    fn send(&mut self) {
        if self.sent.is_some() {
            return;
        }
        let Some(PendingWrite { op, command, .. }) = self.inbox.wants_write().cloned() else { return };
        let before = self.server.log().head().position;
        let (answer, change) = self.server.write(&command, Some(&op));
        let own = self.own.get_mut(&op).unwrap();
        own.done = self.server.has_done(&op);
        let seen = own.seen;
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
                assert!(matches!(events[..], [InboxEvent::RolledBack(_)]));
                self.own.remove(&op);
            }
            None => {}
        }
    }
}

fn pick_of<T>(of: &[T], pick: u8) -> Option<&T> {
    of.get(usize::from(pick) % of.len().max(1))
}
