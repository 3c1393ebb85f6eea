//! A server, a channel and a client, one step at a time.

use std::collections::{BTreeMap, BTreeSet};

use internal_notifications_models::{
    Change, ChangeKind, ChangesAnswer, Head, InboxPage, InternalNotification, LiveEvent, NotificationId,
    OpId, Position, Tag, Timestamp, WriteAnswer,
};
use internal_notifications_service::{
    Announcement, Ask, Inbox, InboxCommand, InboxEvent, InboxLog, PendingWrite, Refused,
};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Push,
    Open(u8),
    Unopen(u8),
    OpenAll,
    Remove(u8),
    Backup,
    Restore,
    Trim(u8),
    Deliver(u8),
    Drop(u8),
    Repeat(u8),
    Ask,
    Answer,
    LoseAnswer,
    AskHead,
    AnswerHead,
    Lag,
    LoadOlder(u8),
    Write(u8),
    Send,
    Sent,
    LoseSent,
}

enum Answer {
    Snapshot(InboxPage),
    Older(Position, u64, InboxPage),
    Changes(Position, ChangesAnswer),
}

pub(crate) struct World {
    window: usize,
    server: InboxLog,
    backup: InboxLog,
    /// Every state that the server was ever in, by its position.
    history: BTreeMap<(u64, Option<Tag>), InboxLog>,
    channel: Vec<LiveEvent>,
    inbox: Inbox,
    answer: Option<Answer>,
    head: Option<(Position, Head)>,
    /// The write under way: its op, where the inbox was, and what the server answered.
    sent: Option<(OpId, Position, Result<WriteAnswer, Refused>)>,
    /// The user's own writes that are shown and not confirmed, with what the inbox held when they were made, and whether they made a change.
    own: BTreeMap<OpId, (BTreeSet<NotificationId>, bool)>,
    /// The writes that the server did in the history that it has now, that of the backup, and that of every position.
    done: BTreeSet<OpId>,
    backup_done: BTreeSet<OpId>,
    done_at: BTreeMap<(u64, Option<Tag>), BTreeSet<OpId>>,
    counter: u64,
    restored: bool,
    skipped: bool,
    /// Ids that need no announcement: older than the first snapshot, or opened at some time.
    excused: BTreeSet<NotificationId>,
    announced: BTreeMap<NotificationId, u64>,
}

const PAGE: usize = 4;

impl World {
    pub(crate) fn new(window: usize) -> Self {
        let server = InboxLog::new();
        let mut world = Self {
            window,
            backup: server.clone(),
            server,
            history: BTreeMap::new(),
            channel: Vec::new(),
            inbox: Inbox::new(window),
            answer: None,
            head: None,
            sent: None,
            own: BTreeMap::new(),
            done: BTreeSet::new(),
            backup_done: BTreeSet::new(),
            done_at: BTreeMap::new(),
            counter: 0,
            restored: false,
            skipped: false,
            excused: BTreeSet::new(),
            announced: BTreeMap::new(),
        };
        world.remember();
        world
    }

