use std::sync::Arc;

use internal_notifications_models::UserId;
use internal_notifications_service::{
    Inbox, InvalidRecord, RecordKey, ServiceError, ServiceErrorKind, Storage, StoredRecord, with_causes,
};
use tokio::sync::Mutex;

use super::settings::Settings;
use crate::api::BaseUrl;

/// Keeps the replica in the storage of the service, if it has one.
///
/// It outlives the task of the service, so that `dispose` can forget what the task has kept.
#[derive(Clone, Default)]
pub(crate) struct Keeper(Arc<Mutex<Record>>);

#[derive(Default)]
enum Record {
    #[default]
    None,
    /// It is being opened, or could not be opened or read.
    Closed(Arc<dyn Storage>, RecordKey),
    Open(Kept),
}

struct Kept {
    record: Box<dyn StoredRecord>,
    /// The bytes that were kept last.
    last: Vec<u8>,
    is_failing: bool,
}

impl Keeper {
    /// Opens the record of a user's inbox. Returns the inbox that it restores, if there is one.
    pub(crate) async fn open(
        &self,
        settings: &Settings,
        server: &BaseUrl,
        user_id: &UserId,
    ) -> Result<Option<Inbox>, ServiceError> {
        let Some(storage) = &settings.options.storage else { return Ok(None) };
        let key = RecordKey::new(server.url().as_str(), user_id.clone());
        *self.0.lock().await = Record::Closed(Arc::clone(storage), key.clone());
        let mut record = storage.open(&key).await?;
        let last = record.load().await?;
        let inbox = last.as_deref().map(|bytes| Inbox::restore(bytes, settings.options.window));
        let inbox = inbox.transpose().map_err(unreadable)?;
        let last = last.unwrap_or_default();
        *self.0.lock().await = Record::Open(Kept { record, last, is_failing: false });
        Ok(inbox)
    }

    /// Keeps the inbox, unless it is kept as it is. A failure is logged.
    pub(crate) async fn keep(&self, inbox: &Inbox) -> Result<(), ServiceError> {
        let mut kept = self.0.lock().await;
        let Record::Open(kept) = &mut *kept else { return Ok(()) };
        let bytes = inbox.save();
        if bytes == kept.last {
            return Ok(());
        }
        // Until it is kept, nobody knows what is there.
        kept.last.clear();
        if let Err(error) = kept.record.keep(bytes.clone()).await {
            if !std::mem::replace(&mut kept.is_failing, true) {
                tracing::error!(error = with_causes(&error), "the inbox cannot be kept");
            }
            return Err(error);
        }
        (kept.last, kept.is_failing) = (bytes, false);
        Ok(())
    }

    /// Removes the record and closes it.
    pub(crate) async fn forget(&self) {
        let forgotten = match std::mem::take(&mut *self.0.lock().await) {
            Record::None => return,
            Record::Closed(storage, key) => match storage.open(&key).await {
                Ok(mut record) => record.forget().await,
                Err(error) => Err(error),
            },
            Record::Open(mut kept) => kept.record.forget().await,
        };
        if let Err(error) = forgotten {
            tracing::error!(error = with_causes(&error), "the record of the inbox cannot be removed");
        }
    }
}

fn unreadable(error: InvalidRecord) -> ServiceError {
    let detail = match error {
        InvalidRecord::Newer(..) => "the inbox was kept by a newer version of the app: update the app",
        _ => {
            "the kept inbox cannot be read: call dispose to remove it and start anew, without the writes \
             queued in it"
        }
    };
    ServiceError::new(ServiceErrorKind::Storage, detail).with_source(error)
}
