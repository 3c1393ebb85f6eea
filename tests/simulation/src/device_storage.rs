//! Where a device keeps its inbox: on a disk that survives crashes.

use std::sync::Arc;

use async_trait::async_trait;
use internal_notifications_service::{RecordKey, ServiceError, Storage, StoredRecord};
use serde_json::Value;

use crate::bug::Bug;
use crate::world::World;

pub(crate) struct DeviceStorage {
    pub(crate) world: Arc<World>,
    pub(crate) device: &'static str,
}

struct DeviceRecord {
    world: Arc<World>,
    device: &'static str,
    /// What a buggy disk has accepted and not written yet.
    late: Option<Vec<u8>>,
}

#[async_trait]
impl Storage for DeviceStorage {
    async fn open(&self, _key: &RecordKey) -> Result<Box<dyn StoredRecord>, ServiceError> {
        let (world, device) = (Arc::clone(&self.world), self.device);
        Ok(Box::new(DeviceRecord { world, device, late: None }))
    }
}

#[async_trait]
impl StoredRecord for DeviceRecord {
    async fn load(&mut self) -> Result<Option<Vec<u8>>, ServiceError> {
        Ok(self.world.seen().kept.get(self.device).cloned())
    }

    async fn keep(&mut self, record: Vec<u8>) -> Result<(), ServiceError> {
        let written = match self.world.bug {
            Some(Bug::AnnouncedBeforeKept) => self.late.replace(record),
            Some(Bug::QueuedBeforeKept) => without_writes(&record),
            _ => Some(record),
        };
        if let Some(written) = written {
            self.world.seen().kept.insert(self.device, written);
        }
        Ok(())
    }

    async fn forget(&mut self) -> Result<(), ServiceError> {
        self.world.seen().kept.remove(self.device);
        Ok(())
    }
}

fn without_writes(record: &[u8]) -> Option<Vec<u8>> {
    let mut record: Value = serde_json::from_slice(record).ok()?;
    *record.pointer_mut("/lasting/writes")? = Value::Array(Vec::new());
    serde_json::to_vec(&record).ok()
}
