use std::error::Error;
use std::sync::atomic::Ordering;

use internal_notifications_models::UserId;

use super::Worker;
use crate::realtime::RealtimeError;
use crate::store::StoreError;

impl Worker {
    pub(super) fn log_refusal(&mut self, error: &RealtimeError) {
        self.parts.refused.fetch_add(1, Ordering::Relaxed);
        let error: &dyn Error = error;
        if std::mem::replace(&mut self.refusal_logged, true) {
            tracing::debug!(error, "the engine rejected an event");
        } else {
            tracing::warn!(error, "the engine rejected an event; clients catch up without it");
        }
    }

    pub(super) fn log_failure(&mut self, user_id: &UserId, error: &RealtimeError) {
        let error: &dyn Error = error;
        if std::mem::replace(&mut self.failure_logged, true) {
            tracing::debug!(user.id = %user_id, error, "an inbox cannot be published");
        } else {
            tracing::warn!(user.id = %user_id, error, "an inbox cannot be published; trying it again");
        }
    }

    pub(super) fn log_damage(&mut self, user_id: &UserId, error: &StoreError) {
        let error: &dyn Error = error;
        if std::mem::replace(&mut self.damage_logged, true) {
            tracing::debug!(user.id = %user_id, error, "an inbox cannot be read");
        } else {
            tracing::error!(user.id = %user_id, error, "an inbox cannot be read; its changes are not published");
        }
    }
}
