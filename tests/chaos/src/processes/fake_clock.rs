use crate::failure::Failure;
use std::path::PathBuf;

/// The clock of one process, which libfaketime sets. The process's monotonic clock stays right.
pub(crate) struct FakeClock {
    library: PathBuf,
    /// The offset from the machine's clock. The process reads it whenever it reads its clock.
    file: PathBuf,
}

/// An offset from the machine's clock, as libfaketime reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Offset {
    None,
    Ahead(&'static str),
    Behind(&'static str),
}

/// Describes what a machine lacks for clocks that jump.
pub(crate) const MISSING: &str = "clock jumped: libfaketime is not installed (Debian's package faketime)";

impl FakeClock {
    /// Creates a clock that is right, or returns `None` if libfaketime is not installed.
    pub(crate) fn new(file: PathBuf) -> Result<Option<Self>, Failure> {
        let Some(library) = library() else { return Ok(None) };
        let clock = Self { library, file };
        clock.set(Offset::None)?;
        Ok(Some(clock))
    }

    /// Returns the variables of the process.
    pub(crate) fn env(&self) -> [(String, String); 4] {
        [
            ("LD_PRELOAD", self.library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.file.display().to_string()),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }

    pub(crate) fn set(&self, offset: Offset) -> Result<(), Failure> {
        let text = match offset {
            Offset::None => "+0".to_owned(),
            Offset::Ahead(by) => format!("+{by}"),
            Offset::Behind(by) => format!("-{by}"),
        };
        // Renamed, so that the process never reads half of it.
        let new = self.file.with_extension("new");
        std::fs::write(&new, text)?;
        std::fs::rename(new, &self.file)?;
        Ok(())
    }
}

/// Removes the shared memory that libfaketime leaves behind when its process is killed.
pub(crate) fn remove_shared_memory(process: u32) {
    for name in ["faketime_shm_", "sem.faketime_sem_"] {
        let _ = std::fs::remove_file(format!("/dev/shm/{name}{process}"));
    }
}

fn library() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?.flatten().map(|entry| entry.path());
    let mut libraries = folders.map(|folder| folder.join("faketime/libfaketimeMT.so.1"));
    libraries.find(|library| library.exists())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::time::SystemTime;

    #[test]
    fn a_process_reads_the_offset_whenever_it_reads_its_clock() {
        let folder = tempfile::tempdir().unwrap();
        let Some(clock) = FakeClock::new(folder.path().join("clock")).unwrap() else {
            println!("skipped, since libfaketime is missing");
            return;
        };
        let seconds_off = |offset| {
            clock.set(offset).unwrap();
            let mut date = Command::new("date");
            let date = date.arg("+%s").envs(clock.env()).stdout(Stdio::piped()).spawn().unwrap();
            let process = date.id();
            let shown: i64 =
                String::from_utf8(date.wait_with_output().unwrap().stdout).unwrap().trim().parse().unwrap();
            remove_shared_memory(process);
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
            shown - i64::try_from(now.as_secs()).unwrap()
        };
        let is_near = |shown: i64, expected: i64| (shown - expected).abs() < 60;
        assert!(is_near(seconds_off(Offset::None), 0));
        assert!(is_near(seconds_off(Offset::Ahead("400d")), 400 * 86_400));
        assert!(is_near(seconds_off(Offset::Behind("5m")), -300));
    }
}
