use std::sync::Arc;

use async_trait::async_trait;
use internal_notifications_models::UserId;

use crate::ServiceError;

/// Keeps what a service needs across restarts of the app: one record for each inbox.
///
/// Errors are of the kind [`Storage`](crate::ServiceErrorKind::Storage), or
/// [`InUse`](crate::ServiceErrorKind::InUse) if another service has the record open,
/// in this process or another.
#[async_trait]
pub trait Storage: Send + Sync {
    /// Opens the record of an inbox, whether or not it exists. Nobody else can open it until it is
    /// dropped.
    ///
    /// # Errors
    /// Fails if the record is open, or if the storage cannot be used.
    async fn open(&self, key: &RecordKey) -> Result<Box<dyn StoredRecord>, ServiceError>;
}

/// The record of an inbox, open in this process alone.
#[async_trait]
pub trait StoredRecord: Send {
    /// Returns the bytes that were kept last, if any.
    ///
    /// # Errors
    /// Fails if the record cannot be read, or is damaged.
    async fn load(&mut self) -> Result<Option<Vec<u8>>, ServiceError>;

    /// Replaces the record. When this returns, the bytes survive a crash of the process and of the
    /// machine. A crash before that leaves either the previous bytes or these, whole. So does a
    /// dropped future, and a later call keeps what is later.
    ///
    /// # Errors
    /// Fails if the bytes cannot be written, or are not known to survive a crash. Then either the
    /// previous ones or these are there.
    async fn keep(&mut self, record: Vec<u8>) -> Result<(), ServiceError>;

    /// Removes the record.
    ///
    /// # Errors
    /// Fails if the record cannot be removed.
    async fn forget(&mut self) -> Result<(), ServiceError>;
}

/// Identifies the record of a user's inbox on a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RecordKey {
    server: String,
    user_id: UserId,
}

impl RecordKey {
    /// Makes the key of a user's inbox on the server with this base URL.
    pub fn new(server: impl Into<String>, user_id: UserId) -> Self {
        Self { server: server.into(), user_id }
    }

    /// Returns the server's base URL.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Returns the user.
    pub fn user_id(&self) -> &UserId {
        &self.user_id
    }
}

#[async_trait]
impl<S: Storage + ?Sized> Storage for Arc<S> {
    async fn open(&self, key: &RecordKey) -> Result<Box<dyn StoredRecord>, ServiceError> {
        (**self).open(key).await
    }
}
