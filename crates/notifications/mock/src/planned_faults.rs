use std::collections::{BTreeMap, VecDeque};

use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::Call;

/// What a test has arranged for one service.
#[derive(Default)]
pub(crate) struct PlannedFaults {
    failures: BTreeMap<Call, VecDeque<ServiceErrorKind>>,
    refusals: VecDeque<ServiceErrorKind>,
    dropped: usize,
    repeated: usize,
}

impl PlannedFaults {
    pub(crate) fn fail_next(&mut self, call: Call, kind: ServiceErrorKind) {
        self.failures.entry(call).or_default().push_back(kind);
    }

    pub(crate) fn refuse_next_queued(&mut self, kind: ServiceErrorKind) {
        self.refusals.push_back(kind);
    }

    pub(crate) fn drop_next(&mut self, events: usize) {
        self.dropped += events;
    }

    pub(crate) fn repeat_next(&mut self) {
        self.repeated += 1;
    }

    /// Whether this call may go on.
    pub(crate) fn call(&mut self, call: Call) -> Result<(), ServiceError> {
        next(self.failures.get_mut(&call))
    }

    /// Whether a queued write that is sent now may be stored.
    pub(crate) fn queued(&mut self) -> Result<(), ServiceError> {
        next(Some(&mut self.refusals))
    }

    /// How many times the live event of now arrives.
    pub(crate) fn event(&mut self) -> usize {
        if take_one(&mut self.dropped) {
            return 0;
        }
        1 + usize::from(take_one(&mut self.repeated))
    }
}

fn next(of: Option<&mut VecDeque<ServiceErrorKind>>) -> Result<(), ServiceError> {
    match of.and_then(VecDeque::pop_front) {
        Some(kind) => Err(ServiceError::new(kind, "the test has arranged that this fails")),
        None => Ok(()),
    }
}

fn take_one(from: &mut usize) -> bool {
    let is_left = *from > 0;
    *from = from.saturating_sub(1);
    is_left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_arrangement_serves_once_and_for_its_own_call() {
        let mut faults = PlannedFaults::default();
        faults.fail_next(Call::Push, ServiceErrorKind::Forbidden);
        faults.fail_next(Call::Push, ServiceErrorKind::Conflict);
        assert_eq!(faults.call(Call::Init), Ok(()));
        assert_eq!(faults.call(Call::Push).unwrap_err().kind(), ServiceErrorKind::Forbidden);
        assert_eq!(faults.call(Call::Push).unwrap_err().kind(), ServiceErrorKind::Conflict);
        assert_eq!(faults.call(Call::Push), Ok(()));
    }

    #[test]
    fn events_are_dropped_before_they_are_repeated() {
        let mut faults = PlannedFaults::default();
        faults.repeat_next();
        faults.drop_next(2);
        assert_eq!([(); 4].map(|()| faults.event()), [0, 0, 2, 1]);
    }
}
