use internal_notifications_service::{ServiceError, ServiceErrorKind};

use super::{HubState, name};
use crate::Call;
use crate::device::{Session, not_initialized};

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
        if !device.is_connected() {
            return Err(device.not_connected());
        }
        device.session = Some(Session::new(self.counters.session(), user, &device.settings, self.now));
        self.flush(id);
        Ok(())
    }

    /// Makes calls of this kind wait, or lets them go on.
    pub(crate) fn hold(&mut self, id: u64, call: Call, holds: bool) {
        let Some(device) = self.devices.get_mut(&id) else { return };
        match holds {
            true => device.faults.hold(call),
            false => device.faults.release(call),
        }
        device.changed.notify_waiters();
        self.note(id, format_args!("{} {call:?}", if holds { "holds" } else { "releases" }));
    }

    /// Withholds the answers to requests for missed changes, or gives them.
    pub(crate) fn hold_catch_up(&mut self, id: u64, holds: bool) {
        let Some(device) = self.devices.get_mut(&id) else { return };
        device.faults.holds_catch_up = holds;
        self.note(id, format_args!("{} catch-ups", if holds { "holds" } else { "releases" }));
        match holds {
            true => self.start_catch_up(id),
            false => self.flush(id),
        }
    }

    /// Refuses the user's token, or accepts it again.
    pub(crate) fn set_refused(&mut self, id: u64, is_refused: bool) {
        let Some(device) = self.devices.get_mut(&id).filter(|device| device.is_refused != is_refused) else {
            return;
        };
        device.is_refused = is_refused;
        self.note(id, format_args!("its token is {}", if is_refused { "refused" } else { "accepted" }));
        self.reconnect(id);
    }

    /// Begins or ends a call of `init` that waits to be released.
    pub(crate) fn set_starting(&mut self, id: u64, starts: bool) {
        if let Some(device) = self.devices.get_mut(&id) {
            device.starting = if starts { device.starting + 1 } else { device.starting.saturating_sub(1) };
            device.publish();
        }
    }

    pub(crate) fn dispose(&mut self, id: u64) {
        let Some(device) = self.devices.get_mut(&id) else { return };
        device.disposals += 1;
        device.changed.notify_waiters();
        if device.session.is_some() {
            device.end();
            self.note(id, format_args!("dispose"));
        }
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
        if device.faults.holds_catch_up {
            return Err(device.not_connected());
        }
        let max_window = device.settings.max_window;
        let has_all = |session: &Session| {
            !session.is_paused && session.inbox.low() == 0 && !session.inbox.is_catching_up()
        };
        if has_all(device.initialized()?) {
            return Ok(());
        }
        let not_connected = device.not_connected();
        let session = device.live().ok_or(not_connected)?;
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
