use std::fs::{self, File};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use internal_notifications_service::{ServiceError, ServiceErrorKind};

use crate::frame::{HEADER, frame, last_record};
use crate::{lock, private};

/// The file of a record, locked by this process.
#[derive(Debug)]
pub(crate) struct RecordFile {
    folder: PathBuf,
    path: PathBuf,
    _lock: File,
    /// The file to append to, with the end of its last whole record. `None` until it is known to
    /// have one, and after a failure.
    open: Option<(File, u64)>,
    /// The number of the newest change, by which an older one that comes late is ignored.
    newest: u64,
}

/// A file is written anew once it would be longer than this and than [`MAX_RECORDS`] records.
const MAX_LENGTH: u64 = 1 << 20;
const MAX_RECORDS: u64 = 4;

impl RecordFile {
    /// Locks the record with this name in a folder.
    pub(crate) fn lock(folder: &Path, name: &str) -> Result<Self, ServiceError> {
        private::folder(folder).map_err(failed("cannot create the folder", folder))?;
        let lock = lock::lock(&folder.join(name).with_extension("lock"))?;
        let path = folder.join(name).with_extension("inbox");
        Ok(Self { folder: folder.to_path_buf(), path, _lock: lock, open: None, newest: 0 })
    }

    /// Returns the last whole record, if there is a file.
    pub(crate) fn load(&mut self) -> Result<Option<Vec<u8>>, ServiceError> {
        let mut bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("cannot read", &self.path)(error)),
        };
        let at = last_record(&bytes).ok_or_else(|| self.damaged())?;
        let file = private::file(&self.path, false).map_err(failed("cannot open", &self.path))?;
        self.open = Some((file, at.end as u64));
        bytes.truncate(at.end);
        Ok(Some(bytes.split_off(at.start)))
    }

    /// Replaces the record, unless a newer change has been made.
    pub(crate) fn keep(&mut self, number: u64, record: &[u8]) -> Result<(), ServiceError> {
        if number < self.newest {
            return Ok(());
        }
        let frame = frame(record).ok_or_else(|| too_long(&self.path))?;
        let length = frame.len() as u64;
        let limit = MAX_LENGTH.max(length.saturating_mul(MAX_RECORDS));
        // A file that could not be appended to is written anew.
        let written = match self.open.take() {
            Some((file, end)) if end + length <= limit => append(file, end, &frame),
            _ => self.write_anew(&frame),
        };
        self.open = Some(written.map_err(failed("cannot write", &self.path))?);
        self.newest = number;
        Ok(())
    }

    /// Removes the record, unless a newer change has been made.
    pub(crate) fn forget(&mut self, number: u64) -> Result<(), ServiceError> {
        if number < self.newest {
            return Ok(());
        }
        self.open = None;
        self.newest = number;
        let removed = [self.path.clone(), self.temporary()].into_iter().try_for_each(|path| {
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            }
        });
        removed.and_then(|()| private::sync_folder(&self.folder)).map_err(failed("cannot remove", &self.path))
    }

    fn write_anew(&self, frame: &[u8]) -> io::Result<(File, u64)> {
        let temporary = self.temporary();
        let mut file = private::file(&temporary, true)?;
        file.write_all(HEADER)?;
        file.write_all(frame)?;
        file.sync_all()?;
        fs::rename(&temporary, &self.path)?;
        private::sync_folder(&self.folder)?;
        Ok((file, (HEADER.len() + frame.len()) as u64))
    }

    fn temporary(&self) -> PathBuf {
        self.path.with_extension("new")
    }

    fn damaged(&self) -> ServiceError {
        let message = format!(
            "{} is damaged: move it away to start anew, without the writes that were queued in it",
            self.path.display()
        );
        ServiceError::new(ServiceErrorKind::Storage, message)
    }
}

/// Writes a frame after the last whole record, in place of whatever is there.
fn append(mut file: File, end: u64, frame: &[u8]) -> io::Result<(File, u64)> {
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    file.write_all(frame)?;
    file.sync_data()?;
    Ok((file, end + frame.len() as u64))
}

fn too_long(path: &Path) -> ServiceError {
    let message = format!("the record is too long for {}", path.display());
    ServiceError::new(ServiceErrorKind::Storage, message)
}

pub(crate) fn failed(what: &str, path: &Path) -> impl FnOnce(io::Error) -> ServiceError {
    let message = format!("{what} {}", path.display());
    |error| ServiceError::new(ServiceErrorKind::Storage, message).with_source(error)
}