    pub(crate) fn step(&mut self, step: Step) {
        match step {
            Step::Push => self.push(),
            Step::Open(pick) => self.command(pick, |id| InboxCommand::Opened(vec![id])),
            Step::Unopen(pick) => self.command(pick, |id| InboxCommand::Unopened(vec![id])),
            Step::Remove(pick) => self.command(pick, InboxCommand::Remove),
            Step::OpenAll => self.write(&InboxCommand::OpenedAll { through: None, tag: None }),
            Step::Backup => (self.backup, self.backup_done) = (self.server.clone(), self.done.clone()),
            Step::Restore => {
                self.restored |= self.server.head() != self.backup.head();
                self.server = self.backup.clone();
                self.done = self.backup_done.clone();
            }
            Step::Trim(pick) => {
                let through = self.server.head().position.seq * u64::from(pick) / 256;
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
            Step::AskHead => self.head = Some((self.inbox.head().position, self.server.head())),
            Step::AnswerHead => {
                if let Some((asked_at, head)) = self.head.take() {
                    self.inbox.on_head(asked_at, head);
                }
            }
            Step::Lag => self.inbox.catch_up(),
            Step::LoadOlder(count) => {
                self.window += self.inbox.load_older(usize::from(count % 4)).unwrap();
            }
            Step::Write(pick) => self.write_own(pick),
            Step::Send => self.send(),
            Step::Sent => self.sent(),
            Step::LoseSent => self.sent = None,
        }
        self.compare();
    }

    /// Client and server can talk again: one position check, and the questions that follow from it.
    pub(crate) fn heal(&mut self) {
        for event in std::mem::take(&mut self.channel) {
            self.deliver(event);
        }
        self.step(Step::AnswerHead);
        self.answer = None;
        self.sent = None;
        for _ in 0..400 {
            self.send();
            self.sent();
            self.compare();
            if self.inbox.wants().is_none() {
                self.step(Step::AskHead);
                self.step(Step::AnswerHead);
            }
            if self.inbox.wants().is_none() && self.inbox.wants_write().is_none() {
                return self.finally();
            }
            self.ask();
            self.arrive();
            self.compare();
        }
        panic!("the replica asks for ever: {:?}", self.inbox.wants());
    }

    fn finally(&self) {
        assert_eq!(self.inbox.head(), self.server.head());
        assert_eq!(self.inbox.pending_writes(), 0);
        let expected = self.server.page(self.window, None).notifications;
        let shown: Vec<_> = self.inbox.shown().iter().map(|row| (**row).clone()).collect();
        assert_eq!(shown, expected);
        if self.skipped {
            return;
        }
        for row in self.server.page(usize::MAX, None).notifications {
            let due = !row.opened && !self.excused.contains(&row.id);
            assert!(!due || self.announced.contains_key(&row.id), "{} was never announced", row.id);
        }
    }

    /// Whenever the replica believes that it missed nothing, it is what the server was at that position.
    fn compare(&mut self) {
        self.confirm();
        if self.inbox.is_catching_up() {
            return;
        }
        let head = self.inbox.head();
        let server = &self.history[&(head.position.seq, head.position.tag)];
        assert_eq!(head, server.head());
        let mut expected = server.page(usize::MAX, None).notifications;
        expected.retain(|row| row.added >= self.inbox.low());
        let rows: Vec<_> = self.inbox.rows().map(|row| (**row).clone()).collect();
        assert_eq!(rows, expected);
        assert!(rows.len() <= self.window);
    }

    /// A write of the user's own is shown until the replica itself has it.
    fn confirm(&mut self) {
        let position = self.inbox.head().position;
        let Some(done) = self.done_at.get(&(position.seq, position.tag)) else { return };
        self.own.retain(|op, (_, has_made)| {
            let is_shown = self.inbox.pending_write(op).is_some();
            assert!(is_shown || !*has_made || done.contains(op), "{op} is shown no more, and was not done");
            is_shown
        });
    }

    fn push(&mut self) {
        self.counter += 1;
        let (id, at, tag) =
            (NotificationId::new(format!("n{}", self.counter)).unwrap(), self.now(), self.tag());
        let change = self.server.add(&id, &InternalNotification::new("c"), "key:t", at, tag);
        self.publish(change);
    }

    fn command(&mut self, pick: u8, command: impl Fn(NotificationId) -> InboxCommand) {
        let rows = self.server.page(usize::MAX, None).notifications;
        if let Some(row) = pick_of(&rows, pick) {
            self.write(&command(row.id.clone()));
        }
    }

    fn write(&mut self, command: &InboxCommand) {
        self.counter += 1;
        let before = self.server.head().position;
        let (at, tag) = (self.now(), self.tag());
        self.server.write(command, None, at, tag).unwrap();
        let change = match self.server.changes(before, 1, 1) {
            ChangesAnswer::Changes { mut changes, .. } => changes.pop(),
            ChangesAnswer::Reset { .. } => unreachable!("the newest change is in the log"),
        };
        self.publish(change);
    }

    fn publish(&mut self, change: Option<Change>) {
        self.remember();
        if let Some(change) = change {
            let thin = change.stamp.tag.bits() % 7 == 0;
            self.channel.push(if thin { LiveEvent::Thin(change.stamp) } else { LiveEvent::Change(change) });
        }
    }

    fn remember(&mut self) {
        let position = self.server.head().position;
        self.history.entry((position.seq, position.tag)).or_insert_with(|| self.server.clone());
        self.done_at.entry((position.seq, position.tag)).or_insert_with(|| self.done.clone());
        let opened = self.server.page(usize::MAX, None).notifications.into_iter().filter(|row| row.opened);
        self.excused.extend(opened.map(|row| row.id));
    }

    fn take(&mut self, pick: u8) -> Option<LiveEvent> {
        // Mostly the oldest, so that much arrives in order.
        let index = if pick < 192 { 0 } else { usize::from(pick) % self.channel.len().max(1) };
        (index < self.channel.len()).then(|| self.channel.remove(index))
    }

    fn deliver(&mut self, event: LiveEvent) {
        let events = self.inbox.on_live(event);
        self.note(events);
    }

    fn ask(&mut self) {
        if self.answer.is_some() {
            return;
        }
        if !self.inbox.is_loaded() {
            self.excused.extend((1..=self.counter).map(|n| NotificationId::new(format!("n{n}")).unwrap()));
        }
        self.answer = self.inbox.wants().map(|ask| match ask {
            Ask::Changes { after } => {
                Answer::Changes(after, self.server.changes(after, PAGE, self.window.min(PAGE)))
            }
            Ask::Older { before, limit } => Answer::Older(
                self.inbox.head().position,
                before,
                self.server.page(limit.min(PAGE), Some(before)),
            ),
            _ => Answer::Snapshot(self.server.page(self.window.min(PAGE), None)),
        });
    }

    fn arrive(&mut self) {
        let events = match self.answer.take() {
            Some(Answer::Snapshot(page)) => self.inbox.on_snapshot(page),
            Some(Answer::Changes(after, answer)) => self.inbox.on_changes(after, answer),
            Some(Answer::Older(asked_at, before, page)) => {
                self.inbox.on_older(asked_at, before, page);
                return;
            }
            None => return,
        };
        self.note(events);
    }

    /// The user does something in the app.
    fn write_own(&mut self, pick: u8) {
        self.counter += 1;
        let shown = self.inbox.shown();
        let Some(row) = pick_of(&shown, pick) else { return };
        let seen = self.inbox.head().position;
        let command = match pick % 4 {
            0 => InboxCommand::Opened(vec![row.id.clone()]),
            1 => InboxCommand::Unopened(vec![row.id.clone()]),
            2 => InboxCommand::Remove(row.id.clone()),
            _ => InboxCommand::OpenedAll { through: Some(seen.seq), tag: seen.tag },
        };
        let op = OpId::new(format!("o{}", self.counter)).unwrap();
        let seen = self.history[&(seen.seq, seen.tag)].page(usize::MAX, None).notifications;
        self.own.insert(op.clone(), (seen.into_iter().map(|row| row.id).collect(), false));
        self.inbox.write(op, command, self.now()).unwrap();
    }

    fn send(&mut self) {
        if self.sent.is_some() {
            return;
        }
        let Some(PendingWrite { op, command, .. }) = self.inbox.wants_write().cloned() else { return };
        self.counter += 1;
        let before = self.server.head().position;
        let (at, tag) = (self.now(), self.tag());
        let answer = self.server.write(&command, Some(&op), at, tag);
        let made = answer.is_ok_and(|answer| answer.seq.is_some());
        let (seen, has_made) = self.own.get_mut(&op).unwrap();
        if made {
            self.done.insert(op.clone());
        }
        *has_made = self.done.contains(&op);
        if made && matches!(command, InboxCommand::OpenedAll { .. }) {
            let pending = |log: &InboxLog| {
                log.page(usize::MAX, None).notifications.into_iter().filter(|row| !row.opened)
            };
            let still: BTreeSet<_> = pending(&self.server).map(|row| row.id).collect();
            let was = pending(&self.history[&(before.seq, before.tag)]);
            let opened = was.map(|row| row.id).filter(|id| !still.contains(id));
            opened.for_each(|id| assert!(seen.contains(&id), "{id} was opened unseen"));
        }
        let change = self.server.changes(before, 1, 1);
        match change {
            ChangesAnswer::Changes { mut changes, .. } if made => self.publish(changes.pop()),
            _ => {}
        }
        self.sent = Some((op, self.inbox.head().position, answer));
    }

    fn sent(&mut self) {
        match self.sent.take() {
            Some((op, asked_at, Ok(answer))) => self.inbox.on_written(&op, asked_at, answer.head),
            Some((op, _, Err(_))) => {
                assert_eq!(self.inbox.on_refused(&op).len(), 1);
                self.own.remove(&op);
            }
            None => {}
        }
    }

    fn note(&mut self, events: Vec<InboxEvent>) {
        let mut at = None;
        for event in events {
            match event {
                InboxEvent::Announce(Announcement::Notification(row)) => {
                    assert!(!row.opened);
                    if let Some(position) = at {
                        assert!(
                            self.was_pending(position, &row.id),
                            "{} was announced when it was not pending",
                            row.id
                        );
                    }
                    if !self.restored {
                        let newest = self.announced.values().max();
                        assert!(newest < Some(&row.added), "announced out of order");
                    }
                    let before = self.announced.insert(row.id.clone(), row.added);
                    assert!(before.is_none(), "{} was announced twice", row.id);
                }
                InboxEvent::Announce(Announcement::Skipped) => self.skipped = true,
                InboxEvent::Applied(Change { kind: ChangeKind::Unknown, .. }) => {
                    panic!("folded what it cannot know")
                }
                InboxEvent::Applied(change) => at = Some(change.stamp.position()),
                _ => at = None,
            }
        }
    }

    fn was_pending(&self, at: Position, id: &NotificationId) -> bool {
        let rows = self.history[&(at.seq, at.tag)].page(usize::MAX, None).notifications;
        rows.iter().any(|row| row.id == *id && !row.opened)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.counter as i64).unwrap()
    }

    fn tag(&self) -> Tag {
        Tag::from_bits(self.counter)
    }
}

fn pick_of<T>(of: &[T], pick: u8) -> Option<&T> {
    of.get(usize::from(pick) % of.len().max(1))
}
