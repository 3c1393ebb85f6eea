use std::fs::File;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use fs4::TryLockError;
use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::private;
use crate::record_file::failed;

/// How long to wait for a lock. A service that was just dropped may still be writing.
const PATIENCE: Duration = Duration::from_secs(1);
const PAUSE: Duration = Duration::from_millis(10);

/// Locks the lock file of a record. The lock ends when the file is dropped, or the process ends.
pub(crate) fn lock(path: &Path) -> Result<File, ServiceError> {
    let file = private::file(path, false).map_err(failed("cannot open", path))?;
    let until = Instant::now() + PATIENCE;
    loop {
        match fs4::FileExt::try_lock(&file) {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if Instant::now() < until => thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Err(in_use(path)),
            Err(TryLockError::Error(error)) => return Err(failed("cannot lock", path)(error)),
        }
    }
}

fn in_use(path: &Path) -> ServiceError {
    let message = format!(
        "another service, in this process or another, has this inbox open (it holds the lock {}): end it, \
         or use another folder",
        path.display()
    );
    ServiceError::new(ServiceErrorKind::InUse, message)
}
