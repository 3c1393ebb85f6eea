use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use internal_notifications_service::{RecordKey, ServiceError, ServiceErrorKind, Storage, StoredRecord};
use tokio::task::spawn_blocking;

use crate::file_name::file_name;
use crate::record_file::RecordFile;

/// Keeps records as files in a folder. It must be used within a tokio runtime.
#[derive(Clone, Debug)]
pub struct FileStorage {
    folder: PathBuf,
}

impl FileStorage {
    /// Makes a storage in this folder, which is created when the first record is opened.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }
}

#[async_trait]
impl Storage for FileStorage {
    async fn open(&self, key: &RecordKey) -> Result<Box<dyn StoredRecord>, ServiceError> {
        let (folder, name) = (self.folder.clone(), file_name(key));
        let file = blocking(move || RecordFile::lock(&folder, &name)).await?;
        Ok(Box::new(OpenRecord { file: Arc::new(Mutex::new(file)), changes: 0 }))
    }
}

struct OpenRecord {
    file: Arc<Mutex<RecordFile>>,
    /// How many changes were begun. Those of dropped futures end in any order.
    changes: u64,
}

impl OpenRecord {
    async fn with_file<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut RecordFile) -> Result<T, ServiceError> + Send + 'static,
    ) -> Result<T, ServiceError> {
        let file = Arc::clone(&self.file);
        blocking(move || work(&mut file.lock().unwrap_or_else(PoisonError::into_inner))).await
    }

    fn next_change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }
}

#[async_trait]
impl StoredRecord for OpenRecord {
    async fn load(&mut self) -> Result<Option<Vec<u8>>, ServiceError> {
        self.with_file(RecordFile::load).await
    }

    async fn keep(&mut self, record: Vec<u8>) -> Result<(), ServiceError> {
        let number = self.next_change();
        self.with_file(move |file| file.keep(number, &record)).await
    }

    async fn forget(&mut self) -> Result<(), ServiceError> {
        let number = self.next_change();
        self.with_file(move |file| file.forget(number)).await
    }
}

/// Runs work that blocks, beside the tasks of the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, ServiceError> {
    spawn_blocking(work).await.unwrap_or_else(|error| {
        let error = ServiceError::new(ServiceErrorKind::Storage, "the storage ended").with_source(error);
        Err(error)
    })
}
