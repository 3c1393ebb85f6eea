use internal_notifications_models::{NotificationId, Receipt, Timestamp, UserId, WriteAnswer};
use tokio::sync::oneshot;

use super::tidy::{Tidied, Untidy};
use super::withdraw::{self, Retracted};
use crate::rules::push::NewPush;
use crate::sql::failure::Failure;
use crate::{Advanced, StoreError, Write};

/// What the writer is asked to do.
pub(super) enum Command {
    Push(NewPush, Reply<Receipt>),
    Write(UserId, Write, Reply<WriteAnswer>),
    Retract(NotificationId, Timestamp, Reply<Retracted>),
    /// The notification with this key leaves some more inboxes. Answers whether it has left all.
    Withdraw(i64, Timestamp, Reply<bool>),
    /// Does what is due by then, in at most so many inboxes.
    Advance(Timestamp, usize, Reply<Advanced>),
    Tidy(Untidy, Reply<Tidied>),
    Mark(Vec<(UserId, u64)>, Reply<Vec<UserId>>),
    Setting {
        name: String,
        value: String,
        reply: Reply<String>,
    },
    /// Writes something, so that it is known whether that can be done.
    Ping(Reply<()>),
    /// Accept no more, finish, and let go.
    Close,
}

impl Command {
    /// Roughly the rows that it writes, to bound a transaction.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Push(push, _) => push.user_ids.len(),
            Self::Mark(marks, _) => marks.len(),
            Self::Retract(..) | Self::Withdraw(..) => withdraw::BATCH,
            Self::Advance(_, limit, _) => *limit,
            Self::Tidy(..) => Untidy::ROWS,
            _ => 1,
        }
    }

    pub(super) fn is_push(&self) -> bool {
        matches!(self, Self::Push(..))
    }

    /// Answers the caller: with what came of it if the transaction was committed.
    pub(super) fn settle(self, transaction: Result<(), &Failure>) {
        match self {
            Self::Push(_, reply) => reply.settle(transaction),
            Self::Write(_, _, reply) => reply.settle(transaction),
            Self::Retract(_, _, reply) => reply.settle(transaction),
            Self::Withdraw(_, _, reply) => reply.settle(transaction),
            Self::Advance(_, _, reply) => reply.settle(transaction),
            Self::Tidy(_, reply) => reply.settle(transaction),
            Self::Mark(_, reply) => reply.settle(transaction),
            Self::Ping(reply) => reply.settle(transaction),
            Self::Setting { reply, .. } => reply.settle(transaction),
            Self::Close => {}
        }
    }
}

/// The way back to a caller, and what it will be told once the transaction is committed.
pub(super) struct Reply<T> {
    caller: oneshot::Sender<Result<T, StoreError>>,
    outcome: Option<Result<T, StoreError>>,
}

impl<T> Reply<T> {
    pub(super) fn new(caller: oneshot::Sender<Result<T, StoreError>>) -> Self {
        Self { caller, outcome: None }
    }

    pub(super) fn set(&mut self, outcome: Result<T, StoreError>) {
        self.outcome = Some(outcome);
    }

    fn settle(self, transaction: Result<(), &Failure>) {
        let answer = match (transaction, self.outcome) {
            (Err(failure), _) => Err(failure.clone().into()),
            (Ok(()), Some(outcome)) => outcome,
            // Dropping the sender tells the caller that there is no answer.
            (Ok(()), None) => return,
        };
        // A caller that no longer waits is fine: its command is done all the same.
        let _ = self.caller.send(answer);
    }
}
