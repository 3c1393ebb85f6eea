use std::collections::{BTreeMap, BTreeSet, VecDeque};

use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::Call;

/// The faults that a test has planned for one service.
#[derive(Default)]
pub(crate) struct PlannedFaults {
    failures: BTreeMap<Call, VecDeque<ServiceErrorKind>>,
    refusals: VecDeque<ServiceErrorKind>,
    dropped_events: usize,
    duplicated_events: usize,
    held: BTreeSet<Call>,
    /// Whether the hub does not answer requests for missed changes.
    pub(crate) holds_catch_up: bool,
}

impl PlannedFaults {
    pub(crate) fn fail_next(&mut self, call: Call, kind: ServiceErrorKind) {
        self.failures.entry(call).or_default().push_back(kind);
    }

    pub(crate) fn refuse_next_queued(&mut self, kind: ServiceErrorKind) {
        self.refusals.push_back(kind);
    }

    pub(crate) fn drop_next_events(&mut self, events: usize) {
        self.dropped_events += events;
    }

    pub(crate) fn duplicate_next_event(&mut self) {
        self.duplicated_events += 1;
    }

    pub(crate) fn hold(&mut self, call: Call) {
        self.held.insert(call);
    }

    pub(crate) fn release(&mut self, call: Call) {
        self.held.remove(&call);
    }

    pub(crate) fn is_held(&self, call: Call) -> bool {
        self.held.contains(&call)
    }

    /// Returns the planned failure of this call, if any.
    pub(crate) fn call(&mut self, call: Call) -> Result<(), ServiceError> {
        take(self.failures.get_mut(&call))
    }

    /// Returns the planned refusal of a queued write that is sent now, if any.
    pub(crate) fn queued_write(&mut self) -> Result<(), ServiceError> {
        take(Some(&mut self.refusals))
    }

    /// Returns how many times the current live event arrives.
    pub(crate) fn deliveries(&mut self) -> usize {
        if take_one(&mut self.dropped_events) {
            return 0;
        }
        1 + usize::from(take_one(&mut self.duplicated_events))
    }
}

fn take(planned: Option<&mut VecDeque<ServiceErrorKind>>) -> Result<(), ServiceError> {
    match planned.and_then(VecDeque::pop_front) {
        Some(kind) => Err(ServiceError::new(kind, "the test planned this failure")),
        None => Ok(()),
    }
}

fn take_one(count: &mut usize) -> bool {
    let is_left = *count > 0;
    *count = count.saturating_sub(1);
    is_left
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_planned_failure_is_used_once_and_for_its_own_call() {
        let mut faults = PlannedFaults::default();
        faults.fail_next(Call::Push, ServiceErrorKind::Forbidden);
        faults.fail_next(Call::Push, ServiceErrorKind::Conflict);
        assert_eq!(faults.call(Call::Init), Ok(()));
        assert_eq!(faults.call(Call::Push).unwrap_err().kind(), ServiceErrorKind::Forbidden);
        assert_eq!(faults.call(Call::Push).unwrap_err().kind(), ServiceErrorKind::Conflict);
        assert_eq!(faults.call(Call::Push), Ok(()));
    }

    #[test]
    fn events_are_dropped_before_they_are_duplicated() {
        let mut faults = PlannedFaults::default();
        faults.duplicate_next_event();
        faults.drop_next_events(2);
        assert_eq!([(); 4].map(|()| faults.deliveries()), [0, 0, 2, 1]);
    }
}
