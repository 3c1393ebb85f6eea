use internal_notifications_models::Position;
use internal_notifications_service::InboxEvent;
use tokio::sync::oneshot;

/// Calls that wait until readers see what they did.
#[derive(Default)]
pub(super) struct Waiting(Vec<(Position, oneshot::Sender<()>)>);

impl Waiting {
    pub(super) fn add(&mut self, position: Position, reached: oneshot::Sender<()>) {
        self.0.retain(|(_, reached)| !reached.is_closed());
        self.0.push((position, reached));
    }

    /// Takes those out that the events reached; all of them once nothing is missing.
    pub(super) fn reached(
        &mut self,
        events: &[InboxEvent],
        nothing_is_missing: bool,
    ) -> Vec<oneshot::Sender<()>> {
        let applied = |position: Position| {
            events.iter().any(|event| match event {
                InboxEvent::Applied(change) => change.stamp.position() == position,
                _ => false,
            })
        };
        let (reached, waiting) = std::mem::take(&mut self.0)
            .into_iter()
            .partition::<Vec<_>, _>(|(position, _)| nothing_is_missing || applied(*position));
        self.0 = waiting;
        reached.into_iter().map(|(_, reached)| reached).collect()
    }

    /// Lets all of them go: what they wait for will not come.
    pub(super) fn give_up(&mut self) {
        self.0.clear();
    }
}
