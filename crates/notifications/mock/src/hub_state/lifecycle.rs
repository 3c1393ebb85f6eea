use internal_notifications_service::{ServiceError, ServiceErrorKind};

use super::{HubState, name};
use crate::Call;
use crate::device::{Session, no_connection, not_initialized};

impl HubState {
    pub(crate) fn init(&mut self, id: u64) -> Result<(), ServiceError> {
        let outcome = self.start(id);
        self.note_outcome(id, "init", outcome)
    }

    fn start(&mut self, id: u64) -> Result<(), ServiceError> {
        let device = self.devices.get_mut(&id).ok_or_else(not_initialized)?;
        if device.session.is_some() {
            return Ok(());
        }
        device.name = name(&device.user, id);
        device.faults.call(Call::Init)?;
        let refused = |detail: &String| ServiceError::new(ServiceErrorKind::Configuration, detail);
        let user = device.user.as_ref().map_err(refused)?.clone();
        if !device.is_online {
            return Err(no_connection());
        }
        device.session = Some(Session::new(self.counters.session(), user, &device.settings, self.now));
        self.flush(id);
        Ok(())
    }

    pub(crate) fn dispose(&mut self, id: u64) {
        let Some(device) = self.devices.get_mut(&id).filter(|device| device.session.is_some()) else {
            return;
        };
        device.end();
        device.changed.notify_waiters();
        self.note(id, format_args!("dispose"));
    }

    pub(crate) fn subscribe(&mut self, id: u64) -> Result<(), ServiceError> {
        let outcome = self.resume(id);
        self.note_outcome(id, "subscribe", outcome)
    }

    fn resume(&mut self, id: u64) -> Result<(), ServiceError> {
        let device = self.device(id)?;
        device.initialized()?;
        device.faults.call(Call::Subscribe)?;
        let session = device.initialized()?;
        if session.is_paused {
            session.is_paused = false;
            session.inbox.catch_up();
            self.flush(id);
        }
        Ok(())
    }

    pub(crate) fn unsubscribe(&mut self, id: u64) -> Result<(), ServiceError> {
        let outcome = self.pause(id);
        self.note_outcome(id, "unsubscribe", outcome)
    }

    fn pause(&mut self, id: u64) -> Result<(), ServiceError> {
        let device = self.device(id)?;
        device.initialized()?.is_paused = true;
        device.publish();
        Ok(())
    }

    pub(crate) fn wake(&mut self, id: u64) -> Result<(), ServiceError> {
        let outcome = self.may_wake(id);
        let outcome = self.note_outcome(id, "wake", outcome);
        if outcome.is_ok() {
            self.check_position(id);
        }
        outcome
    }

    fn may_wake(&mut self, id: u64) -> Result<(), ServiceError> {
        let device = self.device(id)?;
        device.initialized()?;
        device.faults.call(Call::Wake)
    }

    pub(crate) fn load_older(&mut self, id: u64, count: usize) -> Result<(), ServiceError> {
        let outcome = self.extend_window(id, count);
        self.note_outcome(id, "load_older", outcome)
    }

    fn extend_window(&mut self, id: u64, count: usize) -> Result<(), ServiceError> {
        let device = self.device(id)?;
        device.initialized()?;
        device.faults.call(Call::LoadOlder)?;
        let max_window = device.settings.max_window;
        let has_all = |session: &Session| {
            !session.is_paused && session.inbox.low() == 0 && !session.inbox.is_catching_up()
        };
        if has_all(device.initialized()?) {
            return Ok(());
        }
        let session = device.live().ok_or_else(no_connection)?;
        let count = count.min(max_window.saturating_sub(session.window));
        let full =
            || ServiceError::new(ServiceErrorKind::WindowFull, "the list has reached its maximum length");
        if session.window >= max_window {
            return Err(full());
        }
        session.window += session.inbox.load_older(count).map_err(|_| full())?;
        self.flush(id);
        Ok(())
    }
}
