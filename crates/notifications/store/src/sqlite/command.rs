use std::sync::Arc;

use internal_notifications_models::{NotificationId, Receipt, Timestamp, UserId, WriteAnswer};
use tokio::sync::oneshot;

use super::cleanup::Cleanup;
use super::deliver::Deliver;
use super::orphans::{Forget, Search};
use super::withdraw::{Withdraw, Withdrawal};
use crate::rules::push::NewPush;
use crate::rules::withdrawal::Withdrawn;
use crate::sql::failure::Failure;
use crate::sql::inspection::Cleaned;
use crate::{Advanced, StoreError, Write};

/// A command to the writer.
pub(super) enum Command {
    Push(NewPush, Reply<Receipt>),
    PushAll(Vec<Arc<NewPush>>, Reply<Vec<Result<Receipt, StoreError>>>),
    Write(UserId, Write, Reply<WriteAnswer>),
    /// Marks a notification as retracted, and returns its withdrawal unless there was one.
    Retract(NotificationId, Timestamp, Reply<Option<Withdrawal>>),
    Withdraw(Withdraw, Reply<Withdrawn>),
    Deliver(Deliver, Reply<Advanced>),
    Cleanup(Cleanup, Reply<Cleaned>),
    Searched(Search, Reply<()>),
    Forget(Forget, Reply<u64>),
    Mark(Vec<(UserId, u64)>, Reply<Vec<UserId>>),
    Setting {
        name: String,
        value: String,
        reply: Reply<String>,
    },
    RecordTime(String, Reply<()>),
    /// Checks that the database can be written, by writing to it.
    Ping(Reply<()>),
    /// Accepts no more commands and finishes those in the queue.
    Close,
}

impl Command {
    /// Returns roughly how many rows the command writes, to bound a transaction.
    ///
    /// Withdrawals and deliveries have a transaction of their own, so that no call fails with them.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Push(push, _) => push.weight(),
            Self::PushAll(pushes, _) => pushes.iter().map(|push| push.weight()).sum(),
            Self::Mark(marks, _) => marks.len(),
            Self::Withdraw(..) | Self::Deliver(..) => usize::MAX,
            Self::Cleanup(..) => Cleanup::ROWS,
            Self::Searched(search, _) => search.rows(),
            Self::Forget(..) => Forget::ROWS,
            _ => 1,
        }
    }

    pub(super) fn is_push(&self) -> bool {
        matches!(self, Self::Push(..) | Self::PushAll(..))
    }

    /// Returns the pushes of the command, in order.
    pub(super) fn pushes(&self) -> Vec<&NewPush> {
        match self {
            Self::Push(push, _) => vec![push],
            Self::PushAll(pushes, _) => pushes.iter().map(|push| &**push).collect(),
            _ => Vec::new(),
        }
    }

    /// Sets the answers of the command's pushes, which are the next of these.
    pub(super) fn set_pushed(&mut self, answers: &mut impl Iterator<Item = Result<Receipt, StoreError>>) {
        match self {
            Self::Push(_, reply) => answers.next().into_iter().for_each(|answer| reply.set(answer)),
            Self::PushAll(pushes, reply) => reply.set(Ok(answers.take(pushes.len()).collect())),
            _ => {}
        }
    }

    /// Answers the caller once the transaction has ended.
    pub(super) fn settle(self, transaction: Result<(), &Failure>) {
        match self {
            Self::Push(_, reply) => reply.settle(transaction),
            Self::PushAll(_, reply) => reply.settle(transaction),
            Self::Write(_, _, reply) => reply.settle(transaction),
            Self::Retract(_, _, reply) => reply.settle(transaction),
            Self::Withdraw(_, reply) => reply.settle(transaction),
            Self::Deliver(_, reply) => reply.settle(transaction),
            Self::Cleanup(_, reply) => reply.settle(transaction),
            Self::Searched(_, reply) => reply.settle(transaction),
            Self::Forget(_, reply) => reply.settle(transaction),
            Self::Mark(_, reply) => reply.settle(transaction),
            Self::RecordTime(_, reply) | Self::Ping(reply) => reply.settle(transaction),
            Self::Setting { reply, .. } => reply.settle(transaction),
            Self::Close => {}
        }
    }
}

/// The channel to a caller, and the answer to send once the transaction is committed.
pub(super) struct Reply<T> {
    caller: oneshot::Sender<Result<Result<T, StoreError>, Failure>>,
    outcome: Option<Result<T, StoreError>>,
}

impl<T> Reply<T> {
    pub(super) fn new(caller: oneshot::Sender<Result<Result<T, StoreError>, Failure>>) -> Self {
        Self { caller, outcome: None }
    }

    pub(super) fn set(&mut self, outcome: Result<T, StoreError>) {
        self.outcome = Some(outcome);
    }

    fn settle(self, transaction: Result<(), &Failure>) {
        let answer = match (transaction, self.outcome) {
            (Err(failure), _) => Err(failure.clone()),
            (Ok(()), Some(outcome)) => Ok(outcome),
            // The caller sees that the sender was dropped.
            (Ok(()), None) => return,
        };
        // The caller may no longer wait; its command took effect anyway.
        let _ = self.caller.send(answer);
    }
}
