use std::io;
use std::path::{Path, PathBuf};

/// Replaces a database with a copy of another one, including its write-ahead log. No process may
/// have either open. SQLite creates the other files again.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    for suffix in ["", "-wal", "-shm"].map(|suffix| file(to, suffix)) {
        if suffix.exists() {
            std::fs::remove_file(suffix)?;
        }
    }
    for suffix in ["", "-wal"] {
        if file(from, suffix).exists() {
            std::fs::copy(file(from, suffix), file(to, suffix))?;
        }
    }
    Ok(())
}

fn file(database: &Path, suffix: &str) -> PathBuf {
    let mut file = database.as_os_str().to_owned();
    file.push(suffix);
    file.into()
}
